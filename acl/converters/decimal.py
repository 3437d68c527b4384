"""Decimal numbers, exact to the last digit; never through a float."""

from __future__ import annotations

import decimal as exact
import re
from collections.abc import Sequence
from typing import Final

from ...ports import Converter
from .traits import Codes, Traits, refuse_arguments

__all__ = ["decimal"]

_MOST: Final = 38
_ROUNDINGS: Final = {
    "half_up": exact.ROUND_HALF_UP,
    "half_even": exact.ROUND_HALF_EVEN,
    "down": exact.ROUND_DOWN,
    "up": exact.ROUND_UP,
    "floor": exact.ROUND_FLOOR,
    "ceiling": exact.ROUND_CEILING,
}


class _Decimal:
    def __init__(self, digits: int, lax: bool, rounding: str | None) -> None:
        whole = r"[0-9]{1,38}" if lax or rounding else r"(?:0|[1-9][0-9]{0,37})"
        sign = "[+-]?" if lax else "-?"
        fraction = rf"\.[0-9]{{{digits}}}" if digits else ""
        if lax:
            fraction = rf"(?:\.[0-9]{{0,{digits}}})?"
        if rounding:
            fraction = rf"(?:\.[0-9]{{0,{_MOST}}})?"
        self._pattern = re.compile(sign + whole + fraction)
        self._digits = digits
        self._unit = exact.Decimal(1).scaleb(-digits)
        traps = [exact.InvalidOperation] if rounding else [exact.InvalidOperation, exact.Inexact]
        self._context = exact.Context(
            prec=2 * _MOST + 2, rounding=rounding or exact.ROUND_HALF_EVEN, traps=traps
        )
        self._expected = (
            f"a number with {digits} digits after the point (decimal({digits}, lax) takes fewer)"
        )
        if lax or rounding:
            self._expected = (
                f"a number with at most {_MOST if rounding else digits} digits after the point"
            )
        self._rounds = lax or rounding is not None
        self.traits = Traits(type="decimal")

    def decode(self, text: str) -> exact.Decimal:
        if self._pattern.fullmatch(text) is None:
            raise ValueError(self._expected)
        value = exact.Decimal(text)
        return value.quantize(self._unit, context=self._context) if self._rounds else value

    def encode(self, value: object) -> str:
        if type(value) is int:
            value = exact.Decimal(value)
        if not isinstance(value, exact.Decimal) or not value.is_finite():
            raise ValueError("a finite Decimal")
        if value.adjusted() >= _MOST:
            raise ValueError(f"at most {_MOST} digits before the point")
        try:
            return format(value.quantize(self._unit, context=self._context), "f")
        except (exact.Inexact, exact.InvalidOperation):
            expected = f"at most {self._digits} digits after the point, or a rounding in the row"
            raise ValueError(expected) from None


def decimal(arguments: Sequence[str], codes: Codes) -> Converter:
    """``decimal(2)``: exactly two digits after the point, no leading zeros, no plus.

    ``decimal(2, lax)`` decodes fewer digits, leading zeros and a plus as well. ``decimal(2,
    half_even)`` rounds both ways; so do ``half_up``, ``up``, ``down``, ``floor``, ``ceiling``.
    """
    del codes
    left = list(arguments)
    digits = left.pop(0) if left else ""
    if not digits.isascii() or not digits.isdigit() or int(digits) > _MOST:
        raise ValueError(f"the number of digits after the point, 0 to {_MOST}")
    lax = "lax" in left
    if lax:
        left.remove("lax")
    rounding = _ROUNDINGS.get(left[0]) if left else None
    refuse_arguments(left[1:] if rounding else left, "lax, or one of " + ", ".join(_ROUNDINGS))
    return _Decimal(int(digits), lax, rounding)
