"""Where the bridge stands, as frozen values: for the command line, probes and tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

__all__ = ["SourceStatus", "State", "Status"]

State = Literal["starting", "flowing", "broken", "draining", "stopped"]


class SourceStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One source's counts since the start, and what is in hand now.

    ``unsettled`` counts outcomes that the source could not be told (they come again); ``oldest`` is
    the age in seconds of the oldest delivery in hand; ``trouble`` says why it is broken.
    """

    state: State = "starting"
    received: int = 0
    done: int = 0
    retried: int = 0
    dead: int = 0
    unsettled: int = 0
    in_flight: int = 0
    oldest: float = 0.0
    trouble: str = ""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """All sources by name. ``ready`` means that work can flow from every one of them."""

    sources: Mapping[str, SourceStatus]

    @property
    def ready(self) -> bool:
        """Say whether every source flows."""
        return all(source.state == "flowing" for source in self.sources.values())
