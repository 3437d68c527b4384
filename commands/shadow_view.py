"""What is said of an endpoint's shadow: what it has used today, and what was not asked, and why."""

from __future__ import annotations

import time

import msgspec

from ..config import Endpoint
from ..store import tables
from ..store.measures import DROPPED, SHADOW
from ..store.store import Store

__all__ = ["ShadowToday", "shadow_today"]


_WORDS = {"legacy_calls": "calls of legacy"}


class ShadowToday(msgspec.Struct, frozen=True, kw_only=True):
    """The UTC day so far, over all processes.

    ``used`` by name, the ``most`` that may be, and the calls that were not made, by reason.
    """

    used: dict[str, float] = {}
    most: dict[str, float] = {}
    dropped: dict[str, int] = {}

    def text(self) -> str:
        """Say it in one line, for people; "" where it has no bound and has met none."""
        if not (self.most or self.dropped):
            return ""
        names = dict.fromkeys((*self.used, *self.most))
        used = [
            f"{self.used.get(name, 0.0):g}{f' of {self.most[name]:g}' if name in self.most else ''}"
            f" {_WORDS.get(name, name)}"
            for name in names
        ]
        dropped = ", ".join(f"{reason} {count}" for reason, count in self.dropped.items())
        return "; ".join(filter(None, (", ".join(used), dropped and f"not asked: {dropped}")))


def shadow_today(store: Store, endpoint: Endpoint) -> ShadowToday:
    """Read it. Blocks; raises ``StoreUnavailable``.

    On a schema that counts none, it has used nothing: what has a bound is not asked there.
    """
    if not store.database.has(tables.measures):
        return ShadowToday(most=dict(endpoint.shadow.budget))
    found = store.measures.shadowed([endpoint.name], time.time())[endpoint.name]
    return ShadowToday(
        used={
            name.removeprefix(SHADOW): total
            for name, (_, total) in sorted(found.items())
            if name.startswith(SHADOW)
        },
        most=dict(endpoint.shadow.budget),
        dropped={
            name.removeprefix(DROPPED): count
            for name, (count, _) in sorted(found.items())
            if name.startswith(DROPPED)
        },
    )
