"""Floating point: COMP-1 and COMP-2, as IEEE 754 and as IBM's hexadecimal format."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Final, Literal

from ...generate import Function
from .leaf import Lane, Scalar, Views

__all__ = ["Floating"]

_EXPECTED: Final = "a number that the format can hold"
_PRECISIONS: Final = (6, 7, 8, 9)


class Floating:
    """A float of four or eight bytes.

    One of four bytes is given as the shortest decimal that makes the same four bytes (-30503.93,
    not -30503.9296875), so that what prints is what the program meant. Whether a file's floats are
    hexadecimal or IEEE cannot be seen from the bytes: see ``CodecOptions.floats``.
    """

    numeric = True
    lane: Lane = "bytes"
    zero: Scalar = 0.0

    def __init__(
        self, size: int, *, form: Literal["ibm", "ieee"], endian: Literal["big", "little"]
    ) -> None:
        self.size = size
        code = (">" if endian == "big" else "<") + ("f" if size == 4 else "d")
        self._ieee = struct.Struct(code)
        self._endian = endian
        self._form = form
        self.empty = self.initial = bytes(size)
        self._decode: Callable[[bytes], float] = (
            self._from_ibm if form == "ibm" else self._from_ieee
        )

    def read(self, raw: bytes) -> float:
        """Give the float. Raises ``ValueError`` for an infinity and for what is no number."""
        value = self._decode(raw)
        if not math.isfinite(value):
            raise ValueError(f"{value} is no number")  # JSON has none of them, COBOL neither
        return self._shortest(value, raw) if self.size == 4 else value

    def write(self, value: object) -> bytes:
        """Give the nearest float's bytes."""
        try:
            number = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            raise ValueError(_EXPECTED) from None
        if isinstance(value, str | bool) or not math.isfinite(number):
            raise ValueError(_EXPECTED)
        try:
            return self._to_ibm(number) if self._form == "ibm" else self._ieee.pack(number)
        except (OverflowError, struct.error):
            raise ValueError(_EXPECTED) from None

    def put(self, value: object) -> str:
        """Give the hexadecimal digits."""
        return self.write(value).hex()

    def source(self, function: Function, views: Views, at: int) -> str:
        """Leave it to ``read``."""
        del function, views, at
        return ""

    def _from_ieee(self, raw: bytes) -> float:
        value: float = self._ieee.unpack(raw)[0]
        return value

    def _from_ibm(self, raw: bytes) -> float:
        # A sign bit, seven bits of exponent (of 16, less 64), the rest a fraction below one.
        bits = int.from_bytes(raw, self._endian)
        width = 8 * self.size - 8
        exponent = (bits >> width) & 0x7F
        fraction = bits & ((1 << width) - 1)
        value = math.ldexp(fraction, 4 * (exponent - 64) - width)
        return -value if bits >> (width + 7) else value

    def _to_ibm(self, value: float) -> bytes:
        width = 8 * self.size - 8
        negative = math.copysign(1.0, value) < 0
        mantissa, two = math.frexp(abs(value))
        sixteen = -(-two // 4)
        fraction = _rounded(mantissa, two - 4 * sixteen + width)
        if fraction >> width:
            fraction, sixteen = fraction >> 4, sixteen + 1
        if not fraction or sixteen < -64:
            return (int(negative) << (width + 7)).to_bytes(self.size, self._endian)
        if sixteen > 63:
            raise ValueError(_EXPECTED)
        bits = (int(negative) << 7 | (sixteen + 64)) << width | fraction
        return bits.to_bytes(self.size, self._endian)

    def _shortest(self, value: float, raw: bytes) -> float:
        write = self._to_ibm if self._form == "ibm" else self._ieee.pack
        for precision in _PRECISIONS:
            shorter = float(f"{value:.{precision}g}")
            try:
                if write(shorter) == raw:
                    return shorter
            except (OverflowError, ValueError):  # rounded up past the largest
                continue
        return value


def _rounded(mantissa: float, shift: int) -> int:
    """Give ``mantissa`` times 2 to the power of ``shift``, half to even."""
    return round(math.ldexp(mantissa, shift))
