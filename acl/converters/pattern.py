"""Patterns of days and times, as legacy writes them: ``YYYYMMDD``, ``DD.MM.YY HH:mm``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from .slices import slices_of

__all__ = ["DAY", "MONTHS", "TIME", "Moment", "Pattern"]

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class _Token(NamedTuple):
    """``part`` is what it tells, ``pattern`` what it looks like, ``form`` how it is written."""

    part: str
    pattern: str
    form: str


_TOKENS: Final[Mapping[str, _Token]] = {
    "YYYY": _Token("year", "[0-9]{4}", "{0:04d}"),
    "YY": _Token("short", "[0-9]{2}", "{1:02d}"),
    "CYY": _Token("century", "[0-9]{3}", "{2:03d}"),
    "MMM": _Token("name", "", "{3}"),
    "MM": _Token("month", "[0-9]{2}", "{4:02d}"),
    "M": _Token("month", "[1-9][0-9]?", "{4:d}"),
    "DDD": _Token("yearday", "[0-9]{3}", "{5:03d}"),
    "DD": _Token("day", "[0-9]{2}", "{6:02d}"),
    "D": _Token("day", "[1-9][0-9]?", "{6:d}"),
    "HH": _Token("hour", "[0-9]{2}", "{7:02d}"),
    "hh": _Token("twelve", "(?:0[1-9]|1[0-2])", "{8:02d}"),
    "a": _Token("half", "[AP]M", "{9}"),
    "mm": _Token("minute", "[0-9]{2}", "{10:02d}"),
    "ss": _Token("second", "[0-9]{2}", "{11:02d}"),
    "Z": _Token("offset", "(?:Z|[+-][0-9]{2}:[0-9]{2})", "{12}"),
}
_SPLIT: Final = re.compile("(YYYY|CYY|YY|MMM|MM|M|DDD|DD|D|HH|hh|a|mm|ss|f{1,6}|Z)")
_LITERAL: Final = re.compile(r"[^A-Za-z0-9]*T?[^A-Za-z0-9]*")
DAY: Final = frozenset(("year", "short", "century", "name", "month", "yearday", "day"))
TIME: Final = frozenset(("hour", "twelve", "half", "minute", "second", "fraction"))


class Moment(msgspec.Struct):
    """What a text told. ``offset`` is in minutes, None where the pattern has none."""

    year: int = 1
    month: int = 1
    day: int = 1
    yearday: int = 0
    hour: int = 0
    minute: int = 0
    second: int = 0
    microsecond: int = 0
    offset: int | None = None


class Pattern:
    """One pattern, compiled. ``told`` are its parts, ``slices`` a quicker way to read them.

    ``pivot``: a year of two digits from it on is of the last century, one before it of this one.
    Raises ``ValueError`` where it is no pattern, tells a part twice or tells of parts other than
    ``allowed``.
    """

    def __init__(
        self,
        text: str,
        allowed: frozenset[str],
        *,
        pivot: int | None = None,
        months: tuple[str, ...] = MONTHS,
    ) -> None:
        self.text = text
        self._pivot = pivot
        self._months = months
        self._numbers = {name: number for number, name in enumerate(months, 1)}
        self._parts: list[str] = []
        self._digits = 0
        if len(months) != 12 or len(set(months)) != 12 or not all(months):
            raise ValueError("months='…' with twelve names that differ, blanks between")
        pieces = _SPLIT.split(text)
        if not all(_LITERAL.fullmatch(piece) for piece in pieces[::2]):
            raise ValueError(
                "a pattern of YYYY YY CYY MM MMM M DD D DDD HH hh a mm ss f Z and marks between"
            )
        self._pattern = re.compile("".join(self._regex(*p) for p in _pairs(pieces)))
        self._form = "".join(self._written(*p) for p in _pairs(pieces))
        self.told = frozenset(self._parts)
        parts = iter(self._parts)
        self.slices = slices_of([(next(parts) if told else "", p) for p, told in _pairs(pieces)])
        self._check(allowed)

    def _regex(self, piece: str, is_token: bool) -> str:
        if not is_token:
            return re.escape(piece)
        if piece.startswith("f"):
            self._parts.append("fraction")
            self._digits = len(piece)
            return f"([0-9]{{{len(piece)}}})"
        token = _TOKENS[piece]
        self._parts.append(token.part)
        if token.part == "name":
            return "(" + "|".join(map(re.escape, self._months)) + ")"
        return f"({token.pattern})"

    @staticmethod
    def _written(piece: str, is_token: bool) -> str:
        if not is_token:
            return piece.replace("{", "{{").replace("}", "}}")
        return f"{{13:0{len(piece)}d}}" if piece.startswith("f") else _TOKENS[piece].form

    def _check(self, allowed: frozenset[str]) -> None:
        if len(self._parts) != len(self.told) or not self.told <= allowed:
            raise ValueError("a pattern that tells each part once, and no other parts")
        if self.told & DAY and not (
            len(self.told & {"year", "short", "century"}) == 1
            and (self.told & DAY) - {"year", "short", "century"}
            in ({"month", "day"}, {"name", "day"}, {"yearday"})
        ):
            raise ValueError("a year, and a month with a day or DDD, such as YYYYMMDD")
        if self.told & TIME and not (
            self.told & {"hour", "twelve", "half"} in ({"hour"}, {"twelve", "half"})
            and ("second" not in self.told or "minute" in self.told)
            and ("fraction" not in self.told or "second" in self.told)
        ):
            raise ValueError("HH (or hh with a), then mm, ss and f, such as HHmmss")
        if "short" in self.told and self._pivot is None:
            raise ValueError(
                "YYYY, MM and DD; or pivot=N beside YY: from N on it is 19YY, below 20YY"
            )
        if "short" not in self.told and self._pivot is not None:
            raise ValueError("pivot=N only beside YY")

    def read(self, text: str) -> Moment | None:
        """Give what a text tells, None where it is not of this pattern. Nothing is checked yet."""
        found = self._pattern.fullmatch(text)
        if found is None:
            return None
        moment = Moment()
        for part, told in zip(self._parts, found.groups(), strict=True):
            self._tell(moment, part, told)
        if {"twelve", "half"} <= self.told:
            moment.hour = moment.hour % 12 + (12 if "PM" in found.groups() else 0)
        return moment

    def _tell(self, moment: Moment, part: str, text: str) -> None:
        if part == "short":
            moment.year = self.short(int(text))
        elif part == "century":
            moment.year = 1900 + int(text)
        elif part == "name":
            moment.month = self._numbers[text]
        elif part == "twelve":
            moment.hour = int(text)
        elif part == "fraction":
            moment.microsecond = int(text.ljust(6, "0"))
        elif part == "offset":
            moment.offset = _minutes(text)
        elif part != "half":
            setattr(moment, part, int(text))

    def write(self, moment: Moment) -> str | None:
        """Give the text, None where the pattern cannot hold the moment."""
        year = moment.year
        told = self.told
        if "short" in told and self.short(year % 100) != year:
            return None
        if "century" in told and not 1900 <= year <= 2899:
            return None
        tail = 10 ** (6 - self._digits)
        fraction, lost = divmod(moment.microsecond, tail)
        lost += moment.second * ("second" not in told) + moment.minute * ("minute" not in told)
        if lost and told & TIME:
            return None
        return self._form.format(
            year,
            year % 100,
            max(year - 1900, 0),
            self._months[moment.month - 1],
            moment.month,
            moment.yearday,
            moment.day,
            moment.hour,
            (moment.hour - 1) % 12 + 1,
            "PM" if moment.hour >= 12 else "AM",
            moment.minute,
            moment.second,
            _offset(moment.offset),
            fraction,
        )

    def short(self, year: int) -> int:
        """Give the year that two digits mean."""
        return year + (1900 if self._pivot is not None and year >= self._pivot else 2000)


def _pairs(pieces: list[str]) -> list[tuple[str, bool]]:
    return [(piece, number % 2 == 1) for number, piece in enumerate(pieces)]


def _offset(minutes: int | None) -> str:
    if not minutes:
        return "Z"
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _minutes(text: str) -> int:
    if text == "Z":
        return 0
    minutes = int(text[1:3]) * 60 + int(text[4:6])
    return -minutes if text[0] == "-" else minutes
