"""The SQLite trigger that captures a row, and how it writes every value exactly.

A trigger here cannot catch an error of its own, so what it does must not be able to fail: no
constraint that a row could break, no value that JSON cannot hold, no text longer than SQLite
allows. It needs the JSON functions in the SQLite *of the legacy program* (built in since 3.38 and
usual since 3.9). ``REPLACE`` is captured as an insert; the delete that it implies fires a trigger
only where the writer sets ``PRAGMA recursive_triggers``.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import literal
from sqlalchemy.dialects import sqlite

from .capture import Operation, Shape
from .events import TABLE_NAME

__all__ = ["ident", "is_of", "trigger"]

_DIALECT: Final = sqlite.dialect()
_EVENT_ID: Final = "lower(hex(randomblob(16)))"
_MOST_BYTES: Final = 4_194_304
"""A longer value is not copied into an event: its length stands there."""
_ROW_BYTES: Final = 900_000_000
"""SQLite refuses text over 1e9 bytes, and a refusal would fail the legacy statement."""
_GROUP: Final = 40
"""Columns in one json_object(): older builds allow 100 arguments."""

_TRIGGER: Final = """\
CREATE TRIGGER {name} AFTER {timing} ON {table} FOR EACH ROW
BEGIN
  INSERT INTO {events}
    (source, event_id, "key", op, "before", "after", kinds, schema_hash, created_at)
  VALUES (
    {source}, {event_id},
    {key},
    '{operation}',
    {before},
    {after},
    {kinds},
    '{digest}',
    (julianday('now') - 2440587.5) * 86400.0
  );
END"""


_VALUE: Final = """CASE typeof({value})
        WHEN 'text' THEN CASE WHEN length(CAST({value} AS BLOB)) <= {most}
          THEN {value} ELSE length(CAST({value} AS BLOB)) END
        WHEN 'blob' THEN CASE WHEN length({value}) <= {most}
          THEN hex({value}) ELSE length({value}) END
        WHEN 'real' THEN CASE WHEN CAST(printf('%!.15g', {value}) AS REAL) = {value}
          THEN printf('%!.15g', {value}) ELSE printf('%!.17g', {value}) END
        ELSE CAST({value} AS TEXT) END"""


def trigger(shape: Shape, source: str, operation: Operation) -> str:
    """Give the statement that creates an AFTER trigger, ``fig_<table>_<operation>``."""
    row = "OLD" if operation == "delete" else "NEW"
    kinds = _kinds(shape, row)
    if operation == "update":
        kinds = f"{_kinds(shape, 'OLD')} || '>' || {kinds}"
    return _TRIGGER.format(
        name=ident(f"fig_{shape.table}_{operation}"),
        operation=operation,
        timing=operation.upper(),
        table=ident(shape.table),
        events=ident(TABLE_NAME),
        source=_literal(source),
        event_id=_EVENT_ID,
        key=_key(shape, row),
        before=_image(shape, "OLD") if operation != "insert" else "NULL",
        after=_image(shape, "NEW") if operation != "delete" else "NULL",
        kinds=kinds,
        digest=shape.digest,
    )


def is_of(statement: str, source: str) -> bool:
    """Look for the source where our triggers write it."""
    return f"{_literal(source)}, {_EVENT_ID}," in statement


def ident(name: str) -> str:
    """Quote an identifier."""
    return _DIALECT.identifier_preparer.quote_identifier(name)


def _image(shape: Shape, row: str) -> str:
    most = min(_MOST_BYTES, _ROW_BYTES // (6 * len(shape.columns)))  # JSON may need \\u0000: six
    pairs = [f"{_literal(name)}, {_value(row, name, most)}" for name, _ in shape.columns]
    groups = [",\n      ".join(pairs[at : at + _GROUP]) for at in range(0, len(pairs), _GROUP)]
    objects = [f"json_object(\n      {group}\n    )" for group in groups]
    # Values are text, null or a number, so a brace at an end is the object's own.
    left = [f"rtrim({text}, '}}')" for text in objects[:-1]] + objects[-1:]
    return " || ',' || ".join(left[:1] + [f"ltrim({text}, '{{')" for text in left[1:]])


def _value(row: str, name: str, most: int) -> str:
    """Give the exact text of a value of any type, for SQLite types values and not columns."""
    value = f"{row}.{ident(name)}"
    return _VALUE.format(value=value, most=most)


def _key(shape: Shape, row: str) -> str:
    if not shape.key:
        names = {name.lower() for name in shape.all_columns}
        address = next(name for name in ("rowid", "_rowid_", "oid") if name not in names)
        return f"CAST({row}.{ident(address)} AS TEXT)"
    parts = [_value(row, name, _MOST_BYTES) for name in shape.key]
    if len(parts) == 1:
        return f"coalesce(CAST({parts[0]} AS TEXT), '')"
    return f"json_array({', '.join(parts)})"


def _kinds(shape: Shape, row: str) -> str:
    return " || ".join(f"substr(typeof({row}.{ident(name)}), 1, 1)" for name, _ in shape.columns)


def _literal(text: str) -> str:
    return str(literal(text).compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))
