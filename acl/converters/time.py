"""Times of day, in the pattern that legacy writes them in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from ...ports import Converter
from ..generate import Function
from .arguments import Arguments
from .date import pattern_of
from .pattern import TIME, Moment, Pattern
from .traits import Codes, Traits

__all__ = ["time", "time_of"]


class _Time:
    def __init__(self, pattern: Pattern) -> None:
        self._pattern = pattern
        self._expected = f"a time of day as {pattern.text}"
        quick = pattern.slices is not None
        self.traits = Traits(type="time", inline=self._inline if quick else None)

    def decode(self, text: str) -> dt.time:
        moment = self._pattern.read(text)
        value = None if moment is None else time_of(moment)
        if value is None or self._written(value) != text:
            raise ValueError(self._expected)
        return value

    def encode(self, value: object) -> str:
        if type(value) is not dt.time or value.tzinfo is not None:
            raise ValueError("a time of day without a zone")
        text = self._written(value)
        if text is None:
            raise ValueError(f"a time that {self._pattern.text} can tell")
        return text

    def _inline(self, function: Function, name: str) -> str:
        careful = f"{function.constant(self.decode)}({name})"
        slices = self._pattern.slices
        if slices is None:
            return careful
        value = f"{function.constant(dt.time)}({slices.arguments(name)})"
        return f"({value} if {slices.check(function, name)} else {careful})"

    def _written(self, value: dt.time) -> str | None:
        moment = Moment(
            hour=value.hour,
            minute=value.minute,
            second=value.second,
            microsecond=value.microsecond,
        )
        return self._pattern.write(moment)


def time_of(moment: Moment) -> dt.time | None:
    """Give the time of day, None where there is none such."""
    try:
        return dt.time(moment.hour, moment.minute, moment.second, moment.microsecond)
    except ValueError:
        return None


def time(arguments: Sequence[str], codes: Codes) -> Converter:
    """``time(HH:mm:ss)``, ``time(HHmmss)``, ``time(HH:mm:ss.fff)``, ``time(hh:mm a)``.

    A value with seconds, or parts of a second, that the pattern leaves out is refused.
    """
    del codes
    left = Arguments(arguments, "one pattern")
    pattern = pattern_of(left, TIME)
    left.done()
    if not pattern.told:
        raise ValueError("a pattern of HH, mm and ss, such as HHmmss")
    return _Time(pattern)
