"""Flat JSON documents, read in one call of the decoder and proven whole by a count."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, TypedDict, cast

import msgspec

from .json_tree import Group, Value

__all__ = ["DIGITS", "FlatReader", "fits", "flat_reader", "quotes"]

DIGITS: Final = 100
"""How far a number may reach on either side of the point: 1E400000000 is no number of anybody's."""

_ESCAPE: Final = re.compile(rb"\\.")
_TYPES: Final[Mapping[str, type]] = {
    "text": str,
    "integer": int,
    "decimal": Decimal,
    "boolean": bool,
}
_Decode = Callable[[bytes], dict[str, Any]]


def quotes(body: bytes) -> int:
    """Count the quotes that open or close a text."""
    if b"\\" in body:
        body = _ESCAPE.sub(b"", body)
    return body.count(b'"')


def fits(number: Decimal) -> bool:
    """Say whether a number may be written out."""
    return -DIGITS <= number.adjusted() <= DIGITS


class FlatReader:
    """Reads what is as expected, and gives None for all else.

    The decoder takes the last of two values of one name, and leaves out names that nobody knows.
    Both cost quotes: where there are as many as the names and texts that were taken have, there was
    nothing else.
    """

    def __init__(self, kinds: Mapping[str, str]) -> None:
        self._texts = all(kind == "text" for kind in kinds.values())
        self._full = _decoder({name: _TYPES[kind] for name, kind in kinds.items()})
        self._holed = _decoder({name: _TYPES[kind] | None for name, kind in kinds.items()})
        self._decimals = [name for name, kind in kinds.items() if kind == "decimal"]

    def read(self, body: bytes) -> dict[str, Any] | None:
        """Give the values by name, None where somebody has to look more closely."""
        try:
            values = self._full(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
            return self._with_nulls(body)
        found = quotes(body) if b"\\" in body else body.count(b'"')
        if self._texts:
            return values if found == 4 * len(values) else None
        return values if self._whole(values, found) else None

    def _with_nulls(self, body: bytes) -> dict[str, Any] | None:
        try:
            values = self._holed(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
            return None
        return values if self._whole(values, quotes(body)) else None

    def _whole(self, values: Mapping[str, Any], found: int) -> bool:
        texts = list(map(type, values.values())).count(str)
        return found == 2 * (len(values) + texts) and all(
            (number := values.get(name)) is None or fits(number) for name in self._decimals
        )


def flat_reader(root: Group) -> FlatReader | None:
    """Give a reader for documents without groups, lists and JSON inside; None for others."""
    kinds: dict[str, str] = {}
    for name, child in root.children.items():
        if not isinstance(child, Value) or child.type not in _TYPES:
            return None
        kinds[name] = child.type
    return FlatReader(kinds)


def _decoder(fields: Mapping[str, Any]) -> _Decode:
    make: Any = TypedDict
    return cast("_Decode", msgspec.json.Decoder(make("document", fields, total=False)).decode)
