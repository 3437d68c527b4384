"""Zoned decimal: numbers of USAGE DISPLAY, one digit a byte."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from typing import Final

from ..generate import Function
from .codepage import CodePage, unfit
from .item import Sign
from .leaf import EXACT, Lane, Scalar, Views, whole

__all__ = ["OVERPUNCHED", "Zoned", "zones"]

# The letters of a view of digits: bytes that hold a digit and a sign become A-J (plus) and K-T
# (minus), separate signs p and m, spaces and X'00' s, all else x. So int() takes no byte of the
# view that is not a digit, and no sign that stands where none belongs.
_PLUS: Final = "ABCDEFGHIJ"
_MINUS: Final = "KLMNOPQRST"

OVERPUNCHED: Final = {
    **{str(digit): ("", str(digit)) for digit in range(10)},
    **{letter: ("", str(digit)) for digit, letter in enumerate(_PLUS)},
    **{letter: ("-", str(digit)) for digit, letter in enumerate(_MINUS)},
}
"""Sign and digit of the byte that holds both."""

_TRAILING: Final = Sign()
_SEPARATE: Final = {"p": "", "m": "-"}
_LEFT: Final = re.compile(r"s*([pm]?)([0-9]*)([A-T]?)s*")
_RIGHT: Final = re.compile(r"s*([0-9]*)([pm])s*")
_LEADING: Final = re.compile(r"s*([A-T])([0-9]*)s*")


@cache
def zones(page: CodePage) -> bytes:
    """Give the table that turns a record's bytes into the view of digits, for ``translate``."""
    table = bytearray(b"x" * 256)
    table[0] = table[page.blank[0]] = ord("s")
    signs = page.bytes("+-")
    table[signs[0]], table[signs[1]] = b"pm"
    if page.ebcdic:
        table[0xC0:0xCA] = _PLUS.encode()
        table[0xD0:0xDA] = _MINUS.encode()
    else:
        # What a conversion from EBCDIC leaves, and what compilers of ASCII machines write.
        for at, letter in enumerate("{ABCDEFGHI"):
            table[ord(letter)] = ord(_PLUS[at])
        for at, letter in enumerate("}JKLMNOPQR"):
            table[ord(letter)] = table[0x70 + at] = ord(_MINUS[at])
    for digit, byte in enumerate(page.digits):
        table[byte] = ord(str(digit))
    return bytes(table)


class Zoned:
    """A DISPLAY number: ``digits`` held, times 10 to the power of ``-scale``.

    Read strictly: digits, one sign where it belongs. Spaces and X'00' around a number are taken as
    other readers take them, and a separate sign where the picture has an overpunched one.
    """

    numeric = True

    def __init__(
        self,
        page: CodePage,
        *,
        digits: int,
        scale: int,
        signed: bool = False,
        sign: Sign = _TRAILING,
        minus: str = "letters",
        blank_when_zero: bool = False,
        shared: bool = False,
    ) -> None:
        if not page.numeric:
            raise unfit(page.name)
        self._separate = sign.separate and signed
        self._leading = sign.leading
        self.size = digits + self._separate
        self._page = page
        self._digits = digits
        self._scale = scale
        self._signed = signed
        self._blank_is_zero = blank_when_zero
        self._shared = shared
        self._zones = zones(page)
        self.lane: Lane = "text" if shared and page.single else "bytes"
        self.zero: Scalar = Decimal(0).scaleb(-scale) if scale > 0 else 0
        self.empty = page.blank * self.size
        self._plus, self._minus = _punches(page, minus)
        self._expected = expectation(digits, scale, signed=signed)
        self.initial = self.write(0)

    def read(self, raw: bytes) -> Scalar:
        """Give the number. Raises ``ValueError``."""
        seen = raw.translate(self._zones).decode("latin-1")
        if not seen.strip("s"):
            if self._blank_is_zero:
                return self.zero
            raise ValueError("no digits")
        sign, digits = self._parsed(seen)
        if sign and not self._signed:
            raise ValueError("a minus, where the picture has no sign")
        if not digits:
            raise ValueError("no digits")
        return scaled(sign + digits, self._scale)

    def _parsed(self, seen: str) -> tuple[str, str]:
        if found := _LEFT.fullmatch(seen):
            sign, digits, last = found.groups()
            punched, digit = OVERPUNCHED[last] if last else ("", "")
            if last and (sign or (self._leading and self._signed and len(digits))):
                raise ValueError("a sign where none belongs")
            return _SEPARATE.get(sign, "") or punched, digits + digit
        if found := _RIGHT.fullmatch(seen):
            return _SEPARATE[found[2]], found[1]
        if (found := _LEADING.fullmatch(seen)) and (self._leading or not self._signed):
            sign, digit = OVERPUNCHED[found[1]]
            return sign, digit + found[2]
        raise ValueError("a byte that is no digit")

    def put(self, value: object) -> str:
        """Give the digits and the sign as characters."""
        number = whole(value, self._scale, self._expected)
        digits = str(abs(number)).zfill(self._digits)
        if len(digits) > self._digits or (number < 0 and not self._signed):
            raise ValueError(self._expected)
        if not number and self._blank_is_zero:
            return " " * self.size
        if not self._signed:
            return digits
        if self._separate:
            sign = "-" if number < 0 else "+"
            return sign + digits if self._leading else digits + sign
        punch = self._minus if number < 0 else self._plus
        if self._leading:
            return punch[digits[0]] + digits[1:]
        return digits[:-1] + punch[digits[-1]]

    def write(self, value: object) -> bytes:
        """Give the digits and the sign."""
        return self._page.bytes(self.put(value))

    def source(self, function: Function, views: Views, at: int) -> str:
        """Cut the view of digits: it lets ``int`` take nothing but digits."""
        if not self._shared:
            return ""
        start, end = at, at + self.size
        if not self._signed:
            number = views.digits(start, end)
        elif self._separate:
            where = start if self._leading else end - 1
            sign = f"{function.constant(_SEPARATE)}[{views.digit(where)}]"
            digits = (start + 1, end) if self._leading else (start, end - 1)
            number = f"{sign} + {views.digits(*digits)}"
        else:
            where = start if self._leading else end - 1
            both = f"(w := {function.constant(OVERPUNCHED)}[{views.digit(where)}])[0]"
            if self._leading:
                number = f"{both} + w[1] + {views.digits(start + 1, end)}"
            else:
                number = f"{both} + {views.digits(start, end - 1)} + w[1]"
        return number_source(function, number, self._scale)


def scaled(digits: str, scale: int) -> int | Decimal:
    """Give the digits, with a sign or without, times 10 to the power of ``-scale``."""
    if scale <= 0:
        number: int = int(digits) * 10**-scale
        return number
    return EXACT.create_decimal(f"{digits}e-{scale}")


def number_source(function: Function, digits: str, scale: int) -> str:
    """Give source that does what ``scaled`` does; it refuses all that is no digit."""
    if scale > 0:
        return f"{function.constant(EXACT.create_decimal)}({digits} + 'e-{scale}')"
    return f"int({digits})" + (f" * {10**-scale}" if scale else "")


def expectation(digits: int, scale: int, *, signed: bool) -> str:
    """Say in words which numbers fit."""
    sign = "" if signed else ", not below zero"
    if scale > 0:
        return f"a number of at most {digits} digits, {scale} places after the point{sign}"
    if scale < 0:
        return f"a whole number, {digits} digits and {-scale} zeros{sign}"
    return f"a whole number of at most {digits} digits{sign}"


def _punches(page: CodePage, minus: str) -> tuple[dict[str, str], dict[str, str]]:
    """Give the characters of a digit with a plus, and with a minus."""
    digits = "0123456789"
    if page.ebcdic:
        # By byte: code pages differ in which characters stand at X'C0' and X'D0'.
        plus, below = page.text(bytes(range(0xC0, 0xCA))), page.text(bytes(range(0xD0, 0xDA)))
    elif minus == "p-y":
        plus, below = digits, "pqrstuvwxy"
    else:
        plus, below = "{ABCDEFGHI", "}JKLMNOPQR"
    return dict(zip(digits, plus, strict=True)), dict(zip(digits, below, strict=True))
