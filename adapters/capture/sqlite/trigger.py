"""The SQLite trigger that captures a row, and how it writes every value exactly.

A trigger here cannot catch an error of its own, so what it does must not be able to fail: no
constraint that a row could break, no text longer than SQLite allows, and no JSON function (SQLite
3.38 to 3.4x refuses them in a trigger, and with them the legacy statement, under ``PRAGMA
trusted_schema = OFF``; builds of before 3.38 need not have them). So an image is written in SQL's
own words, ``"name"='text',"other"=12``, by functions as old as partial indexes (3.8, of 2013).

``REPLACE`` is captured as an insert; the delete that it implies fires a trigger only where the
writer sets ``PRAGMA recursive_triggers``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import literal
from sqlalchemy.dialects import sqlite

from ..dialect import Operation, Shape
from ..events import TABLE_NAME

__all__ = ["ident", "is_of", "trigger"]

_DIALECT: Final = sqlite.dialect()
_EVENT_ID: Final = "lower(hex(randomblob(16)))"
_MOST_BYTES: Final = 4_194_304
"""A longer value is not copied into an event: its length stands there."""
_ROW_BYTES: Final = 900_000_000
"""SQLite refuses text over 1e9 bytes, and a refusal would fail the legacy statement."""

_TRIGGER: Final = """\
CREATE TRIGGER {name} AFTER {timing} ON {table} FOR EACH ROW
BEGIN
  INSERT INTO {events}
    (source, event_id, "key", op, "before", "after", schema_hash, created_at)
  VALUES (
    {source}, {event_id},
    {key},
    '{operation}',
    {before},
    {after},
    '{digest}',
    (julianday('now') - 2440587.5) * 86400.0
  );
END"""

# quote() gives integers, NULL and BLOBs exactly; it cuts text at a NUL, and rounds some reals (of
# which 26 digits, on the other hand, give every one back).
_VALUE: Final = """\
CASE typeof({value})
      WHEN 'text' THEN CASE
        WHEN length(CAST({value} AS BLOB)) > {most} THEN '#' || length(CAST({value} AS BLOB))
        WHEN instr({value}, char(0)) THEN '@' || hex({value})
        ELSE quote({value}) END
      WHEN 'blob' THEN CASE
        WHEN length({value}) > {most} THEN '#' || length({value})
        ELSE quote({value}) END
      WHEN 'real' THEN printf('%!.25e', {value})
      ELSE quote({value}) END"""

# Cut, so that it cannot grow too large: keys that are equal so far only wait for each other.
_KEY: Final = """\
CASE typeof({value})
      WHEN 'text' THEN substr({value}, 1, 500)
      WHEN 'null' THEN ''
      WHEN 'blob' THEN hex(substr({value}, 1, 500))
      ELSE CAST({value} AS TEXT) END"""


def trigger(shape: Shape, source: str, operation: Operation) -> str:
    """Give the statement that creates an AFTER trigger, ``fig_<table>_<operation>``."""
    return _TRIGGER.format(
        name=ident(f"fig_{shape.table}_{operation}"),
        operation=operation,
        timing=operation.upper(),
        table=ident(shape.table),
        events=ident(TABLE_NAME),
        source=_literal(source),
        event_id=_EVENT_ID,
        key=_key(shape, "OLD" if operation == "delete" else "NEW"),
        before=_image(shape, "OLD") if operation != "insert" else "NULL",
        after=_image(shape, "NEW") if operation != "delete" else "NULL",
        digest=shape.digest,
    )


def is_of(statement: str, source: str) -> bool:
    """Look for the source where our triggers write it."""
    return f"{_literal(source)}, {_EVENT_ID}," in statement


def ident(name: str) -> str:
    """Quote an identifier."""
    return _DIALECT.identifier_preparer.quote_identifier(name)


def _image(shape: Shape, row: str) -> str:
    most = min(_MOST_BYTES, _ROW_BYTES // (2 * len(shape.columns)))  # hex doubles
    parts = []
    for at, (name, _) in enumerate(shape.columns):
        label = _literal(f"{',' if at else ''}{ident(name)}=")
        value = _VALUE.format(value=f"{row}.{ident(name)}", most=most)
        parts.append(f"{label} || {value}")
    return _joined(parts)


def _joined(parts: Sequence[str]) -> str:
    """Join as a balanced tree, for SQLite bounds the depth of an expression (1,000)."""
    if len(parts) <= 8:
        return " ||\n    ".join(parts)
    half = len(parts) // 2
    return f"({_joined(parts[:half])}) ||\n    ({_joined(parts[half:])})"


def _key(shape: Shape, row: str) -> str:
    if not shape.key:
        names = {name.lower() for name in shape.all_columns}
        address = next(name for name in ("rowid", "_rowid_", "oid") if name not in names)
        return f"CAST({row}.{ident(address)} AS TEXT)"
    values = [f"{row}.{ident(name)}" for name in shape.key]
    if len(values) == 1:
        return _KEY.format(value=values[0])
    return " || ',' || ".join(f"quote({_short(value)})" for value in values)


def _short(value: str) -> str:
    cut = f"typeof({value}) IN ('text', 'blob')"
    return f"CASE WHEN {cut} THEN substr({value}, 1, 500) ELSE {value} END"


def _literal(text: str) -> str:
    return str(literal(text).compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))
