"""The SQLite triggers that capture a row, and how they write every value exactly.

A trigger here cannot catch an error of its own, so what it does must not be able to fail: no
constraint that a row could break, no text longer than SQLite allows, and no JSON function (SQLite
3.38 to 3.4x refuses them in a trigger, and with them the legacy statement, under ``PRAGMA
trusted_schema = OFF``; builds of before 3.38 need not have them). So an image is written in SQL's
own words, ``"name"='text',"other"=12``, by functions as old as partial indexes (3.8, of 2013).

``REPLACE`` is captured as an insert; the delete that it implies fires a trigger only where the
writer sets ``PRAGMA recursive_triggers``.

A value over ``Capture.large`` bytes stands in an image as its length, ``#70000``, so that the image
of one row is the same whenever it is written. ``fig_large`` keeps it under the event's own id and
the column's place in the image, ``<event_id>-3``.
"""

from __future__ import annotations

import re
from typing import Final

from ..dialect import Capture, Operation, Piece, Shape
from ..events import LARGE, TABLE_NAME
from ..when import condition
from .row import ROW_BYTES, most_of, row_image
from .words import ident, quoted

__all__ = ["row_key", "trigger"]

_EVENT_ID: Final = "hex(randomblob(16))"
_NOW: Final = "(julianday('now') - 2440587.5) * 86400.0"

_TRIGGER: Final = """\
CREATE TRIGGER {name} AFTER {timing} ON {table} FOR EACH ROW{when}
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
    {now}
  );{large}
END"""

# The newest event is the one that was just written: SQLite has one writer at a time. What is small
# is seen before anything is read (a test of constants, to SQLite).
_LARGE: Final = """
  INSERT INTO {large} (ref, source, bytes, kind, value, created_at)
  {values};"""

_IS_LARGE: Final = """\
length(CAST({value} AS BLOB)) > {most} AND typeof({value}) IN ('text', 'blob')
      AND length(CAST({value} AS BLOB)) <= {row}
      AND (typeof({value}) = 'blob' OR CAST('a' AS BLOB) = X'61')"""
"""Text is kept in UTF-8 only: from a database in UTF-16 there is its length and no more."""

_SMALL: Final = re.compile("INT|REAL|FLOA|DOUB|NUM|DEC|BOOL|DATE|TIME", re.IGNORECASE)
_TERMS: Final = 100
"""SQLite bounds the selects of one statement (500)."""

_KEPT: Final = """\
SELECT event_id || '-{place}', source, length(CAST({value} AS BLOB)),
    substr(typeof({value}), 1, 1), CAST({value} AS BLOB), created_at
    FROM {events} WHERE {is_large}
      AND id = (SELECT max(id) FROM {events})"""

# Cut, so that it cannot grow too large: keys that are equal so far only wait for each other.
_KEY: Final = """\
CASE typeof({value})
      WHEN 'text' THEN substr({value}, 1, 500)
      WHEN 'null' THEN ''
      WHEN 'blob' THEN hex(substr({value}, 1, 500))
      ELSE CAST({value} AS TEXT) END"""


def trigger(capture: Capture, operation: Operation) -> Piece:
    """Give the AFTER trigger of an operation, ``fig_<table>_<operation>``."""
    shape = capture.shape
    name = ident(f"fig_{shape.table}_{operation}")
    row = "OLD" if operation == "delete" else "NEW"
    when = condition(capture.when, operation, dialect="sqlite")
    create = _TRIGGER.format(
        name=name,
        operation=operation,
        timing=operation.upper(),
        table=ident(shape.table),
        when=f"\nWHEN {when}" if when else "",
        events=ident(TABLE_NAME),
        source=quoted(capture.source),
        event_id=_EVENT_ID,
        key=row_key(shape, row),
        before=row_image(shape, "OLD", capture.large) if operation != "insert" else "NULL",
        after=row_image(shape, "NEW", capture.large) if operation != "delete" else "NULL",
        digest=shape.digest,
        now=_NOW,
        large=_large(capture, row),
    )
    drop = f"DROP TRIGGER IF EXISTS {name}"
    return Piece(kind="trigger", name=f"fig_{shape.table}_{operation}", create=create, drop=drop)


def _large(capture: Capture, row: str) -> str:
    """Give the statements that keep what is too large for the image, some columns each."""
    most = most_of(capture.shape, capture.large)
    values = []
    for place, (name, declared) in enumerate(capture.shape.columns):
        if not _SMALL.search(declared):
            value = f"{row}.{ident(name)}"
            is_large = _IS_LARGE.format(value=value, most=most, row=ROW_BYTES)
            event = ident(TABLE_NAME)
            kept = _KEPT.format(place=place, value=value, is_large=is_large, events=event)
            values.append(kept)
    return "".join(
        _LARGE.format(
            large=ident(LARGE.name), values="\n  UNION ALL ".join(values[at : at + _TERMS])
        )
        for at in range(0, len(values), _TERMS)
    )


def row_key(shape: Shape, row: str) -> str:
    """Give the expression of a row's key; ``row`` is OLD, NEW or a table's alias."""
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
