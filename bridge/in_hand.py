"""The deliveries that are in hand, since when, and how many more there may be."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable
from typing import Final

from ..model import Delivery

__all__ = ["InHand"]

_SLOW: Final = 512
_AHEAD: Final = 0.25
"""Seconds of work that are in hand, beyond what a slow lane has: each delivery waits for a group of
the journal and one of its source's, and whoever is quick would stand still meanwhile. A slow lane
leaves them to other processes."""
_MEASURED: Final = 0.05


class InHand:
    """Counts them, up to ``most``. Used by ``Hand``; lives on one event loop."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._since: dict[int, float] = {}
        self._places = min(most, _SLOW)
        self._ended, self._measured = 0, time.monotonic()
        self._room = asyncio.Event()
        self._empty = asyncio.Event()

    def __len__(self) -> int:
        """Say how many there are."""
        return len(self._since)

    def __contains__(self, delivery: Delivery) -> bool:
        """Say whether one is still in hand: it may have been cut off."""
        return id(delivery) in self._since

    @property
    def oldest(self) -> float:
        """Give the age of the oldest one, in seconds."""
        now = time.monotonic()
        return now - min(self._since.values(), default=now)

    def add(self, deliveries: Iterable[Delivery]) -> None:
        """Take some in hand."""
        now = time.monotonic()
        for delivery in deliveries:
            self._since[id(delivery)] = now

    def adjust(self, most: int) -> None:
        """Keep to another bound from now on."""
        self._most = most
        self._places = min(most, max(_SLOW, self._places))
        self._room.set()  # there may be more of it

    def replace(self, delivery: Delivery, other: Delivery) -> bool:
        """Have another one in the place of one; False where that is not in hand any more."""
        since = self._since.pop(id(delivery), None)
        if since is None:
            return False
        self._since[id(other)] = since
        return True

    def let_go(self, deliveries: Iterable[Delivery]) -> None:
        """Have some in hand no longer: they are settled, or come again."""
        since = self._since
        before = len(since)
        for delivery in deliveries:
            since.pop(id(delivery), None)
        self._ended += before - len(since)
        if self._places - len(since) >= self._least:
            self._room.set()
        if not since:
            self._empty.set()

    def clear(self) -> None:
        """Have none in hand any more."""
        self._since.clear()

    async def room(self, linger: float) -> int:
        """Give the free places: many at once where they come soon, so that receives stay few."""
        self._measure()
        if self._places - len(self._since) < self._least:
            self._room.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(linger):
                    await self._room.wait()
        return self._places - len(self._since)

    async def emptied(self, seconds: float) -> None:
        """Wait until there is none, so many seconds at most."""
        self._empty.clear()
        if self._since:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._empty.wait()

    @property
    def _least(self) -> int:
        return max(1, self._places // 4)

    def _measure(self) -> None:
        """Have as many places as are worked off in a while, within the bounds."""
        now = time.monotonic()
        passed = now - self._measured
        if passed >= _MEASURED:
            worked_off = int(self._ended / passed * _AHEAD)
            self._places = min(self._most, max(_SLOW, worked_off))
            self._ended, self._measured = 0, now
