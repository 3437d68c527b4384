"""How legacy writes a number: its point, its groups, its sign, its zeros."""

from __future__ import annotations

import re
from typing import Final

from .arguments import Arguments

__all__ = ["Notation", "notation_of"]

_MARKS: Final = frozenset(".,' _\u00a0\u202f")
_MOST: Final = 80


class Notation:
    """Between legacy's way and the plain one: an optional minus, digits, a point, digits.

    What ``plain`` takes, ``written`` gives back, as long as the plain text has no leading zeros.
    """

    def __init__(
        self,
        digits: int,
        *,
        comma: bool = False,
        thousands: str = "",
        trailing: bool = False,
        implied: bool = False,
        width: int = 0,
        lax: bool = False,
    ) -> None:
        self._lax = lax
        self._digits = digits
        self._point = "," if comma else "."
        self._thousands = thousands
        self._trailing = trailing
        self._implied = implied
        self._width = width
        mark = re.escape(thousands)
        whole = "[0-9]{1,80}"
        if thousands:
            whole = rf"[0-9]{{1,3}}(?:{mark}[0-9]{{3}})+|[0-9]{{1,{80 if lax else 3}}}"
        sign = "(?P<sign>[+-]?)"
        number = rf"(?P<whole>{whole})(?:{re.escape(self._point)}(?P<fraction>[0-9]{{0,40}}))?"
        if implied:
            number = r"(?P<whole>[0-9]{1,80})(?P<fraction>(?!))?"
        self._pattern = re.compile(number + sign if trailing else sign + number)
        self.example = self.written(
            ("1" if width else "-1234") + ("." + "5" * digits) * bool(digits)
        )

    def plain(self, text: str) -> str | None:
        """Give the plain text, None where it is not written so."""
        found = self._pattern.fullmatch(text)
        if found is None or not (self._lax or self._filled(text, found["sign"])):
            return None
        whole, fraction = found["whole"], found["fraction"]
        if self._thousands:
            whole = whole.replace(self._thousands, "")
        if self._implied and self._digits:
            whole = whole.rjust(self._digits + 1, "0")
            whole, fraction = whole[: -self._digits], whole[-self._digits :]
        if self._width or (self._implied and self._digits):
            whole = whole.lstrip("0") or "0"
        return f"{found['sign']}{whole}" + ("" if fraction is None else f".{fraction}")

    def written(self, plain: str) -> str:
        """Give legacy's text. Raises ``ValueError`` where it does not fit the width."""
        sign = "-" if plain.startswith("-") else ""
        whole, _, fraction = plain.removeprefix("-").partition(".")
        if self._implied:
            whole = (whole + fraction).lstrip("0") or "0"
            fraction = ""
        if self._thousands:
            whole = f"{int(whole):,}".replace(",", self._thousands)
        number = whole + (f"{self._point}{fraction}" if fraction else "")
        if self._width:
            places = self._places(sign) - len(sign)
            if len(number) > places:
                raise ValueError(f"a number that fits {self._width} places")
            number = number.rjust(places, "0")
        return number + sign if self._trailing else sign + number

    def _filled(self, text: str, sign: str) -> bool:
        if self._width:
            return len(text) == self._places(sign) and sign != "+"
        return (
            not self._implied or not text.lstrip("-").startswith("0") or text in ("0", "-0", "0-")
        )

    def _places(self, sign: str) -> int:
        # A sign behind stands beside the places, one in front takes a place of them.
        return self._width + len(sign) if self._trailing else self._width


def notation_of(left: Arguments, digits: int, *, lax: bool) -> Notation | None:
    """Take ``comma``, ``thousands=X``, ``trailing``, ``implied`` and ``width=N``; None for none."""
    comma, trailing, implied = (left.flag(one) for one in ("comma", "trailing", "implied"))
    width = left.number("width", 2, _MOST)
    thousands = left.value("thousands")
    if thousands is not None and (thousands not in _MARKS or thousands == (",", ".")[not comma]):
        raise ValueError("thousands=X with a mark other than the point: ' _ . , or a blank")
    if implied and (comma or thousands):
        raise ValueError("implied without comma and thousands: nothing is written")
    if width is not None and thousands:
        raise ValueError("either width=N or thousands=X")
    if width is not None and width < digits + (1 if implied else 2):
        raise ValueError(f"width=N with room for {digits} digits")
    if not (comma or trailing or implied or thousands or width):
        return None
    return Notation(
        digits,
        comma=comma,
        thousands=thousands or "",
        trailing=trailing,
        implied=implied,
        width=width or 0,
        lax=lax,
    )
