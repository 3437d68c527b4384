"""Several values in one text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...ports import Converter
from .traits import Codes, Traits, traits_of

__all__ = ["MARKS", "series"]

MARKS: Final = {
    "comma": ",",
    "semicolon": ";",
    "blank": " ",
    "tab": "\t",
    "line": "\n",
    "bar": "|",
}
"""Marks between values that have a name, where the mark itself reads badly."""


class _Series:
    def __init__(self, mark: str, inner: Converter | None) -> None:
        self._mark = mark
        self._inner = inner
        each = Traits(type="text") if inner is None else traits_of(inner)
        self.traits = Traits(
            type=f"{each.type}[]" if each.type else "",
            table=each.table,
            codes=each.codes,
            values=each.values,
            settled=each.settled,
            passed=each.passed,
        )

    def decode(self, text: str) -> list[object]:
        if not text:
            return []
        parts = text.split(self._mark)
        if parts == [""]:
            raise ValueError("values between marks")
        if self._inner is None:
            return list(parts)
        return [self._inner.decode(part) for part in parts]

    def encode(self, value: object) -> str:
        if not isinstance(value, list | tuple):
            raise ValueError("a list")  # noqa: TRY004 - the port says ValueError
        parts = [self._part(one) for one in value]
        if parts == [""]:
            raise ValueError("more than one empty text: a single one would read as no values")
        return self._mark.join(parts)

    def _part(self, value: object) -> str:
        if self._inner is not None:
            text = self._inner.encode(value)
        elif isinstance(value, str):
            text = value
        else:
            raise ValueError("a list of texts")
        if self._mark in text:
            raise ValueError(f"values without {self._mark!r}, which stands between them")
        return text


def series(arguments: Sequence[str], codes: Codes) -> Converter:
    """``list(;)``, ``list(;, integer)``, ``list(comma, 'decimal(2)')``: an empty text is no values.

    The mark is one or more characters, or one of comma, semicolon, blank, tab, line and bar. Then
    comes the converter of each value, text by default.
    """
    if not arguments or not arguments[0]:
        raise ValueError("the mark between values: list(;), list(comma, integer)")
    mark = MARKS.get(arguments[0], arguments[0])
    return _Series(mark, _inner(arguments[1:], codes) if len(arguments) > 1 else None)


def _inner(arguments: Sequence[str], codes: Codes) -> Converter:
    from . import converter  # noqa: PLC0415 - it has this one in it

    quoted = ", ".join("'" + one.replace("'", "''") + "'" for one in arguments[1:])
    return converter(f"{arguments[0]}({quoted})" if quoted else arguments[0], codes)
