"""How long committers wait, kept by one timer for all those of an event loop."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from .backlog import Item

__all__ = ["HELD", "Patience"]

HELD: Final = 2.0  # seconds that what the writer has in hand is waited for beyond patience

_LOOK: Final = 0.02  # seconds between two looks at those who wait
_GIVE_WAY: Final = 0.001  # and how long the loop stands still then


class Patience:
    """Calls ``give_up`` with each item that is not answered in time. Lives on one event loop.

    One that is not answered even by that, as the writer has it in hand, waits ``HELD`` seconds
    more, and goes to ``abandon`` then: a database that hangs must not hang those who wait.

    All wait equally long, so the first in is the first that is late. A timer for each of them
    would cost more than writing its line.

    A loop that is never idle can keep the writer thread from running at all: it takes the
    interpreter's lock again before the thread has woken up. So while somebody has waited for long,
    the loop gives way.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        seconds: float,
        give_up: Callable[[Item], None],
        abandon: Callable[[Item], None],
    ) -> None:
        self.loop = loop
        self.seconds = seconds
        self._give_up = give_up
        self._abandon = abandon
        self._waiting: deque[tuple[float, Item]] = deque()  # with the time at which it began
        self._held: deque[tuple[float, Item]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, item: Item) -> None:
        """Begin to wait for an item."""
        self._waiting.append((self.loop.time(), item))
        if self._timer is None:
            self._set_timer()

    def _look(self) -> None:
        self._timer = None
        self._forget_answered()
        now = self.loop.time()
        if self._waiting and now - self._waiting[0][0] >= _LOOK:
            time.sleep(_GIVE_WAY)
        while self._waiting and now - self._waiting[0][0] >= self.seconds:
            late = self._waiting.popleft()
            self._give_up(late[1])
            self._held.append(late)
            self._forget_answered()
        while self._held and _answered(self._held[0][1]):
            self._held.popleft()
        while self._held and now - self._held[0][0] >= self.seconds + HELD:
            self._abandon(self._held.popleft()[1])
        if self._waiting or self._held:
            self._set_timer()

    def _set_timer(self) -> None:
        self._timer = self.loop.call_later(min(_LOOK, self.seconds), self._look)

    def _forget_answered(self) -> None:
        waiting = self._waiting
        while waiting and _answered(waiting[0][1]):
            waiting.popleft()


def _answered(item: Item) -> bool:
    waiting = item.waiting
    return waiting is None or waiting.done()
