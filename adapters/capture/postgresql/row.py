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

__all__ = ["HASH", "JOIN", "columns_of", "image", "image_apart", "key", "keys_of", "names"]

JOIN: Final = "OPERATOR(pg_catalog.||)"
"""Everything is named with its schema: what stands in a function of ours means the same wherever a
session looks first, and nobody can put something of his own in its place."""
HASH: Final = "pg_catalog.hashtextextended"
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
    """Give the expression of the image of a row without large values."""
    head = "".join(one.letter for one in columns) + names(columns)
    return f"{quoted(head)} {JOIN} {record(columns, row)}"


def image_apart(
    columns: Sequence[Column],
    *,
    value: Callable[[int], str],
    large: Callable[[int], str],
    reference: Callable[[int], str],
) -> str:
    """Give the expression of an image in whose place of large values stand their references.

    The three are asked for by a column's place: its value, whether it is large, its reference.
    """
    letters, values = [], []
    for at, one in enumerate(columns):
        if one.size == "small":
            letters.append(quoted(one.letter))
            values.append(value(at))
            continue
        text = f"{value(at)}::pg_catalog.text"
        written = value(at) if one.base == "bytea" else text
        letters.append(f"CASE WHEN {large(at)} THEN 'l' ELSE '{one.letter}' END")
        values.append(
            f"CASE WHEN {large(at)}"
            f" THEN pg_catalog.octet_length({written}) {JOIN} ':' {JOIN} {reference(at)}"
            f" ELSE {text} END"
        )
    head = f" {JOIN} ".join(letters) or "''"
    values_text = f"ROW({', '.join(values)})::pg_catalog.text"
    return f"{head}\n    {JOIN} {quoted(names(columns))} {JOIN} {values_text}"


def record(columns: Sequence[Column], row: str) -> str:
    """Give the expression of a row's values as one text."""
    return f"ROW({', '.join(one.of(row) for one in columns)})::pg_catalog.text"


def key(shape: Shape, row: str) -> str:
    """Give the expression of a row's key: equal ones are delivered one after the other.

    A table without a key has the hash of the captured values: equal rows keep their order.
    """
    keys = keys_of(shape)
    if not keys:
        return f"{HASH}({record(columns_of(shape), row)}, 0)::pg_catalog.text"
    if len(keys) > 1:
        return _cut(keys, lambda _: record(keys, row))
    (one,) = keys
    if one.letter == "t":
        plain = f"{row}.{ident(one.name)}::pg_catalog.text"
        return f"coalesce({_cut(keys, lambda _: plain)}, '')"
    return f"coalesce({_cut(keys, lambda column: column.text(row))}, '')"


def _cut(keys: Sequence[Column], text: Callable[[Column], str]) -> str:
    value = text(keys[0])
    if all(one.size == "small" for one in keys) and len(keys) < 8:
        return value
    return (
        f"CASE WHEN pg_catalog.octet_length({value}) OPERATOR(pg_catalog.<=) {_KEY_BYTES}"
        f" THEN {value} ELSE pg_catalog.left({value}, {_KEY_BYTES - 40})"
        f" {JOIN} '#' {JOIN} {HASH}({value}, 0) END"
    )
