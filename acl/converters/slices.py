"""Patterns of fixed width, read by slices in a compiled mapping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from ..generate import Function

__all__ = ["Slices", "slices_of"]

_WIDTHS: Final[Mapping[str, int]] = {
    "year": 4,
    "month": 2,
    "day": 2,
    "hour": 2,
    "minute": 2,
    "second": 2,
}
_ORDER: Final = ("year", "month", "day", "hour", "minute", "second")


class Slices(NamedTuple):
    """Where the digits of each part stand, where the marks between them, and how long it all is."""

    parts: Mapping[str, tuple[int, int]]
    marks: tuple[tuple[int, str], ...]
    length: int

    def check(self, function: Function, name: str) -> str:
        """Give an expression that is true for texts of this pattern; it raises for what is no text.

        The digits may still be those of no day and no time.
        """
        tests = [f"{name}.isascii()", f"len({name}) == {self.length:d}"]
        if not self.marks:
            return " and ".join([*tests, f"{name}.isdigit()"])
        pieces: list[str] = []
        at = 0
        for start, mark in self.marks:
            if start > at:
                pieces.append(f"{name}[{at:d}:{start:d}]")
            end = start + len(mark)
            tests.append(f"{name}[{start:d}:{end:d}] == {function.constant(mark)}")
            at = end
        if at < self.length:
            pieces.append(f"{name}[{at:d}:]")
        return " and ".join([*tests, f"({' + '.join(pieces)}).isdigit()"])

    def arguments(self, name: str) -> str:
        """Give the arguments of ``date``, ``time`` or ``datetime``."""
        found = [self._number(name, part) for part in _ORDER if part in self.parts]
        if "fraction" in self.parts:
            start, end = self.parts["fraction"]
            found.append(f"{self._number(name, 'fraction')} * {10 ** (6 - end + start):d}")
        return ", ".join(found)

    def _number(self, name: str, part: str) -> str:
        start, end = self.parts[part]
        return f"int({name}[{start:d}:{end:d}])"


def slices_of(pieces: list[tuple[str, str]]) -> Slices | None:
    """Build them from a pattern's pieces, part and text; None where a part has no fixed width.

    A piece without a part is a mark between others.
    """
    parts: dict[str, tuple[int, int]] = {}
    marks: list[tuple[int, str]] = []
    at = 0
    for part, text in pieces:
        width = len(text) if part in ("", "fraction") else _WIDTHS.get(part, 0)
        if width != len(text):
            return None
        if part:
            parts[part] = (at, at + width)
        elif text:
            marks.append((at, text))
        at += width
    told = [part for part in _ORDER if part in parts]
    # A part that is not told, with others behind it, would move the arguments.
    first = _ORDER.index(told[0]) if told else 0
    whole = told == list(_ORDER[first : first + len(told)]) and first in (0, _ORDER.index("hour"))
    return Slices(parts, tuple(marks), at) if whole else None
