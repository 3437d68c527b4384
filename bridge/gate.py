"""A bound that several relays share: how many of their items at most are worked on at once."""

from __future__ import annotations

from typing import Final, Protocol

__all__ = ["Gate", "Waiter", "for_history"]

_KEPT_FREE: Final = 8
"""One of so many places is never given to history, so that what is new finds one."""


class Waiter(Protocol):
    """What waits for a place: a relay."""

    @property
    def part(self) -> float:
        """Say how many places it has, measured by its share."""

    def start(self) -> None:
        """Begin the next item, where there is one and room for it."""


def for_history(most: int) -> int:
    """Give how many of ``most`` places history may have."""
    return max(1, most - max(1, most // _KEPT_FREE))


class Gate:
    """Places of an endpoint, or of the whole process. Made by the app; lives on one event loop.

    A relay without a place waits, and while several wait, the next free place goes to the one that
    has the fewest for its share. ``busy`` of ``most`` places are taken, ``history`` of them by
    history.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.busy = 0
        self.history = 0
        self._waiting: dict[Waiter, None] = {}

    def has_place(self, waiter: Waiter) -> bool:
        """Say whether there is a place; where there is none, the waiter is told of the next."""
        if self.busy < self.most:
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

    def _offer(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for waiter in sorted(waiting, key=lambda one: one.part):
            if self.busy < self.most:
                waiter.start()
            else:
                self._waiting[waiter] = None
