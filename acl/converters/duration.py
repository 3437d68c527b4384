"""Lengths of time: counts, clock faces, ISO 8601."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Final

from ...ports import Converter
from .arguments import Arguments
from .traits import Codes, Traits

__all__ = ["duration"]

_UNITS: Final = {
    "milliseconds": dt.timedelta(milliseconds=1),
    "seconds": dt.timedelta(seconds=1),
    "minutes": dt.timedelta(minutes=1),
    "hours": dt.timedelta(hours=1),
    "days": dt.timedelta(days=1),
}
_WHOLE: Final = re.compile(r"0|-?[1-9][0-9]{0,19}")
_SPLIT: Final = re.compile("(HH|mm|ss|fff)")
_ISO: Final = re.compile(
    r"(?P<sign>-?)P(?:(?P<weeks>[0-9]{1,9})W|(?:(?P<days>[0-9]{1,9})D)?(?:T(?=[0-9])"
    r"(?:(?P<hours>[0-9]{1,9})H)?(?:(?P<minutes>[0-9]{1,12})M)?"
    r"(?:(?P<seconds>[0-9]{1,12})(?:\.(?P<fraction>[0-9]{1,6}))?S)?)?)"
)
_LARGEST: Final = "a length of at most 999999999 days"


class _Count:
    def __init__(self, name: str, unit: dt.timedelta) -> None:
        self._name = name
        self._unit = unit
        self.traits = Traits(type="duration")

    def decode(self, text: str) -> dt.timedelta:
        if _WHOLE.fullmatch(text) is None:
            raise ValueError(f"a whole number of {self._name}")
        try:
            return int(text) * self._unit
        except OverflowError:
            raise ValueError(_LARGEST) from None

    def encode(self, value: object) -> str:
        count, rest = divmod(_length(value), self._unit)
        if rest:
            raise ValueError(f"whole {self._name}")
        return str(count)


class _Clock:
    """Hours without an end, then minutes and seconds: ``36:05:00``."""

    def __init__(self, pattern: str) -> None:
        pieces = _SPLIT.split(pattern)
        tokens = pieces[1::2]
        if tokens not in (["HH", "mm"], ["HH", "mm", "ss"], ["HH", "mm", "ss", "fff"]) or (
            any(re.search("[A-Za-z0-9]", literal) for literal in pieces[::2])
        ):
            raise ValueError("seconds, minutes, hours, days, iso, HH:mm, HH:mm:ss or HHmmss")
        self._text = pattern
        self._finest = {"mm": 60_000, "ss": 1000, "fff": 1}[tokens[-1]]
        groups = {"HH": "([0-9]{2,9})", "mm": "([0-5][0-9])", "ss": "([0-5][0-9])"}
        self._pattern = re.compile(
            "(-?)" + "".join(groups.get(one) or _literal(one) for one in pieces)
        )
        self._pieces = pieces
        self.traits = Traits(type="duration")

    def decode(self, text: str) -> dt.timedelta:
        found = self._pattern.fullmatch(text)
        if found is None:
            raise ValueError(f"a length as {self._text}")
        sign, *numbers = found.groups()
        value = dt.timedelta()
        for unit, number in zip(("hours", "minutes", "seconds", "millis"), numbers, strict=False):
            value += _UNITS.get(unit, _UNITS["milliseconds"]) * int(number)
        value = -value if sign else value
        if self.encode(value) != text:
            raise ValueError(f"a length as {self._text}")
        return value

    def encode(self, value: object) -> str:
        length = _length(value)
        millis, rest = divmod(abs(length), _UNITS["milliseconds"])
        if rest or millis % self._finest:
            raise ValueError(f"a length that {self._text} can tell")
        told = {
            "HH": f"{millis // 3_600_000:02d}",
            "mm": f"{millis // 60_000 % 60:02d}",
            "ss": f"{millis // 1000 % 60:02d}",
            "fff": f"{millis % 1000:03d}",
        }
        text = "".join(told.get(piece, piece) for piece in self._pieces)
        return f"-{text}" if length < dt.timedelta() else text


class _Iso:
    def __init__(self, lax: bool) -> None:
        self._lax = lax
        self.traits = Traits(type="duration")

    def decode(self, text: str) -> dt.timedelta:
        found = _ISO.fullmatch(text)
        if found is None or text.endswith("P"):
            raise ValueError(
                "a length as P1DT2H30M or PT90S; months and years have no length of their own"
            )
        parts = {name: int(found[name] or 0) for name in ("weeks", "days", "hours", "minutes")}
        micros = int((found["fraction"] or "").ljust(6, "0"))
        try:
            value = dt.timedelta(**parts, seconds=int(found["seconds"] or 0), microseconds=micros)
        except OverflowError:
            raise ValueError(_LARGEST) from None
        value = -value if found["sign"] else value
        if not self._lax and self.encode(value) != text:
            raise ValueError(f"{self.encode(value)} (duration(iso, lax) takes other ways)")
        return value

    def encode(self, value: object) -> str:
        length = _length(value)
        sign = "-" if length < dt.timedelta() else ""
        length = abs(length)
        hours, left = divmod(length.seconds, 3600)
        minutes, seconds = divmod(left, 60)
        clock = f"{hours}H" * bool(hours) + f"{minutes}M" * bool(minutes)
        fraction = f".{length.microseconds:06d}".rstrip("0") if length.microseconds else ""
        if seconds or fraction:
            clock += f"{seconds}{fraction}S"
        days = f"{length.days}D" * bool(length.days)
        if not days and not clock:
            return "PT0S"
        return f"{sign}P{days}" + (f"T{clock}" if clock else "")


def _literal(piece: str) -> str:
    return "([0-9]{3})" if piece == "fff" else re.escape(piece)


def _length(value: object) -> dt.timedelta:
    if type(value) is not dt.timedelta:
        raise ValueError("a length of time")
    return value


def duration(arguments: Sequence[str], codes: Codes) -> Converter:
    """``duration(seconds)``, ``duration(HH:mm:ss)``, ``duration(iso)``.

    Counts: ``milliseconds``, ``seconds``, ``minutes``, ``hours``, ``days``. On a clock face the
    hours have two digits or more. ``iso`` takes what it writes (P1DT2H30M); ``duration(iso, lax)``
    other ways too (PT26H30M, P2W).
    """
    del codes
    left = Arguments(arguments, "one form, and lax beside iso")
    form = left.first()
    lax = form == "iso" and left.flag("lax")
    left.done()
    if form == "iso":
        return _Iso(lax)
    unit = _UNITS.get(form)
    return _Clock(form) if unit is None else _Count(form, unit)
