"""What a drafted runbook is written from: all that is known of an endpoint before it moves."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

from ...config import Endpoint
from ...guardrail_settings import Stay, bounds_of
from ...model import Stage

__all__ = ["Subject"]


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint, and what its systems and its operation say. Made by ``fig new runbook``.

    ``captured`` names the systems that something of ours is put into, the one that it listens to
    first. ``reach`` is the furthest stage that this kind may ever come to, and ``no_further`` says
    why it ends there (empty where it does not). ``learns`` is a file of examples to train the
    replacement from; ``trained`` says that it is of a kind that can be.
    """

    endpoint: Endpoint
    effect: Literal["read", "idempotent", "compensable", "irreversible"]
    owner: str = ""
    captured: tuple[str, ...] = ()
    reach: Stage = Stage.RETIRED
    no_further: str = ""
    trained: bool = False
    learns: str = ""
    today: dt.date

    @property
    def event(self) -> bool:
        """Say whether nobody waits for an answer."""
        return bool(self.endpoint.listen.source)

    @property
    def moves_data(self) -> bool:
        """Say whether what it writes moves to a store of the replacement's."""
        return self.endpoint.data == "moves" and self.effect != "irreversible"

    @property
    def for_good(self) -> bool:
        """Say whether what it does can never be taken back."""
        return self.effect == "irreversible"

    @property
    def stay(self) -> Stay | None:
        """Give what its guardrail asks of a rung; None where it asks for no time at all."""
        return bounds_of(self.endpoint.guardrail.stay, Stay)

    @property
    def kind(self) -> str:
        """Say in a few words what it is, for the head of its runbook."""
        given = self.endpoint
        where = given.listen.source or f"{given.listen.facade} facade"
        what = f"an event of {where}" if self.event else f"a call at the {where}"
        goes = f", decisions are sent to {given.send}" if self.event and given.send else ""
        data = ", its data moves" if self.moves_data else ""
        return f"{what}; effect {self.effect}{goes}{data}"
