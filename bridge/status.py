"""Where the bridge stands, as frozen values: for the command line, probes and tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from ..model import Lag

__all__ = ["SourceStatus", "State", "Status"]

State = Literal["starting", "flowing", "paused", "waiting", "broken", "draining", "stopped"]
"""``broken``: the source cannot be read. ``paused``: what it sends has another shape than was
agreed on. ``waiting``: it stands still until the store, or the replacement, is back."""


class SourceStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One source's counts since the start, and what is in hand now.

    ``retried`` ones came again or will, ``parked`` of them without holding their key back.
    ``unsettled`` counts outcomes that the source could not be told (they come again). ``held`` of
    those in flight wait for the store or the replacement. ``oldest`` is the age in seconds of the
    oldest delivery in hand; ``per_second_10`` and ``per_second_60`` are settled deliveries a second
    over so many seconds; ``lag`` is what the source said of itself last, where it can.
    ``progress`` is the monotonic time of the last settlement (of the start, where there was none);
    ``trouble`` says why it does not flow.
    """

    state: State = "starting"
    received: int = 0
    done: int = 0
    retried: int = 0
    parked: int = 0
    dead: int = 0
    unsettled: int = 0
    in_flight: int = 0
    held: int = 0
    oldest: float = 0.0
    per_second_10: float = 0.0
    per_second_60: float = 0.0
    lag: Lag | None = None
    progress: float = 0.0
    trouble: str = ""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """All sources by name. ``ready`` means that work can flow from every one of them."""

    sources: Mapping[str, SourceStatus]

    @property
    def ready(self) -> bool:
        """Say whether every source flows."""
        return all(source.state == "flowing" for source in self.sources.values())

    def stuck(self, now: float, after: float) -> list[str]:
        """Name the sources with work in hand that settled nothing for ``after`` seconds.

        ``now`` is monotonic time. What is held for a store or a replacement that is gone is not
        stuck: the source says that it waits, and goes on by itself.
        """
        return [
            name
            for name, one in self.sources.items()
            if one.in_flight > one.held
            and one.oldest > after
            and now - one.progress > after
            and one.state in ("flowing", "draining")
        ]
