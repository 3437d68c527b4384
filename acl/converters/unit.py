"""From legacy's unit to ours, exactly."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

from ...ports import Converter
from .arguments import Arguments
from .decimal import ROUNDINGS
from .factors import factor_of, read_factor
from .traits import Codes, Traits

__all__ = ["unit"]

_MOST: Final = 38
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,37})(?:\.(?P<fraction>[0-9]{1,38}))?")


class _Unit:
    def __init__(self, factor: Fraction, digits: int, places: int, rounding: str) -> None:
        self._factor = factor
        self._digits = digits
        self._places = places
        self._rounding = rounding
        self.traits = Traits(type="decimal")

    def decode(self, text: str) -> Decimal:
        found = _NUMBER.fullmatch(text)
        after = f"{self._digits} digits after the point" if self._digits else "no point"
        if found is None or len(found["fraction"] or "") != self._digits:
            raise ValueError(f"a number with {after}")
        value = Decimal(text)
        if value.is_signed() and not value:
            raise ValueError("zero without a sign")
        return self._times(value, self._factor, self._places)

    def encode(self, value: object) -> str:
        if type(value) is int:
            value = Decimal(value)
        if not isinstance(value, Decimal) or not value.is_finite():
            raise ValueError("a finite Decimal")
        if value and not -_MOST <= value.adjusted() < _MOST:
            raise ValueError(f"at most {_MOST} digits before the point")
        scaled = self._times(value or Decimal(), 1 / self._factor, self._digits)
        if scaled.adjusted() >= _MOST:
            raise ValueError(f"at most {_MOST} digits before the point")
        return format(scaled, "f")

    def _times(self, value: Decimal, factor: Fraction, places: int) -> Decimal:
        """Multiply as fractions, and round once, at the end."""
        exactly = Fraction(value) * factor * 10**places
        whole, rest = divmod(abs(exactly.numerator), exactly.denominator)
        if rest:
            if not self._rounding:
                raise ValueError(
                    f"a number that comes to {places} digits after the point, or a rounding"
                )
            twice = Fraction(2 * rest, exactly.denominator)
            whole += _away(self._rounding, twice, odd=whole % 2 == 1, negative=exactly < 0)
        digits = tuple(map(int, str(whole)))
        return Decimal((int(exactly < 0 and whole > 0), digits, -places))


def _away(rounding: str, twice: Fraction, *, odd: bool, negative: bool) -> bool:
    """Say whether to round away from zero; ``twice`` is the rest, 0 to 2."""
    if rounding == "half_up":
        return twice >= 1
    if rounding == "half_even":
        return twice > 1 or (twice == 1 and odd)
    return rounding in ("up", "floor" if negative else "ceiling")


def unit(arguments: Sequence[str], codes: Codes) -> Converter:
    """``unit(cent, EUR)``, ``unit(g, kg)``, ``unit(factor=0.01)``: legacy's number in ours.

    Legacy's number is whole; ``digits=N`` says how many digits stand after its point. Ours has as
    many as the factor needs, or ``places=N``. What does not come out exactly is refused, both
    ways, unless a rounding is given: ``unit(minutes, hours, places=2, half_even)``.
    """
    del codes
    left = Arguments(arguments, "two units or factor=N, then digits=N, places=N or a rounding")
    rounding = left.choice({name: name for name in ROUNDINGS}) or ""
    digits = left.number("digits", 0, _MOST) or 0
    places = left.number("places", 0, _MOST)
    text = left.value("factor")
    factor = factor_of(left.first(), left.first()) if text is None else read_factor(text)
    left.done()
    if places is None:
        places = _needed(factor, digits)
    return _Unit(factor, digits, places, rounding)


def _needed(factor: Fraction, digits: int) -> int:
    """Give the digits after the point that every product has at most."""
    for more in range(_MOST - digits + 1):
        if (factor * 10**more).denominator == 1:
            return digits + more
    raise ValueError("places=N and a rounding: this factor has no end behind the point")
