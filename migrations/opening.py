"""A window of time: on which days it opens, from when to when, and never on a holiday."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

__all__ = ["DAYS", "Opening"]

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_AHEAD: Final = 400
"""Days that are looked at for the next opening."""


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """When something is allowed. One that closes at or before its opening closes a day later.

    ``days`` are numbers from Monday, 0. A window belongs to the day on which it opens: one from
    22:00 of a Friday goes on into a Saturday that is a holiday.
    """

    first: clock
    last: clock
    zone: ZoneInfo
    days: frozenset[int] = frozenset(range(7))
    holidays: frozenset[date] = frozenset()

    def closes(self, now: float) -> float | None:
        """Give when the window that is open at ``now`` closes; None where none is open.

        Times are in seconds since the epoch, so that a night with 23 or 25 hours is as long as it
        is.
        """
        ends = [end for begin, end in self._around(now, -1, 1) if begin <= now < end]
        return max(ends, default=None)

    def opens(self, now: float) -> float | None:
        """Give when it opens next after ``now``; None where it does not in a year."""
        found = (begin for begin, _ in self._around(now, -1, _AHEAD) if begin > now)
        return next(found, None)

    def local(self, at: float) -> str:
        """Write a moment as people of its zone read it."""
        return datetime.fromtimestamp(at, self.zone).strftime("%a %Y-%m-%d %H:%M %Z")

    def _around(self, now: float, first: int, last: int) -> Iterator[tuple[float, float]]:
        today = datetime.fromtimestamp(now, self.zone).date()
        for number in range(first, last + 1):
            day = today + timedelta(days=number)
            if day.weekday() in self.days and day not in self.holidays:
                after = day + timedelta(days=1) if self.last <= self.first else day
                yield self._at(day, self.first), self._at(after, self.last)

    def _at(self, day: date, at: clock) -> float:
        return datetime.combine(day, at, tzinfo=self.zone).astimezone(UTC).timestamp()
