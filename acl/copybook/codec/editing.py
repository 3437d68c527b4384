"""How COBOL prints a number through an edited picture.

The rules are those of MOVE to a numeric-edited item (IBM Enterprise COBOL Language Reference,
"Editing rules"): zero suppression with Z and ``*``, floating and fixed signs and currency signs,
insertion of B, 0, ``/``, comma and point.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["parts", "print_through", "slots"]

_FLOATING: Final = "+-$"


def parts(symbols: str) -> tuple[str, ...]:
    """Part a picture into its symbols; CR and DB are one each."""
    return tuple(re.findall(r"CR|DB|.", symbols))


def slots(symbols: tuple[str, ...]) -> list[int]:
    """Give the places of the symbols that a digit can stand at."""
    floating = _floating(symbols)
    places = [at for at, one in enumerate(symbols) if one in ("9", "Z", "*")]
    runs = [at for at, one in enumerate(symbols) if one == floating]
    return sorted(places + runs[1:])


def print_through(symbols: tuple[str, ...], digits: str, *, negative: bool) -> str:
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
