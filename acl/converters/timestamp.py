"""Points in time: patterns with or without a zone, ISO 8601, seconds since the epoch."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Final

from ...ports import Converter
from ..generate import Function
from .arguments import Arguments
from .date import day_of, pattern_of
from .pattern import DAY, TIME, Moment, Pattern
from .time import time_of
from .traits import Codes, Traits
from .zone import Zone, parse_zone

__all__ = ["timestamp"]

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_UNITS: Final = {
    "epoch": dt.timedelta(seconds=1),
    "epoch_millis": dt.timedelta(milliseconds=1),
    "epoch_micros": dt.timedelta(microseconds=1),
}
_WHOLE: Final = re.compile(r"0|-?[1-9][0-9]{0,19}")
_ISO: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{3}|\.[0-9]{6})?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?"
)


class _Patterned:
    def __init__(self, pattern: Pattern, zone: Zone | None) -> None:
        self._pattern = pattern
        self._zone = zone
        self._expected = f"a time as {pattern.text}"
        quick = pattern.slices is not None
        self.traits = Traits(type="timestamp", inline=self._inline if quick else None)

    def decode(self, text: str) -> dt.datetime:
        moment = self._pattern.read(text)
        day = None if moment is None else day_of(moment, self._pattern)
        time = None if moment is None else time_of(moment)
        if moment is None or day is None or time is None:
            raise ValueError(self._expected)
        value = dt.datetime.combine(day, time)
        if moment.offset is not None:
            if abs(moment.offset) >= 24 * 60:
                raise ValueError(self._expected)
            value = value.replace(tzinfo=_fixed(moment.offset))
        if self._written(value) != text:
            raise ValueError(self._expected)
        return value if self._zone is None else self._zone.instant(value)

    def encode(self, value: object) -> str:
        local = _stamp(value)
        if self._zone is not None:
            if local.tzinfo is None:
                raise ValueError("a timestamp with a zone")
            local = self._zone.local(local)
        elif (local.tzinfo is None) == ("offset" in self._pattern.told):
            wanted = "a" if local.tzinfo is None else "no"
            raise ValueError(f"a timestamp with {wanted} zone")
        text = self._written(local)
        if text is None:
            raise ValueError(f"a time that {self._pattern.text} can tell")
        return text

    def _inline(self, function: Function, name: str) -> str:
        slices = self._pattern.slices
        if slices is None:
            return f"{function.constant(self.decode)}({name})"
        value = f"{function.constant(dt.datetime)}({slices.arguments(name)})"
        if self._zone is not None:
            value = f"{function.constant(self._zone.instant)}({value})"
        check = slices.check(function, name)
        return f"({value} if {check} else {function.constant(self.decode)}({name}))"

    def _written(self, value: dt.datetime) -> str | None:
        offset = value.utcoffset()
        if offset is not None and offset % dt.timedelta(minutes=1):
            return None
        return self._pattern.write(
            Moment(
                value.year,
                value.month,
                value.day,
                value.timetuple().tm_yday,
                value.hour,
                value.minute,
                value.second,
                value.microsecond,
                None if offset is None else offset // dt.timedelta(minutes=1),
            )
        )


class _Iso:
    def __init__(self, zone: Zone | None, lax: bool) -> None:
        self._zone = zone
        self._lax = lax
        self._expected = "a time as 2024-02-29T10:00:00Z, with .fff or .ffffff where there are any"
        if lax:
            self._expected = "a time in ISO 8601"
        quick = zone is None and not lax
        self.traits = Traits(type="timestamp", inline=self._inline if quick else None)

    def decode(self, text: str) -> dt.datetime:
        if not self._lax and not _ISO.fullmatch(text):
            raise ValueError(self._expected)
        try:
            value = dt.datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(self._expected) from None
        if self._zone is not None and value.tzinfo is None:
            if self._lax or _iso(value) == text:
                return self._zone.instant(value)
            raise ValueError(self._expected)
        if self._zone is not None and not self._lax:
            raise ValueError("a local time without a zone")
        if not self._lax and _iso(value) != text:
            raise ValueError(self._expected)
        return value

    def _inline(self, function: Function, name: str) -> str:
        careful = f"{function.constant(self.decode)}({name})"
        slices = Pattern("YYYY-MM-DDTHH:mm:ss", DAY | TIME).slices
        if slices is None:
            return careful
        # Whole seconds in UTC: what is written most often.
        utc = slices._replace(marks=(*slices.marks, (slices.length, "Z")), length=20)
        check, zone = utc.check(function, name), function.constant(dt.UTC)
        made = f"{function.constant(dt.datetime)}({utc.arguments(name)}, tzinfo={zone})"
        return f"({made} if {check} else {careful})"

    def encode(self, value: object) -> str:
        stamp = _stamp(value)
        if self._zone is None:
            return _iso(stamp)
        if stamp.tzinfo is None:
            raise ValueError("a timestamp with a zone")
        return _iso(self._zone.local(stamp))


class _Epoch:
    def __init__(self, unit: dt.timedelta) -> None:
        self._unit = unit
        self.traits = Traits(type="timestamp")

    def decode(self, text: str) -> dt.datetime:
        if _WHOLE.fullmatch(text) is None:
            raise ValueError("a whole number, counted from 1970-01-01T00:00:00Z")
        try:
            return _EPOCH + int(text) * self._unit
        except OverflowError:
            raise ValueError("a time of the years 1 to 9999") from None

    def encode(self, value: object) -> str:
        stamp = _stamp(value)
        if stamp.tzinfo is None:
            raise ValueError("a timestamp with a zone")
        count, rest = divmod(stamp - _EPOCH, self._unit)
        if rest:
            raise ValueError(f"a timestamp in steps of {self._unit.total_seconds():g} s")
        return str(count)


def _stamp(value: object) -> dt.datetime:
    if type(value) is not dt.datetime:
        raise ValueError("a timestamp")
    return value


def _fixed(minutes: int) -> dt.timezone:
    return dt.timezone(dt.timedelta(minutes=minutes)) if minutes else dt.UTC


def _iso(value: dt.datetime) -> str:
    offset = value.utcoffset()
    if offset is not None and offset % dt.timedelta(minutes=1):
        raise ValueError("a zone of whole minutes")
    micros = value.microsecond
    spec = "seconds" if not micros else "microseconds" if micros % 1000 else "milliseconds"
    text = value.isoformat("T", spec)
    return f"{text[:-6]}Z" if offset is not None and not offset else text


def timestamp(arguments: Sequence[str], codes: Codes) -> Converter:
    """``timestamp(YYYYMMDDHHmmss, zone=Europe/Berlin)``, ``timestamp(iso)``, ``timestamp(epoch)``.

    With ``zone`` legacy's text is local time there, and the value an instant in UTC. A time that
    came twice or never, when the clocks were changed, is refused; ``fold=earlier``, ``fold=later``
    and ``gap=forward`` take it. A ``Z`` in the pattern is the offset itself. With neither, the
    value has no zone. ``iso`` takes what it writes; ``timestamp(iso, lax)`` all of ISO 8601.
    ``epoch``, ``epoch_millis`` and ``epoch_micros`` count from 1970 in UTC.
    """
    del codes
    left = Arguments(arguments, "a pattern, iso or epoch, then zone=, fold=, gap=, pivot= or lax")
    unit = left.choice(_UNITS)
    if unit is not None:
        left.done()
        return _Epoch(unit)
    zone = _zone(left)
    if left.flag("iso"):
        lax = left.flag("lax")
        left.done()
        return _Iso(zone, lax)
    pattern = pattern_of(left, DAY | TIME | {"offset"})
    left.done()
    if not (pattern.told & DAY and pattern.told & TIME):
        raise ValueError("a pattern of a day and a time, such as YYYYMMDDHHmmss")
    if zone is not None and "offset" in pattern.told:
        raise ValueError("either zone= or Z in the pattern")
    return _Patterned(pattern, zone)


def _zone(left: Arguments) -> Zone | None:
    name, fold, gap = left.value("zone"), left.value("fold"), left.value("gap")
    if name is None:
        if fold is not None or gap is not None:
            raise ValueError("fold= and gap= beside zone=")
        return None
    if fold not in (None, "earlier", "later"):
        raise ValueError("fold=earlier or fold=later")
    if gap not in (None, "forward"):
        raise ValueError("gap=forward")
    return parse_zone(name, fold=fold, forward=gap is not None)  # type: ignore[arg-type]
