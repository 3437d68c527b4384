"""Whole numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from ...ports import Converter
from ..generate import Function
from .traits import Codes, Traits, refuse_arguments

__all__ = ["integer"]

_CANONICAL: Final = re.compile(r"0|-?[1-9][0-9]{0,37}")
_LAX: Final = re.compile(r"[+-]?[0-9]{1,38}")
_LARGEST: Final = 10**38 - 1
_SMALL: Final = {str(number): number for number in range(10_000)}
"""Looking a number up costs a third of reading it: counts, branches and days are small."""


class _Integer:
    def __init__(self, width: int, lax: bool) -> None:
        self._width = width
        self._lax = lax
        if width:
            self._pattern = re.compile(rf"[0-9]{{{width}}}|-(?!0+\Z)[0-9]{{{width - 1}}}")
            self._expected = f"a whole number of {width} digits, filled up with zeros"
        else:
            self._pattern = _LAX if lax else _CANONICAL
            self._expected = (
                "a whole number of at most 38 digits"
                if lax
                else "a whole number without leading zeros or + (integer(lax) takes them)"
            )
        self.traits = Traits(
            type="integer",
            inline=self._inline,
            inline_encode=None if width else self._inline_encode,
            native={} if width else {"integer": _native},
        )

    def decode(self, text: str) -> int:
        if self._pattern.fullmatch(text) is None:
            raise ValueError(self._expected)
        return int(text)

    def encode(self, value: object) -> str:
        if type(value) is not int or not -_LARGEST <= value <= _LARGEST:
            raise ValueError("a whole number of at most 38 digits")
        if not self._width:
            return str(value)
        text = f"{value:0{self._width}d}"
        if len(text) > self._width:
            raise ValueError(f"a whole number that fits {self._width} places")
        return text

    def _inline(self, function: Function, name: str) -> str:
        careful = f"{function.constant(self.decode)}({name})"
        if self._width:
            digits = f"{name}.isdigit() and {name}.isascii() and len({name}) == {self._width:d}"
            return f"(int({name}) if {digits} else {careful})"
        digits = f"{name}.isdigit() and {name}.isascii() and len({name}) < 39"
        if self._lax:
            return f"(int({name}) if {digits} else {careful})"
        number, small = function.fresh(), function.constant(_SMALL.get)
        known = f"({number} := {small}({name})) is not None"
        return (
            f"({number} if {known} else int({name}) if {name} >= '1' and {digits} else {careful})"
        )

    def _inline_encode(self, function: Function, name: str) -> str:
        low, high = function.constant(-_LARGEST), function.constant(_LARGEST)
        fits = f"type({name}) is int and {low} <= {name} <= {high}"
        return f"(str({name}) if {fits} else {function.refuse()})"


def _native(function: Function, name: str) -> str:
    low, high = function.constant(-_LARGEST), function.constant(_LARGEST)
    fits = f"type({name}) is int and {low} <= {name} <= {high}"
    return f"({name} if {fits} else {function.refuse()})"


def integer(arguments: Sequence[str], codes: Codes) -> Converter:
    """``integer``; ``integer(6)``: six places, filled up with zeros, a minus taking one.

    ``integer(lax)`` decodes leading zeros and a plus as well; it encodes without them.
    """
    del codes
    left = list(arguments)
    lax = left == ["lax"]
    width = 0
    if left and left[0].isascii() and left[0].isdigit():
        width = int(left.pop(0)[:6])
        if not 2 <= width <= 38:
            raise ValueError("a width of 2 to 38")
    refuse_arguments([] if lax else left, "a width or lax")
    return _Integer(width, lax)
