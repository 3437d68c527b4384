"""A queue that is worked off by as many tasks as it needs."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

__all__ = ["Relay"]

T = TypeVar("T")

_SPELL: Final = 0.002
"""Seconds after which a runner lets others on the loop have their turn."""


class Relay(Generic[T]):
    """Runs ``work`` on every item, begun in the order of the queue, on one event loop.

    A runner goes on from item to item; where its work has to wait, the next runner takes over. So
    work that never waits costs no task, and of work that waits ``most`` items are in progress at
    once. ``work`` deals with its errors itself.
    """

    def __init__(self, work: Callable[[T], Awaitable[None]], most: int) -> None:
        self.runners: set[asyncio.Task[None]] = set()
        self._work = work
        self._most = most
        self._queue: deque[T] = deque()
        self._next: asyncio.Task[None] | None = None  # started, and not begun yet

    def put(self, item: T) -> None:
        """Add an item at the end."""
        self._queue.append(item)
        self._start()

    def put_first(self, item: T) -> None:
        """Add an item before all others."""
        self._queue.appendleft(item)
        self._start()

    def clear(self) -> None:
        """Forget every item that is not begun, and cancel those that are."""
        self._queue.clear()
        for runner in self.runners:
            runner.cancel()

    def _start(self) -> None:
        if self._queue and self._next is None and len(self.runners) < self._most:
            runner = self._next = asyncio.create_task(self._run())
            self.runners.add(runner)
            runner.add_done_callback(self._ended)

    async def _run(self) -> None:
        self._next = None
        until = time.monotonic() + _SPELL
        while self._queue:
            item = self._queue.popleft()
            self._start()
            await self._work(item)
            if time.monotonic() > until:
                return  # the next one goes on, after others on the loop

    def _ended(self, runner: asyncio.Task[None]) -> None:
        self.runners.discard(runner)
        if runner is self._next:
            self._next = None  # cancelled before it began
        self._start()
