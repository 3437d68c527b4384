"""Numbers and moments that are near enough to be the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Context, Decimal
from typing import Final

__all__ = ["Same", "near_moment", "near_number", "rounded"]

Same = Callable[[object, object], bool]
"""Says whether two values, neither of them None, are the same."""

_EXACT: Final = Context(prec=8_000)
"""More digits than a payload's number may have: nothing is rounded."""


def near_number(within: Decimal | None, relative: Decimal | None) -> Same:
    """Give the function for numbers: near by either of the two is near enough.

    The relative bound is one of the larger of the two, so that it is symmetric.
    """

    def same(one: object, other: object) -> bool:
        old, new = _number(one), _number(other)
        apart = abs(_EXACT.subtract(old, new))
        if within is not None and apart <= within:
            return True
        if relative is None:
            return False
        return apart <= _EXACT.multiply(relative, max(old.copy_abs(), new.copy_abs()))

    return same


def rounded(scale: int) -> Same:
    """Give the function for numbers that are the same at ``scale`` digits after the point."""
    unit = Decimal(1).scaleb(-scale)

    def same(one: object, other: object) -> bool:
        return _number(one).quantize(unit, context=_EXACT) == _number(other).quantize(
            unit, context=_EXACT
        )

    return same


def near_moment(bound: dt.timedelta) -> Same:
    """Give the function for days, times of a day, timestamps and durations."""

    def same(one: object, other: object) -> bool:
        return abs(_apart(one, other)) <= bound

    return same


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise TypeError(type(value).__name__)
    return Decimal(value)


def _apart(one: object, other: object) -> dt.timedelta:
    if isinstance(one, dt.time) and isinstance(other, dt.time):
        return _since_midnight(one) - _since_midnight(other)
    if isinstance(one, dt.datetime) and isinstance(other, dt.datetime):
        return one - other
    if isinstance(one, dt.datetime) or isinstance(other, dt.datetime):
        raise TypeError("a day and a timestamp")
    if isinstance(one, dt.date) and isinstance(other, dt.date):
        return one - other
    if isinstance(one, dt.timedelta) and isinstance(other, dt.timedelta):
        return one - other
    raise TypeError(type(one).__name__)


def _since_midnight(value: dt.time) -> dt.timedelta:
    return dt.timedelta(
        hours=value.hour,
        minutes=value.minute,
        seconds=value.second,
        microseconds=value.microsecond,
    )
