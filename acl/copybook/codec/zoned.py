"""Zoned decimal: numbers of USAGE DISPLAY, one digit a byte."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from typing import Final

from ...generate import Function
from ..item import Sign
from .codepage import CodePage, unfit
from .leaf import EXACT, Lane, Scalar, Views, parted

__all__ = [
    "OVERPUNCHED",
    "SIGNS",
    "Zoned",
    "expectation",
    "numeral",
    "overpunches",
    "scaled",
    "zones",
]

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
SIGNS: Final = {"p": "", "m": "-"}
"""What a separate sign of the view means."""

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
            return SIGNS.get(sign, "") or punched, digits + digit
        if found := _RIGHT.fullmatch(seen):
            return SIGNS[found[2]], found[1]
        if (found := _LEADING.fullmatch(seen)) and (self._leading or not self._signed):
            sign, digit = OVERPUNCHED[found[1]]
            return sign, digit + found[2]
        raise ValueError("a byte that is no digit")

    def put(self, value: object) -> str:
        """Give the digits and the sign as characters."""
        negative, digits = parted(value, self._scale, self._digits, self._expected)
        if negative and not self._signed:
            raise ValueError(self._expected)
        if self._blank_is_zero and not digits.strip("0"):
            return " " * self.size
        if not self._signed:
            return digits
        if self._separate:
            sign = "-" if negative else "+"
            return sign + digits if self._leading else digits + sign
        punch = self._minus if negative else self._plus
        if self._leading:
            return punch[digits[0]] + digits[1:]
        return digits[:-1] + punch[digits[-1]]

    def write(self, value: object) -> bytes:
        """Give the digits and the sign."""
        return self._page.bytes(self.put(value))

    def inline(self, function: Function, name: str) -> str:
        """Give source that does what ``put`` does for a whole number, "" where it is none."""
        if self._scale or self._leading or self._blank_is_zero or self._digits < 2:
            return ""
        most, put = 10**self._digits, f"{function.constant(self.put)}({name})"
        if not self._signed:
            return f"f'{{{name}:0{self._digits}d}}' if 0 <= {name} < {most} else {put}"
        if self._separate:
            return ""
        for minus, punches in (("-", self._minus), ("", self._plus)):
            letters = function.constant("".join(punches[digit] for digit in "0123456789"))
            front = f"{{{minus}{name} // 10:0{self._digits - 1}d}}"
            fits = f"0 <= {name} < {most}" if not minus else f"-{most} < {name} < 0"
            put = f"f'{front}{{{letters}[{minus}{name} % 10]}}' if {fits} else {put}"
        return put

    def source(self, function: Function, views: Views, at: int) -> str:
        """Cut the view of digits: it lets ``int`` take nothing but digits."""
        if not self._shared:
            return ""
        start, end = at, at + self.size
        if not self._signed:
            return numeral(function, "", views.digits(start, end), self._scale)
        where = start if self._leading else end - 1
        digit = views.digit(where)
        rest = views.digits(start + 1, end) if self._leading else views.digits(start, end - 1)
        if self._separate:
            sign = f"{function.constant(SIGNS)}[{digit}]"
            return numeral(function, sign, rest, self._scale)
        sign = f"(w := {function.constant(OVERPUNCHED)}[{digit}])[0]"
        digits = f"w[1] + {rest}" if self._leading else f"{rest} + w[1]"
        return numeral(function, sign, digits, self._scale)


def scaled(digits: str, scale: int) -> int | Decimal:
    """Give the digits, with a sign or without, times 10 to the power of ``-scale``."""
    if scale <= 0:
        number: int = int(digits) * 10**-scale
        return number
    return EXACT.plus(EXACT.create_decimal(f"{digits}e-{scale}"))  # no zero is below zero


def numeral(function: Function, sign: str, digits: str, scale: int) -> str:
    """Give source for a number from that of its sign and of its digits.

    ``int`` refuses all that is no digit. ``Decimal`` takes an E among them, and then refuses the
    second exponent. No zero is below zero: that is what ``or`` is for.
    """
    both = f"{sign} + {digits}" if sign else digits
    if scale > 0:
        number = f"{function.constant(EXACT.create_decimal)}({both} + 'e-{scale}')"
        return f"({number} or {function.constant(Decimal(0).scaleb(-scale))})" if sign else number
    return f"int({both})" + (f" * {10**-scale}" if scale else "")


def expectation(digits: int, scale: int, *, signed: bool) -> str:
    """Say in words which numbers fit."""
    sign = "" if signed else ", not below zero"
    if scale > 0:
        return f"a number of at most {digits} digits, {scale} places after the point{sign}"
    if scale < 0:
        return f"a whole number, {digits} digits and {-scale} zeros{sign}"
    return f"a whole number of at most {digits} digits{sign}"


def overpunches(page: CodePage) -> dict[str, tuple[str, str]]:
    """Give sign and digit of each character that holds both."""
    view = zones(page).decode("latin-1")
    found = {}
    for letters in (_PLUS, _MINUS):
        for byte, letter in enumerate(view):
            if letter in letters:
                found[page.text(bytes([byte]))] = OVERPUNCHED[letter]
    return found


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
