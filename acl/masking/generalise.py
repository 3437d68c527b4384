"""A value made coarser, so that it says less of anybody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

from .rule import Rule
from .token import MARK

__all__ = ["generaliser"]

_EXACT: Final = Context(prec=200, rounding=ROUND_HALF_EVEN)
_LENGTHS: Final = {"year": 4, "month": 7, "day": 10, "hour": 13}


def generaliser(rule: Rule) -> Callable[[object], object]:
    """Give the function that makes a value coarser; None is what it gives where none can be.

    Dates become text (``"1984"``, ``"1984-05"``); numbers stay numbers, rounded to one significant
    digit (and at least to tens) or as ``round`` says, or become the text of their ``band``; of a
    text the first characters stay, never more than half. Booleans, bytes and groups have nothing
    coarser.
    """
    band = Decimal(rule.band) if rule.band else None
    width = Decimal(rule.round) if rule.round else None

    def coarser(value: object) -> object:
        if isinstance(value, str):
            return _prefix(value, rule.prefix)
        if isinstance(value, bool):
            return None
        if isinstance(value, int | Decimal):
            try:
                return _number(value, band, width)
            except ArithmeticError:  # a width that is absurdly small for it
                return None
        if isinstance(value, dt.date):
            return _stamp(value, rule.to)
        if isinstance(value, dt.time):
            return f"{value.hour:02d}"
        return None

    return coarser


def _prefix(text: str, prefix: int) -> str:
    kept = text[: min(prefix, len(text) // 2)]
    return kept.replace(MARK, "") + "…"


def _stamp(value: dt.date, to: str) -> str:
    if not isinstance(value, dt.datetime) and to == "hour":
        to = "day"
    return value.isoformat()[: _LENGTHS[to]]


def _number(value: int | Decimal, band: Decimal | None, width: Decimal | None) -> object:
    exact = Decimal(value)
    if not exact.is_finite() or exact.adjusted() > 40:
        return None
    if band is not None:
        low = _EXACT.multiply(_EXACT.divide_int(exact, band), band)
        low = low if low <= exact else _EXACT.subtract(low, band)
        return f"{_plain(low)}..{_plain(_EXACT.add(low, band))}"
    if width is None:  # a single digit would stay what it is: tens are the least
        width = Decimal(1).scaleb(max(exact.adjusted(), 1))
    whole = _EXACT.divide(exact, width).to_integral_value(ROUND_HALF_EVEN, _EXACT)
    found = _EXACT.multiply(whole, width)
    if isinstance(value, int):
        return int(found)
    return Decimal(_plain(found))


def _plain(value: Decimal) -> str:
    return format(value or Decimal(0), "f")  # never -0
