"""A bound that several relays share: how many of their items at most are worked on at once."""

from __future__ import annotations

from typing import Final, Protocol
from weakref import WeakSet

__all__ = ["Gate", "Waiter", "for_history"]

_KEPT_FREE: Final = 8
"""One of so many places is never given to history, so that what is new finds one."""


class Waiter(Protocol):
    """What waits for a place: a relay."""

    @property
    def share(self) -> int:
        """Its part of the places, beside the others'."""

    @property
    def part(self) -> float:
        """Say how many places it has, measured by its share."""

    def wants(self, gate: Gate) -> bool:
        """Say whether it would begin another item if it had a place of this gate."""

    def start(self) -> None:
        """Begin the next item, where there is one and room for it."""


def for_history(most: int) -> int:
    """Give how many of ``most`` places history may have."""
    return max(1, most - max(1, most // _KEPT_FREE))


class Gate:
    """Places of an endpoint, or of the whole process. Made by the app; lives on one event loop.

    A relay without a place waits, and while several wait, the next free place goes to the one that
    has the fewest for its share. Where places become scarce, nobody takes more than its part of
    them as long as another one wants what is still missing of its own. ``busy`` of ``most`` places
    are taken, ``history`` of them by history. ``largest_share`` is that of all who share it.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.busy = 0
        self.history = 0
        self.largest_share = 1
        self._members: WeakSet[Waiter] = WeakSet()
        self._waiting: dict[Waiter, None] = {}

    def join(self, waiter: Waiter) -> None:
        """Have one share the places. Called as it is made, and when its share is another."""
        self._members.add(waiter)
        self.largest_share = max(one.share for one in self._members)

    def has_place(self, waiter: Waiter) -> bool:
        """Say whether there is a place; where there is none, the waiter is told of the next."""
        if self.busy < self.most and (2 * self.busy < self.most or self._may_have(waiter)):
            return True
        self._waiting[waiter] = None
        return False

    def has_place_for_history(self, waiter: Waiter) -> bool:
        """Do as ``has_place``, for an item that gives way to what is new."""
        if self.history < for_history(self.most):
            return True
        self._waiting[waiter] = None
        return False

    def leave(self, waiter: Waiter) -> None:
        """Give a place back."""
        self.busy -= 1
        if self._waiting:
            self._waiting[waiter] = None  # it may want it again, and has no claim to it
            self._offer()

    def leave_history(self) -> None:
        """Say that an item of history ended; its place may go to another one."""
        self.history -= 1
        if self._waiting:
            self._offer()

    def _may_have(self, waiter: Waiter) -> bool:
        """Say whether it has less than its part, or nobody misses any of his."""
        wanting = [one for one in self._members if one is not waiter and one.wants(self)]
        if not wanting:
            return True
        part = self.most / (waiter.share + sum(one.share for one in wanting))
        return waiter.part < part or all(one.part >= part for one in wanting)

    def _offer(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for waiter in sorted(waiting, key=lambda one: one.part):
            if self.busy < self.most:
                waiter.start()
            else:
                self._waiting[waiter] = None
