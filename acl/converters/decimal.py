"""Decimal numbers, exact to the last digit; never through a float."""

from __future__ import annotations

import decimal as exact
import re
from collections.abc import Sequence
from typing import Final

from ...ports import Converter
from ..generate import Function
from .arguments import Arguments
from .notation import Notation, notation_of
from .traits import Codes, Traits

__all__ = ["ROUNDINGS", "decimal"]

_MOST: Final = 38
_PLAIN_STR: Final = 6
ROUNDINGS: Final = {
    "half_up": exact.ROUND_HALF_UP,
    "half_even": exact.ROUND_HALF_EVEN,
    "down": exact.ROUND_DOWN,
    "up": exact.ROUND_UP,
    "floor": exact.ROUND_FLOOR,
    "ceiling": exact.ROUND_CEILING,
}
_EXPECTED: Final = (
    "lax, one of "
    + ", ".join(ROUNDINGS)
    + ", or of comma, thousands=X, trailing, implied and width=N"
)


class _Decimal:
    def __init__(
        self, digits: int, lax: bool, rounding: str | None, notation: Notation | None
    ) -> None:
        whole = r"[0-9]{1,38}" if lax or rounding else r"(?:0|[1-9][0-9]{0,37})"
        sign = "[+-]?" if lax else "-?"
        fraction = rf"\.[0-9]{{{digits}}}" if digits else ""
        if lax:
            fraction = rf"(?:\.[0-9]{{0,{digits}}})?"
        if rounding:
            fraction = rf"(?:\.[0-9]{{0,{_MOST}}})?"
        self._pattern = re.compile(sign + whole + fraction)
        self._digits = digits
        self._notation = notation
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
        if notation is not None:
            self._expected = f"{self._expected}, written as {notation.example}"
        self._rounds = lax or rounding is not None
        quick = notation is None and not self._rounds
        self.traits = Traits(
            type="decimal",
            inline=self._inline if quick and 1 <= digits <= _PLAIN_STR else None,
            inline_encode=self._inline_encode
            if notation is None and digits <= _PLAIN_STR
            else None,
            native={"decimal": self._native} if quick else {},
        )

    def decode(self, text: str) -> exact.Decimal:
        plain = text if self._notation is None else self._notation.plain(text)
        if plain is None or self._pattern.fullmatch(plain) is None:
            raise ValueError(self._expected)
        value = exact.Decimal(plain)
        return value.quantize(self._unit, context=self._context) if self._rounds else value

    def encode(self, value: object) -> str:
        if type(value) is int:
            value = exact.Decimal(value)
        if not isinstance(value, exact.Decimal) or not value.is_finite():
            raise ValueError("a finite Decimal")
        if value.adjusted() >= _MOST:
            raise ValueError(f"at most {_MOST} digits before the point")
        try:
            text = format(value.quantize(self._unit, context=self._context), "f")
        except (exact.Inexact, exact.InvalidOperation):
            expected = f"at most {self._digits} digits after the point, or a rounding in the row"
            raise ValueError(expected) from None
        return text if self._notation is None else self._notation.written(text)

    def _inline(self, function: Function, name: str) -> str:
        # A number that Decimal takes and writes again in the same way, with the point where it
        # belongs, has no exponent, plus, blank, leading zero or digit of another script; and the
        # context refuses what has more digits than there may be.
        exactly = exact.Context(
            prec=_MOST + self._digits, traps=[exact.InvalidOperation, exact.Inexact]
        )
        number, read = function.fresh(), function.constant(exactly.create_decimal)
        careful = function.constant(self.decode)
        same = f"str({number} := {read}({name})) == {name}"
        return f"({number} if {name}[{-self._digits - 1}] == '.' and {same} else {careful}({name}))"

    def _inline_encode(self, function: Function, name: str) -> str:
        kind, unit = function.constant(exact.Decimal), function.constant(self._unit)
        fits = f"type({name}) is {kind} and {name}.same_quantum({unit})"
        size = f"{name}.adjusted() < {_MOST:d}"
        return f"(str({name}) if {fits} and {size} else {function.constant(self.encode)}({name}))"

    def _native(self, function: Function, name: str) -> str:
        kind, unit = function.constant(exact.Decimal), function.constant(self._unit)
        fits = f"type({name}) is {kind} and {name}.same_quantum({unit})"
        return f"({name} if {fits} and {name}.adjusted() < {_MOST:d} else {function.refuse()})"


def decimal(arguments: Sequence[str], codes: Codes) -> Converter:
    """``decimal(2)``: exactly two digits after the point, no leading zeros, no plus.

    ``decimal(2, lax)`` decodes fewer digits, leading zeros and a plus as well. ``decimal(2,
    half_even)`` rounds both ways; so do ``half_up``, ``up``, ``down``, ``floor``, ``ceiling``.

    How legacy writes it: ``comma`` (12,50), ``thousands='.'`` (1.250,00 beside ``comma``),
    ``trailing`` (12.50-), ``implied`` (1250, the point is not written), ``width=9`` (filled up with
    zeros in front).
    """
    del codes
    left = Arguments(arguments, _EXPECTED)
    digits = left.first()
    if not digits.isascii() or not digits.isdigit() or int(digits[:6]) > _MOST:
        raise ValueError(f"the number of digits after the point, 0 to {_MOST}")
    lax = left.flag("lax")
    rounding = left.choice(ROUNDINGS)
    notation = notation_of(left, int(digits), lax=lax)
    left.done()
    return _Decimal(int(digits), lax, rounding, notation)
