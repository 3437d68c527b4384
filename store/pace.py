"""How large the writer's next group is to be, and how long it is worth waiting for that."""

from __future__ import annotations

from typing import Final

__all__ = ["GROUP", "LONGEST", "Pace"]

GROUP: Final = 1_000
"""Lines in a transaction at most."""
LONGEST: Final = 0.002
"""Seconds that a group waits for more at most."""

_ASKING: Final = 6e-6  # seconds, about, in which an event loop asks for a line once it is told
_FEWEST: Final = 32  # lines in flight; fewer are never written by halves


class Pace:
    """Learns from every group. Used by the writer thread only.

    Those who wait ask again once they are told. Were they all in one group, either the event loop
    or the writer would stand still at any time. So where they are so many that the asking costs
    more than another commit, they go by halves: one is asked for while the other is written.
    """

    def __init__(self) -> None:
        self.target = 1
        """Lines that the next group is worth waiting for."""
        self.linger = LONGEST
        """Seconds that it may wait for them: no longer than a commit takes, of late. That would
        cost more than a commit for those who come too late: they fill the next group meanwhile."""
        self._apart = LONGEST  # seconds that a group costs beside its lines
        self._flight = 0.0  # lines that are asked for at the same time

    def limit(self, waiting: int) -> int:
        """Give how many lines to take of those that wait."""
        return GROUP if waiting > self._flight or not self._by_halves else self._half

    def learn(self, begin: float, commit: float) -> None:
        """Take in the seconds that a group's beginning and its commit took."""
        self.linger += (commit - self.linger) / 8
        self._apart += (begin + commit - self._apart) / 8

    def written(self, lines: int, waiting: int, *, awaited: bool) -> None:
        """Take in a group's lines, and those that wait behind it; whether somebody awaits them."""
        seen = lines + waiting if awaited else 0
        self._flight = max(seen, self._flight * 0.875)
        self.target = min(lines, self._half) if self._by_halves else lines

    @property
    def _by_halves(self) -> bool:
        return self._flight >= _FEWEST and self._flight * _ASKING > self._apart

    @property
    def _half(self) -> int:
        return int(self._flight + 1) // 2
