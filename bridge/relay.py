"""A queue that is worked off by as many tasks as it needs."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, Generic, TypeVar

from ..routing.guards.history import HISTORY
from .gate import Gate, for_history

__all__ = ["Relay"]

T = TypeVar("T")

_SPELL: Final = 0.002
"""Seconds after which a runner lets others on the loop have their turn, at the longest."""

_HISTORY_SPELL: Final = 0.00025
_OVERTAKE: Final = 8
"""After so many new items one of history has its turn."""


class Relay(Generic[T]):
    """Runs ``work`` on every item, begun in the order of the queue, on one event loop.

    A runner goes on from item to item; where its work has to wait, the next runner takes over. So
    work that never waits costs no task, and of work that waits ``most`` items are in progress at
    once, fewer where a gate that it shares with others has no place. ``share`` is its part of the
    loop, and of the gates' places, beside the others'. ``work`` deals with its errors itself.

    Items of history give way to new ones, but for every ninth; they never have all places.
    """

    def __init__(
        self,
        work: Callable[[T], Awaitable[None]],
        most: int,
        *,
        gates: Sequence[Gate] = (),
        share: int = 1,
    ) -> None:
        self.runners: set[asyncio.Task[None]] = set()
        self._work = work
        self._most = most
        self._gates = tuple(gates)
        self._share = share
        self._new: deque[T] = deque()
        self._history: deque[T] = deque()
        self._overtaken = 0
        self._busy_with_history = 0
        self._next: asyncio.Task[None] | None = None  # started, and not begun yet
        self._stands_at: Gate | None = None
        for gate in self._gates:
            gate.join(self)

    def __len__(self) -> int:
        """Say how many items are not begun."""
        return len(self._new) + len(self._history)

    @property
    def share(self) -> int:
        """Its part of the loop, and of the gates' places."""
        return self._share

    @share.setter
    def share(self, share: int) -> None:
        self._share = share
        for gate in self._gates:
            gate.join(self)

    @property
    def part(self) -> float:
        """Say how many places of a gate it has, measured by its share."""
        return len(self.runners) / self._share

    def wants(self, gate: Gate) -> bool:
        """Say whether it would begin another item if it had a place of this gate."""
        has_any = bool(self._new or self._history) and len(self.runners) < self._most
        return has_any and self._stands_at in (None, gate)

    @property
    def most(self) -> int:
        """How many items are in progress at once; 0 while it stands still."""
        return self._most

    @most.setter
    def most(self, most: int) -> None:
        self._most = most
        self.start()

    def put(self, item: T, *, history: bool = False) -> None:
        """Add an item at the end."""
        (self._history if history else self._new).append(item)
        self.start()

    def put_all(self, items: Iterable[T], *, history: Callable[[T], bool]) -> None:
        """Add items at the end, in their order."""
        for item in items:
            (self._history if history(item) else self._new).append(item)
        self.start()

    def put_first(self, item: T, *, history: bool = False) -> None:
        """Add an item before all others of its kind."""
        (self._history if history else self._new).appendleft(item)
        self.start()

    def take_back(self) -> list[T]:
        """Give the items that are not begun; they are forgotten here."""
        left = [*self._new, *self._history]
        self._new.clear()
        self._history.clear()
        return left

    def clear(self) -> None:
        """Forget every item that is not begun, and cancel those that are."""
        self.take_back()
        for runner in self.runners:
            runner.cancel()

    def start(self) -> None:
        """Begin the next item, where there is one and room for it."""
        if self._next is not None or not (self._new or self._history):
            return
        if len(self.runners) >= self._most or not (self._new or self._may_begin_history()):
            return
        self._stands_at = next((one for one in self._gates if not one.has_place(self)), None)
        if self._stands_at is not None:
            return
        for gate in self._gates:
            gate.busy += 1
        runner = self._next = asyncio.create_task(self._run())
        self.runners.add(runner)
        runner.add_done_callback(self._ended)

    def _may_begin_history(self) -> bool:
        return self._busy_with_history < for_history(self._most) and all(
            gate.has_place_for_history(self) for gate in self._gates
        )

    async def _run(self) -> None:
        self._next = None
        began, own = time.monotonic(), self._spell()
        while len(self.runners) <= self._most:
            if self._history and self._turn_of_history():
                self._overtaken = 0
                await self._run_history(self._history.popleft())
                spell = _HISTORY_SPELL
            elif self._new:
                item = self._new.popleft()
                self.start()
                await self._work(item)
                spell = own
            else:
                return
            if time.monotonic() - began > spell:
                return  # the next one goes on, after others on the loop

    def _spell(self) -> float:
        """Give how long a runner goes on: nobody longer than the one with the largest share."""
        largest = max((gate.largest_share for gate in self._gates), default=self._share)
        return max(_HISTORY_SPELL, _SPELL * self._share / largest)

    def _turn_of_history(self) -> bool:
        if self._new and self._overtaken < _OVERTAKE:
            self._overtaken += 1
            return False
        return self._may_begin_history()

    async def _run_history(self, item: T) -> None:
        self._busy_with_history += 1
        for gate in self._gates:
            gate.history += 1
        self.start()
        mark = HISTORY.set(True)
        try:
            await self._work(item)
        finally:
            HISTORY.reset(mark)
            self._busy_with_history -= 1
            for gate in self._gates:
                gate.leave_history()

    def _ended(self, runner: asyncio.Task[None]) -> None:
        self.runners.discard(runner)
        if runner is self._next:
            self._next = None  # cancelled before it began
        for gate in self._gates:
            gate.leave(self)
        self.start()
