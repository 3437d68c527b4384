"""Days, in the pattern that legacy writes them in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Final

from ...ports import Converter
from ..generate import Function
from .arguments import Arguments
from .pattern import DAY, MONTHS, Moment, Pattern
from .traits import Codes, Inline, Traits

__all__ = ["date", "day_of", "pattern_of"]

_QUICK: Final = ("YYYYMMDD", "YYYY-MM-DD")


class _Date:
    def __init__(self, pattern: Pattern) -> None:
        self._pattern = pattern
        self._expected = f"a day of the calendar as {pattern.text}"
        quick = pattern.text in _QUICK
        self.traits = Traits(
            type="date",
            inline=_inline(pattern, self.decode),
            inline_encode=_inline_encode(pattern.text, self.encode) if quick else None,
        )

    def decode(self, text: str) -> dt.date:
        moment = self._pattern.read(text)
        value = None if moment is None else day_of(moment, self._pattern)
        if value is None or self._written(value) != text:
            raise ValueError(self._expected)
        return value

    def encode(self, value: object) -> str:
        if type(value) is not dt.date:
            raise ValueError("a date")
        text = self._written(value)
        if text is None:
            raise ValueError(f"a year that {self._pattern.text} can tell")
        return text

    def _written(self, value: dt.date) -> str | None:
        yearday = value.timetuple().tm_yday
        return self._pattern.write(Moment(value.year, value.month, value.day, yearday))


def day_of(moment: Moment, pattern: Pattern) -> dt.date | None:
    """Give the day, None where the calendar has none such."""
    try:
        if "yearday" not in pattern.told:
            return dt.date(moment.year, moment.month, moment.day)
        value = dt.date(moment.year, 1, 1) + dt.timedelta(moment.yearday - 1)
    except (ValueError, OverflowError):
        return None
    return value if value.year == moment.year else None


def _inline(pattern: Pattern, decode: Callable[[str], object]) -> Inline | None:
    slices = pattern.slices
    if slices is None:
        return None

    def write(function: Function, name: str) -> str:
        if pattern.text == "YYYYMMDD":
            # The standard library takes weeks as well, with a W, and (in 3.11) ten bytes whose last
            # two it does not look at. Eight digits that it takes are these.
            check = f"len({name}) == 8 and {name}.isdigit()"
            read = function.constant(dt.date.fromisoformat)
            quick = f"{read}({name})"
        else:
            check = slices.check(function, name)
            quick = f"{function.constant(dt.date)}({slices.arguments(name)})"
        return f"({quick} if {check} else {function.constant(decode)}({name}))"

    return write


def _inline_encode(pattern: str, encode: Callable[[object], str]) -> Inline:
    tail = ".replace('-', '')" if pattern == "YYYYMMDD" else ""

    def write(function: Function, name: str) -> str:
        kind, careful = function.constant(dt.date), function.constant(encode)
        quick = f"{name}.isoformat(){tail}"
        return f"({quick} if type({name}) is {kind} else {careful}({name}))"

    return write


def pattern_of(left: Arguments, allowed: frozenset[str]) -> Pattern:
    """Take the pattern, ``pivot=N`` and ``months='…'``."""
    months = left.value("months")
    pivot = left.number("pivot", 0, 100)
    names = MONTHS if months is None else tuple(months.split(" "))
    return Pattern(left.first(), allowed, pivot=pivot, months=names)


def date(arguments: Sequence[str], codes: Codes) -> Converter:
    """``date(YYYYMMDD)``, ``date(DD.MM.YYYY)``, ``date(YYYYDDD)``: any order and dividers.

    ``date(YYMMDD, pivot=50)``: 50 to 99 are 1950 to 1999, 00 to 49 are 2000 to 2049. ``CYY`` counts
    years from 1900 in three digits. ``MMM`` is Jan to Dec, or what ``months='…'`` lists.
    """
    del codes
    left = Arguments(arguments, "one pattern, pivot=N or months='…'")
    pattern = pattern_of(left, DAY)
    left.done()
    if not pattern.told:
        raise ValueError("a pattern of YYYY, MM and DD, each once, such as YYYYMMDD")
    return _Date(pattern)
