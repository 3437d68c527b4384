"""The shape of a legacy table as it is now, and the part of it that is captured."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import NoReturn

import msgspec
from sqlalchemy import inspect
from sqlalchemy.engine import Connection

from ...errors import LegacyError
from .dialect import Capture, Dialect, Shape
from .events import TABLES

__all__ = ["as_now", "chosen", "shape_of"]

_OURS = {table.name for table in TABLES}


def shape_of(
    connection: Connection, dialect: Dialect, table: str, *, place: str, schema: str = ""
) -> Shape:
    """Read all columns of a table and its primary key.

    Raises ``LegacyError`` where there is none of that name, or it is a view or one of ours.
    """
    looked, within = inspect(connection), schema or None
    columns = dialect.columns(connection, table, schema)
    if not columns:
        _unknown("there is no such table", table, looked.get_table_names(within), place)
    if table.lower() in _OURS or table in looked.get_view_names(within):
        expected = "a table of the legacy system; triggers on views and on our own cannot capture"
        raise LegacyError("cannot be captured", place=place, value=repr(table), expected=expected)
    return Shape(
        table=table,
        columns=tuple(columns.items()),
        key=tuple(looked.get_pk_constraint(table, within)["constrained_columns"]),
        all_columns=tuple(columns),
        schema=schema,
    )


def chosen(shape: Shape, columns: Sequence[str], key: Sequence[str], *, place: str) -> Shape:
    """Give the part of a table that is captured: ``columns`` (none: all), in order by ``key``.

    Raises ``LegacyError`` for a column that there is not.
    """
    types = dict(shape.columns)
    for name in (*columns, *key):
        if name not in types:
            _unknown(f"table {shape.table!r} has no such column", name, list(types), place)
    return msgspec.structs.replace(
        shape,
        columns=tuple((name, types[name]) for name in columns or types),
        key=tuple(key) or shape.key,
    )


def as_now(former: Capture, capture: Capture, present: Mapping[str, str]) -> Capture | None:
    """Give a capture of the columns that were captured before, as the table has them now.

    None where one of them is gone: then the image that was made of them cannot be made again.
    """
    names = [name for name, _ in former.shape.columns]
    if not present.keys() >= set(names):
        return None
    columns = tuple((name, present[name]) for name in names)
    shape = msgspec.structs.replace(capture.shape, columns=columns)
    return msgspec.structs.replace(capture, shape=shape, large=former.large)


def _unknown(message: str, name: str, known: Sequence[str], place: str) -> NoReturn:
    close = difflib.get_close_matches(name, known, n=1)
    raise LegacyError(
        message,
        place=place,
        value=repr(name),
        expected="one of " + (", ".join(known) or "(there are none)"),
        remedy=f"did you mean {close[0]!r}?" if close else "mend the name",
    )
