"""External floating point: numbers printed as ``+9.99E+99``."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from ...generate import Function
from .codepage import CodePage, unfit
from .leaf import EXACT, Lane, Scalar, Views

__all__ = ["External"]

_PRINTED: Final = re.compile(r"([+ -]?)([0-9]*)\.?([0-9]*)E([+ -])([0-9]{2})")
_EXPECTED: Final = "a number that the picture prints exactly"


class External:
    """A number with an exponent, as the picture ``symbols`` prints it. Its value is exact."""

    numeric = True
    lane: Lane = "bytes"
    zero: Scalar = Decimal(0)

    def __init__(self, page: CodePage, symbols: str) -> None:
        if not page.numeric:
            raise unfit(page.name)
        mantissa, exponent = symbols.split("E")
        self.size = len(symbols.replace("V", ""))
        self._page = page
        self._plus = mantissa[0]
        self._exponent_plus = exponent[0]
        self._whole, _, places = mantissa[1:].replace(".", "V").partition("V")
        self._places = len(places)
        self._point = "." if "." in symbols else ""
        self._digits = len(self._whole) + self._places
        self.empty = page.blank * self.size
        self.initial = self.write(0)

    def read(self, raw: bytes) -> Scalar:
        """Give the number. Raises ``ValueError``."""
        text = self._page.text(raw)
        found = _PRINTED.fullmatch(text)
        if found is None or not (found[2] or found[3]):
            raise ValueError("not a number as the picture prints it")
        sign, before, behind, power_sign, power = found.groups()
        digits = before + behind
        exponent = int(power_sign.strip() + power) - self._places
        return EXACT.create_decimal(f"{sign.strip()}{digits}E{exponent}")

    def put(self, value: object) -> str:
        """Give it as the picture prints it, the first digit not zero."""
        if type(value) is int:
            value = Decimal(value)
        if type(value) is not Decimal or not value.is_finite():
            raise ValueError(_EXPECTED)
        sign, numbers, exponent = value.as_tuple()
        digits = "".join(map(str, numbers)).lstrip("0").rstrip("0")
        kept = digits.ljust(self._digits, "0")
        power = value.adjusted() - len(self._whole) + 1 if digits else 0
        if len(kept) > self._digits or abs(power) > 99:
            raise ValueError(_EXPECTED)
        del exponent
        head, tail = kept[: len(self._whole)], kept[len(self._whole) :]
        return (
            _signed(bool(sign), self._plus)
            + head
            + self._point
            + tail
            + "E"
            + _signed(power < 0, self._exponent_plus)
            + f"{abs(power):02d}"
        )

    def write(self, value: object) -> bytes:
        """Give the bytes of what ``put`` gives."""
        return self._page.bytes(self.put(value))

    def source(self, function: Function, views: Views, at: int) -> str:
        """Leave it to ``read``."""
        del function, views, at
        return ""


def _signed(negative: bool, symbol: str) -> str:
    if negative:
        return "-"
    return "+" if symbol == "+" else " "
