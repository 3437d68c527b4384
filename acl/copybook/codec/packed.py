"""Packed decimal: COMP-3, two digits a byte and a sign; COMP-6, without a sign."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from ...generate import Function
from .leaf import Lane, Scalar, Views, parted
from .zoned import expectation, numeral, scaled

__all__ = ["Packed"]

_SIGNS: Final = {"c": "", "f": "", "d": "-"}


class Packed:
    """A packed number of ``size`` bytes.

    Each half byte must be a digit and the last a sign: C or F for plus, D for minus. ``bare`` ones
    (COMP-6) have no sign. A digit in the half byte that an even picture leaves over is read, as the
    machine does.
    """

    numeric = True
    lane: Lane = "hex"

    def __init__(
        self, size: int, *, digits: int, scale: int, signed: bool = False, bare: bool = False
    ) -> None:
        self.size = size
        self._digits = digits
        self._scale = scale
        self._signed = signed and not bare
        self._bare = bare
        self._width = 2 * size - (not bare)
        self._spare = self._width > digits
        self._expected = expectation(digits, scale, signed=self._signed)
        self.zero: Scalar = Decimal(0).scaleb(-scale) if scale > 0 else 0
        self.empty = bytes(size)
        self.initial = self.write(0)

    def read(self, raw: bytes) -> Scalar:
        """Give the number. Raises ``ValueError``."""
        digits, sign = raw.hex(), ""
        if not self._bare:
            if digits[-1] not in _SIGNS:
                raise ValueError(f"X'{digits[-1].upper()}' is no sign")
            digits, sign = digits[:-1], _SIGNS[digits[-1]]
        if not digits.isdecimal():
            raise ValueError("a half byte that is no digit")
        return scaled(sign + digits, self._scale)

    def put(self, value: object) -> str:
        """Give the hexadecimal digits."""
        negative, digits = parted(value, self._scale, self._digits, self._expected)
        if negative and not self._signed:
            raise ValueError(self._expected)
        if self._spare:
            digits = "0" + digits
        if self._bare:
            return digits
        if not self._signed:
            return digits + "f"
        return digits + ("d" if negative else "c")

    def write(self, value: object) -> bytes:
        """Give the bytes."""
        return bytes.fromhex(self.put(value))

    def inline(self, function: Function, name: str) -> str:
        """Give source that does what ``put`` does for a whole number, "" where it is none."""
        if self._scale:
            return ""
        most, width = 10**self._digits, self._width
        plus = "" if self._bare else "c" if self._signed else "f"
        put = f"{function.constant(self.put)}({name})"
        if self._signed:
            put = f"f'{{-{name}:0{width}d}}d' if -{most} < {name} < 0 else {put}"
        return f"f'{{{name}:0{width}d}}{plus}' if 0 <= {name} < {most} else {put}"

    def source(self, function: Function, views: Views, at: int) -> str:
        """Cut the record's hexadecimal digits: ``int`` takes none of a to f."""
        start, end = 2 * at, 2 * (at + self.size)
        if self._bare:
            return numeral(function, "", views.hex(start, end), self._scale)
        sign = f"{function.constant(_SIGNS)}[{views.nibble(end - 1)}]"
        return numeral(function, sign, views.hex(start, end - 1), self._scale)
