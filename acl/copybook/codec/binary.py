"""Binary numbers: COMP, COMP-4, COMP-5, COMP-9, and INDEX and POINTER."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal

from ...generate import Function
from .leaf import EXACT, Lane, Scalar, Views, whole

__all__ = ["Binary"]

STRUCTS: Final = {(1, True): "b", (1, False): "B", (2, True): "h", (2, False): "H"}
STRUCTS.update({(4, True): "i", (4, False): "I", (8, True): "q", (8, False): "Q"})


class Binary:
    """Two's complement of ``size`` bytes, times 10 to the power of ``-scale``.

    All that its bytes can hold is read and written (as with TRUNC(BIN)), but for one case: where
    an unsigned picture is ``held`` to its digits, four or eight bytes with the first bit set are
    no number that a program can have put there.
    """

    numeric = True
    lane: Lane = "bytes"

    def __init__(
        self,
        size: int,
        *,
        scale: int = 0,
        signed: bool = False,
        held: bool = False,
        endian: Literal["big", "little"] = "big",
    ) -> None:
        self.size = size
        self.endian = endian
        self._scale = scale
        self._signed = signed
        self.halved = held and not signed and size in (4, 8)
        most = (1 << (8 * size - (signed or self.halved))) - 1
        self._least, self._most = (-most - 1 if signed else 0), most
        self._expected = f"a whole number from {self._least} to {most}"
        if scale:
            self._expected += f", times 10 to the power of {-scale}"
        self.zero: Scalar = Decimal(0).scaleb(-scale) if scale > 0 else 0
        self.empty = self.initial = bytes(size)

    def read(self, raw: bytes) -> Scalar:
        """Give the number. Raises ``ValueError``."""
        number = int.from_bytes(raw, self.endian, signed=self._signed)
        if number > self._most:
            raise ValueError(f"{number} is more than an unsigned number of its picture")
        if self._scale > 0:
            return EXACT.scaleb(Decimal(number), -self._scale)
        power: int = 10**-self._scale
        return number * power

    def put(self, value: object) -> str:
        """Give the hexadecimal digits."""
        return self.write(value).hex()

    def write(self, value: object) -> bytes:
        """Give the bytes."""
        number = whole(value, self._scale, self._expected)
        if not self._least <= number <= self._most:
            raise ValueError(self._expected)
        return number.to_bytes(self.size, self.endian, signed=self._signed)

    @property
    def format(self) -> str:
        """Give its character in the formats of ``struct``, "" where it has none."""
        return STRUCTS.get((self.size, self._signed or self.halved), "")

    def inline(self, function: Function, name: str) -> str:
        """Give source for the number that ``struct`` packs; it refuses what has no room."""
        if self._scale:
            return f"{function.constant(self._moved)}({name})"
        if self.halved:
            put = f"{function.constant(self.write)}({name})"  # which refuses it
            return f"{name} if 0 <= {name} <= {self._most} else {put}"
        return name

    def _moved(self, value: Decimal) -> int:
        number = EXACT.scaleb(value, self._scale)
        found = int(number)
        if found != number or (self.halved and found < 0):
            raise ValueError(self._expected)
        return found

    def finish(self, function: Function, number: str) -> str:
        """Give source for the value of a number that was unpacked."""
        if self.halved:
            number = f"{function.constant(_not_halved)}({number})"
        if self._scale > 0:
            return f"{function.constant(EXACT.scaleb)}({number}, -{self._scale})"
        return number + (f" * {10**-self._scale}" if self._scale else "")

    def source(self, function: Function, views: Views, at: int) -> str:
        """Read it alone; the reader does several at once with ``format`` and ``finish``."""
        raw = views.raw(at, at + self.size)
        signed = self._signed or self.halved
        make = function.constant(int.from_bytes)
        return self.finish(function, f"{make}({raw}, {self.endian!r}, signed={signed})")


def _not_halved(number: int) -> int:
    if number < 0:
        raise ValueError("the first bit is set")
    return number
