"""How long committers wait, kept by one timer for all those of an event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from .backlog import Item

__all__ = ["Patience"]


class Patience:
    """Calls ``give_up`` with each item that is not answered in time. Lives on one event loop.

    All wait equally long, so the first in is the first that is late. A timer for each of them
    would cost more than writing its line.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, seconds: float, give_up: Callable[[Item], None]
    ) -> None:
        self.loop = loop
        self.seconds = seconds
        self._give_up = give_up
        self._waiting: deque[tuple[float, Item]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, item: Item) -> None:
        """Begin to wait for an item."""
        self._forget_answered()
        until = self.loop.time() + self.seconds
        self._waiting.append((until, item))
        if self._timer is None:
            self._timer = self.loop.call_at(until, self._look)

    def _look(self) -> None:
        self._timer = None
        self._forget_answered()
        while self._waiting and self._waiting[0][0] <= self.loop.time():
            _, item = self._waiting.popleft()
            if not _answered(item):
                self._give_up(item)
            self._forget_answered()
        if self._waiting:
            self._timer = self.loop.call_at(self._waiting[0][0], self._look)

    def _forget_answered(self) -> None:
        while self._waiting and _answered(self._waiting[0][1]):
            self._waiting.popleft()


def _answered(item: Item) -> bool:
    return item.future is None or item.future.done()
