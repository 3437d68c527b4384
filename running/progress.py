"""Whether work in hand comes to an end, and how fast: looked at once a second."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Final

from ..bridge.status import SourceStatus

__all__ = ["Progress"]

_KEPT: Final = 31
"""Looks that are remembered: half a minute of them."""
_SPAN: Final = 10.0


class Progress:
    """Remembers how much every source had settled. Owned by one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[str, deque[tuple[float, int]]] = {}
        self._still: dict[str, float] = {}

    def look(self, sources: Mapping[str, SourceStatus]) -> None:
        """Take note of where the sources stand now."""
        now = self._clock()
        for name, source in sources.items():
            seen = self._seen.setdefault(name, deque(maxlen=_KEPT))
            settled = _settled(source)
            moved = not seen or seen[-1][1] != settled
            if moved or not source.in_flight:
                self._still[name] = now
            seen.append((now, settled))
        for name in self._seen.keys() - sources.keys():
            del self._seen[name], self._still[name]

    def stuck(self, sources: Mapping[str, SourceStatus], seconds: float) -> list[str]:
        """Name what has work in hand and settled none for that many seconds."""
        now = self._clock()
        return [
            f"{name}: {source.in_flight} in hand, nothing settled for {now - since:.0f} s"
            for name, source in sources.items()
            if source.in_flight and now - (since := self._still.get(name, now)) >= seconds
        ]

    def rate(self, name: str) -> float:
        """Give how many a second were settled, over the last ten seconds."""
        seen = self._seen.get(name)
        if not seen:
            return 0.0
        last, settled = seen[-1]
        at, before = next(one for one in seen if last - one[0] <= _SPAN)
        return (settled - before) / (last - at) if last > at else 0.0

    def recent(self, name: str) -> list[int]:
        """Give how many were settled between the looks, oldest first."""
        counts = [settled for _, settled in self._seen.get(name, ())]
        return [max(0, b - a) for a, b in pairwise(counts)]


def _settled(source: SourceStatus) -> int:
    return source.done + source.retried + source.dead
