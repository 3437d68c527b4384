"""Kind ``row``: the image of a table's row, as a JSON object of column to value."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec

from ...config import options
from ...errors import ConfigError, EnvelopeError
from ...model import Record
from .shape import Leaf, Sides, Stray, Values

__all__ = ["RowShape", "row"]

_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_MOST_STRAYS: Final = 1000
# Numbers keep the digits that they came with: never through a float.
_IMAGE: Final = msgspec.json.Decoder(dict[str, Any], float_hook=str)
_RAW: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _From(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    columns: tuple[str, ...]


def row(table: Mapping[str, object], root: Path, place: str) -> Sides:
    """Build the one shape that both sides share: what legacy decided stands in the row too."""
    del root
    columns = options(_From, table, place).columns
    if not columns or len(set(columns)) != len(columns):
        raise ConfigError(
            "no columns, or one twice",
            place=f"{place}.columns",
            value=", ".join(columns),
            expected="every column of the row image, once",
        )
    shape = RowShape(columns)
    return Sides(root="row", request=shape, reply=shape, shared=True)


class RowShape:
    """A JSON object with these columns: strings, numbers, booleans and nulls."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.name = "row"
        self.leaves = tuple(Leaf(path=column, nullable=True) for column in columns)
        self._columns = frozenset(columns)

    def describe(self) -> bytes:
        """Give the columns as bytes."""
        return msgspec.json.encode([leaf.path for leaf in self.leaves])

    def read(self, record: Record) -> tuple[Values, Sequence[Stray]]:
        """Read the image. Raises ``EnvelopeError`` where it is not a JSON object."""
        image = _decode(_IMAGE, record.body)
        strays: list[Stray] = []
        for column, value in image.items():
            if value is not None and type(value) is not str:
                image[column] = _text(column, value, strays)
        if not image.keys() <= self._columns:
            expected = "one of " + ", ".join(leaf.path for leaf in self.leaves)
            strays += [
                Stray(column[:200], "is not among the columns", expected)
                for column in islice(image.keys() - self._columns, _MOST_STRAYS)
            ]
        return image, strays

    def places(self, record: Record) -> Mapping[str, str]:
        """Give nothing: an image has no lines."""
        del record
        return {}

    def write(self, values: Values, original: Record) -> bytes:
        """Put the values into the row image that they answer."""
        return self.patch(values, original)

    def patch(self, changes: Values, original: Record) -> bytes:
        """Put changes into the image; other values keep their bytes, columns their order."""
        if not changes:
            return original.body
        image: dict[str, bytes] = {
            column: bytes(raw) for column, raw in _decode(_RAW, original.body).items()
        }
        for column, text in changes.items():
            held = image.get(column, b'"')
            image[column] = _json(None if text is None else str(text), held)
        entries = (msgspec.json.encode(column) + b":" + raw for column, raw in image.items())
        return b"{" + b",".join(entries) + b"}"


def _decode(decoder: msgspec.json.Decoder[dict[str, Any]], body: bytes) -> dict[str, Any]:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise EnvelopeError(
            f"not the image of a row: {str(error) or 'nested too deeply'}",
            place="record",
            expected="a JSON object of column to string, number, true, false or null",
        ) from None


def _text(column: str, value: object, strays: list[Stray]) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    expected = "a string, a number, true, false or null"
    strays.append(Stray(column, "holds an object or a list", expected, broken=True))
    return None


def _json(text: str | None, before: bytes) -> bytes:
    """Write a column's new text as the kind of value that stood there before."""
    if text is None:
        return b"null"
    if before[:1] in b"-0123456789" and _NUMBER.fullmatch(text):
        return text.encode()
    if before in (b"true", b"false") and text in ("true", "false"):
        return text.encode()
    return msgspec.json.encode(text)
