"""Edited pictures: numbers as they are printed, both ways."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Final

from ..generate import Function
from .codepage import CodePage, unfit
from .leaf import Lane, Scalar, Views, whole
from .zoned import OVERPUNCHED, expectation, scaled, zones

__all__ = ["Edited", "edit"]

_FLOATING: Final = "+-$"
_SWAPPED: Final = str.maketrans(".,", ",.")
_NUMBER: Final = re.compile(r"([0-9]*)(?:\.([0-9]*))?")


class Edited:
    """A numeric-edited item: ``symbols`` is its picture, expanded.

    Written as COBOL's MOVE edits: zero suppression, check protection, floating and fixed signs and
    currency signs, insertion. Read from all that this writes, and from what others put there:
    spaces on either side, a point wherever it stands. ``comma``: it prints ``,`` for ``.`` and the
    other way round; ``currency`` is the sign that it prints for ``$``.
    """

    numeric = True

    def __init__(
        self,
        page: CodePage,
        symbols: str,
        *,
        scale: int,
        signed: bool = False,
        blank_when_zero: bool = False,
        shared: bool = False,
        comma: bool = False,
        currency: str = "$",
    ) -> None:
        if not page.numeric:
            raise unfit(page.name)
        self._comma = comma
        self._currency = currency
        self._symbols = parted(symbols)
        self.size = sum(len(one) for one in self._symbols if one not in "SVP")
        self._page = page
        self._scale = scale
        self._punched = "S" in symbols
        self._blank_when_zero = blank_when_zero
        signs = signed or any(one in ("+", "-", "CR", "DB") for one in self._symbols)
        self._signed = signs
        self._digits = len(slots(self._symbols))
        self._expected = expectation(self._digits, scale, signed=signs)
        self._suppresses = not any(one == "9" for one in self._symbols) and self._digits > 0
        self.lane: Lane = "text" if shared and page.single else "bytes"
        self.zero: Scalar = Decimal(0).scaleb(-scale) if scale > 0 else 0
        self.empty = page.blank * self.size
        self.initial = self.write(0)

    def read(self, raw: bytes) -> Scalar:
        """Give the number. Raises ``ValueError``."""
        text = self._page.text(raw)
        sign = ""
        if self._punched and self._signed:
            sign, text = self._unpunched(raw, text)
        if "0" in self._symbols:
            text = self._without_zeros(text)
        text = text.replace("\0", " ").strip(" ")
        if not text or not text.strip("*"):
            if self._suppresses or self._blank_when_zero:
                return self.zero
            raise ValueError("no digits")
        other, digits = self._bare(text)
        return self._value(sign or other, digits)

    def _unpunched(self, raw: bytes, text: str) -> tuple[str, str]:
        """Take an overpunched sign off the last digit."""
        seen = raw.translate(zones(self._page)).decode("latin-1").rstrip("s")
        if not seen or seen[-1] not in OVERPUNCHED:
            return "", text
        sign, digit = OVERPUNCHED[seen[-1]]
        return sign, text[: len(seen) - 1] + digit

    def _without_zeros(self, text: str) -> str:
        """Take out the zeros that the picture puts in, where the text has its form."""
        kept, at = [], 0
        for symbol in self._symbols:
            if symbol in "SVP":
                continue
            part = text[at : at + len(symbol)]
            at += len(symbol)
            if symbol == "0":
                if part not in ("0", " ", "*"):
                    return text
                continue
            kept.append(part)
        return "".join(kept)

    def _bare(self, text: str) -> tuple[str, str]:
        """Take sign, currency sign and insertions off."""
        sign = ""
        if text.endswith(("CR", "DB")):
            sign, text = "-", text[:-2].rstrip(" ")
        elif text[-1] in "+-":
            sign, text = text[-1], text[:-1].rstrip(" ")
        for _ in range(2):
            if text[:1] in ("+", "-") and not sign:
                sign, text = text[0], text[1:].lstrip(" ")
            elif text and (text[0] == self._currency or unicodedata.category(text[0]) == "Sc"):
                text = text[1:].lstrip(" ")
        text = text.lstrip("*")
        if self._comma:
            text = text.translate(_SWAPPED)
        if "B" in self._symbols:
            text = text.replace(" ", "")
        return sign.strip("+"), text.replace(",", "").replace("/", "")

    def _value(self, sign: str, digits: str) -> Scalar:
        found = _NUMBER.fullmatch(digits)
        if found is None or not (found[1] or found[2]):
            raise ValueError("not a number as the picture prints it")
        if sign and not self._signed:
            raise ValueError("a minus, where the picture has no sign")
        if found[2] is None and "V" not in self._symbols:
            return scaled(sign + found[1] + "0" * max(self._scale, 0), self._scale)
        if found[2] is None:
            return scaled(sign + found[1], self._scale)
        if len(found[2]) > self._scale:
            raise ValueError(f"more than {self._scale} places after the point")
        return scaled(sign + found[1] + found[2].ljust(self._scale, "0"), self._scale)

    def put(self, value: object) -> str:
        """Give the number as the picture prints it."""
        number = whole(value, self._scale, self._expected)
        digits = str(abs(number)).zfill(self._digits)
        if len(digits) > self._digits or (number < 0 and not self._signed):
            raise ValueError(self._expected)
        if not number and self._blank_when_zero:
            return " " * self.size
        text = edit(self._symbols, digits, negative=number < 0)
        if self._currency != "$":
            text = text.replace("$", self._currency)
        if self._comma:
            text = text.translate(_SWAPPED)
        if self._punched and text[-1:].isdecimal():
            text = text[:-1] + self._punch(text[-1], negative=number < 0)
        return text

    def write(self, value: object) -> bytes:
        """Give the bytes of what ``put`` gives."""
        try:
            return self._page.bytes(self.put(value))
        except UnicodeEncodeError:
            raise ValueError(f"{self._page.name} has no sign of the picture") from None

    def source(self, function: Function, views: Views, at: int) -> str:
        """Leave it to ``read``."""
        del function, views, at
        return ""

    def _punch(self, digit: str, *, negative: bool) -> str:
        letter = ("KLMNOPQRST" if negative else "ABCDEFGHIJ")[int(digit)]
        return self._page.text(bytes([zones(self._page).index(ord(letter))]))


def parted(symbols: str) -> tuple[str, ...]:
    """Part a picture into its symbols; CR and DB are one each."""
    return tuple(re.findall(r"CR|DB|.", symbols))


def slots(symbols: tuple[str, ...]) -> list[int]:
    """Give the places of the symbols that a digit can stand at."""
    floating = _floating(symbols)
    places = [at for at, one in enumerate(symbols) if one in ("9", "Z", "*")]
    runs = [at for at, one in enumerate(symbols) if one == floating]
    return sorted(places + runs[1:])


def edit(symbols: tuple[str, ...], digits: str, *, negative: bool) -> str:
    """Print digits through a picture; there are as many as it has places for."""
    return _Editing(symbols, digits, negative=negative).text()


class _Editing:
    """One number on its way through a picture."""

    def __init__(self, symbols: tuple[str, ...], digits: str, *, negative: bool) -> None:
        self._symbols = symbols
        self._digits = digits
        self._negative = negative
        self._floating = _floating(symbols)
        self._slots = frozenset(slots(symbols))
        self._fill = "*" if "*" in symbols else " "
        self._out: list[str] = []
        self._suppressing = False
        self._printed = False
        self._next = 0
        self._anchor = -1

    def text(self) -> str:
        """Print it."""
        if not self._digits.strip("0") and self._slots and "9" not in self._symbols:
            return self._nothing()
        for at, symbol in enumerate(self._symbols):
            if symbol in "SP":
                continue
            self._out.append(self._one(at, symbol))
        if self._anchor >= 0:
            self._out[self._anchor] = self._sign(self._floating)
        return "".join(self._out)

    def _nothing(self) -> str:
        """Zero, where no digit must be printed: spaces, or asterisks around the point."""
        shown = [one for one in self._symbols if one not in "SVP"]
        if self._fill == " ":
            return " " * sum(map(len, shown))
        return "".join(one if one == "." else "*" * len(one) for one in shown)

    def _one(self, at: int, symbol: str) -> str:
        if at in self._slots:
            return self._digit(symbol)
        if symbol == self._floating:
            return self._hidden()
        if symbol in ("V", "."):
            self._suppressing, self._printed = False, True
            return "" if symbol == "V" else symbol
        if symbol in ("+", "-", "$", "CR", "DB"):
            return self._sign(symbol)
        if self._suppressing and not self._printed:
            return self._hidden()
        return " " if symbol == "B" else symbol

    def _digit(self, symbol: str) -> str:
        digit = self._digits[self._next]
        self._next += 1
        if symbol != "9" and not self._printed and digit == "0":
            return self._hidden()
        self._printed = True
        return digit

    def _hidden(self) -> str:
        self._suppressing = True
        if self._floating:
            self._anchor = len(self._out)
        return self._fill

    def _sign(self, symbol: str) -> str:
        if symbol == "$":
            return "$"
        if symbol == "+":
            return "-" if self._negative else "+"
        if symbol == "-":
            return "-" if self._negative else " "
        return symbol if self._negative else "  "


def _floating(symbols: tuple[str, ...]) -> str:
    """Give the symbol that floats: the one of signs and currency that stands more than once."""
    for one in _FLOATING:
        if symbols.count(one) > 1:
            return one
    return ""
