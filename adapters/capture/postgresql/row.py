"""A row in SQL: the image and the key that triggers, backfill and reconcile write of it alike.

An image is letters, names and PostgreSQL's own text of a record: ``it["id","note"](7,"it's")``. The
letters are ``Image.kinds``; a letter ``l`` says that ``BYTES:REFERENCE`` stands for the value.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Final

from ..dialect import Shape
from .columns import Column, column
from .words import ident, quoted

__all__ = ["columns_of", "image", "key", "keys_of", "names"]

_KEY_BYTES: Final = 500
"""A longer key is cut, and told apart by a hash: an index holds no entry over 2,704 bytes."""


def columns_of(shape: Shape, large: int = 65_536) -> list[Column]:
    """Give what is captured of a table."""
    return [column(name, declared, large) for name, declared in shape.columns]


def keys_of(shape: Shape) -> list[Column]:
    """Give the columns of the key; of one that is not captured nobody knows the type."""
    types = dict(shape.columns)
    return [column(name, types.get(name, "unknown")) for name in shape.key]


def names(columns: Sequence[Column]) -> str:
    """Give the columns' names as they stand in an image."""
    return json.dumps([one.name for one in columns], ensure_ascii=False, separators=(",", ":"))


def image(columns: Sequence[Column], row: str) -> str:
    """Give the expression of a row's image."""
    head = "".join(one.letter for one in columns) + names(columns)
    return f"{quoted(head)} || {record(columns, row)}"


def record(columns: Sequence[Column], row: str) -> str:
    """Give the expression of a row's values as one text."""
    return f"ROW({', '.join(one.of(row) for one in columns)})::text"


def key(shape: Shape, row: str) -> str:
    """Give the expression of a row's key: equal ones are delivered one after the other.

    A table without a key has the hash of the captured values: equal rows keep their order.
    """
    keys = keys_of(shape)
    if not keys:
        return f"hashtextextended({record(columns_of(shape), row)}, 0)::text"
    if len(keys) > 1:
        return _cut(keys, lambda _: record(keys, row))
    (one,) = keys
    if one.letter == "t":
        return f"coalesce({_cut(keys, lambda column: f'{row}.{ident(column.name)}::text')}, '')"
    return f"coalesce({_cut(keys, lambda column: column.of(row) + '::text')}, '')"


def _cut(keys: Sequence[Column], text: Callable[[Column], str]) -> str:
    value = text(keys[0])
    if all(one.size == "small" for one in keys) and len(keys) < 8:
        return value
    return (
        f"CASE WHEN octet_length({value}) <= {_KEY_BYTES} THEN {value}"
        f" ELSE left({value}, {_KEY_BYTES - 40}) || '#' || hashtextextended({value}, 0) END"
    )
