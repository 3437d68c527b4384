"""A runbook: the migration of one endpoint as data, as its file says it."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

from .ports import Act, Gate

__all__ = ["OnTimeout", "Runbook", "Step", "Undo"]

OnTimeout = Literal["fail", "abort", "pause", "rollback", "continue"]
"""What it means that a step is not done in time.

``fail``: the run stops there, and nothing is taken back. ``abort``: what was done is undone, in
reverse. ``pause``: it waits for somebody. ``rollback``: legacy answers again, and the run pauses.
``continue``: the step is skipped.
"""

Undo = Literal["act", "keep", "freeze"]
"""``act``: as the act takes itself back. ``keep``: it stays as it is. ``freeze``: it cannot be
taken back, and instead of undoing it (and what came before) the run and the route are frozen."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One of ``[[step]]``. ``do`` and ``gates`` are names and options as parts that can be called.

    ``timeout`` is in seconds from when its turn came, gates included; None: it has all the time.
    ``undo_by`` is done instead of the act's own undoing. ``why`` is for people. ``place`` says
    where it stands in the file.
    """

    name: str
    do: str
    act: Act
    needs: tuple[Need, ...] = ()
    undo: Undo = "act"
    undo_by: Act | None = None
    timeout: float | None = None
    on_timeout: OnTimeout = "fail"
    why: str = ""
    place: str = ""


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """One of a step's ``needs``: a gate by its name."""

    name: str
    gate: Gate


class Runbook(msgspec.Struct, frozen=True, kw_only=True):
    """A whole runbook. ``text`` is its file's, ``digest`` the text's SHA-256; ``file`` its name.

    ``owner`` is who answers for it, ``expires`` the day by which it should have ended.
    """

    name: str
    endpoint: str
    owner: str
    steps: tuple[Step, ...]
    file: str
    text: str
    digest: str
    why: str = ""
    expires: dt.date | None = None

    def step(self, name: str) -> Step:
        """Give a step by its name. The caller knows that there is one."""
        return next(one for one in self.steps if one.name == name)
