"""``needs = [{ gate = "window", from = "22:00", to = "05:00", zone = "Europe/Vienna" }]``."""

from __future__ import annotations

import datetime as dt
from datetime import time as clock
from typing import ClassVar, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from ...errors import ConfigError
from ..length import length
from ..opening import DAYS, Opening
from ..ports import Ctx, Met, Waiting
from ..span import Span, span_text

__all__ = ["Window"]

_AGAIN: Final = 30.0


class Window(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A window of time is open, and will be for ``left`` at least.

    ``days`` are those on which it opens (none named: all), never one of ``holidays``, nor of those
    in ``holidays_file`` (a day a line, ``2026-12-25``, and what follows on the line is for people).
    One whose ``to`` is at or before ``from`` closes the day after.
    """

    costly: ClassVar[bool] = False
    zone: str
    opens: str = msgspec.field(name="from")
    closes: str = msgspec.field(name="to")
    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = ()
    holidays: tuple[dt.date, ...] = ()
    holidays_file: str = ""
    left: Span = 0.0

    def __post_init__(self) -> None:
        """Hold the hours and the zone against what they can be."""
        length(self.left, "left")
        self._opening(())

    def asks(self) -> str:
        """Say what it asks for."""
        days = ", ".join(self.days) or "every day"
        text = f"{days} {self.opens} to {self.closes} {self.zone}"
        text += ", no holiday" if self.holidays or self.holidays_file else ""
        left = length(self.left, "left")
        return text + (f", with {span_text(left)} left" if left else "")

    def look(self, ctx: Ctx) -> Met | Waiting:
        """Look at the clock. Raises ``ConfigError`` for holidays that cannot be read."""
        opening = self._opening((*self.holidays, *self._read(ctx)))
        now, left = ctx.clock(), length(self.left, "left")
        closes = opening.closes(now)
        if closes is not None and closes - now >= left:
            return Met(found=f"open until {opening.local(closes)}")
        short = "" if closes is None else f": only {span_text(closes - now)} are left of this one"
        opens = opening.opens(now)
        if opens is None:
            return Waiting(reason="the window does not open within a year", missing=self.asks())
        return Waiting(
            reason=f"waits for its window{short}",
            missing=f"{span_text(opens - now)}, until {opening.local(opens)}",
            again_after=min(_AGAIN, max(0.1, opens - now)),
        )

    def _opening(self, holidays: tuple[dt.date, ...]) -> Opening:
        try:
            zone = ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"no time zone: {self.zone}; as in Europe/Vienna") from None
        try:
            first, last = clock.fromisoformat(self.opens), clock.fromisoformat(self.closes)
        except ValueError:
            raise ValueError(f"no times of day: {self.opens}, {self.closes}; as 22:00") from None
        if first.tzinfo is not None or last.tzinfo is not None:
            raise ValueError("the zone is said once, as zone")
        days = frozenset(DAYS.index(day) for day in self.days) or frozenset(range(7))
        return Opening(first=first, last=last, zone=zone, days=days, holidays=frozenset(holidays))

    def _read(self, ctx: Ctx) -> tuple[dt.date, ...]:
        if not self.holidays_file:
            return ()
        file, found = ctx.workspace.path(self.holidays_file), []
        try:
            lines = file.read_text("utf-8").splitlines()
            for line in lines:
                day = line.partition("#")[0].split(maxsplit=1)
                if day:
                    found.append(dt.date.fromisoformat(day[0]))
        except (OSError, ValueError) as error:
            # Without it a cut-over might begin on a holiday: it does not begin at all.
            raise ConfigError(
                f"holidays cannot be read: {error}",
                place=f"{ctx.step.place}: window.holidays_file",
                value=self.holidays_file,
                expected="a day a line, as 2026-12-25",
            ) from error
        return tuple(found)
