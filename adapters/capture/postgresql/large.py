"""Rows with values too large for an event: these go to ``fig_large``, in the same statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..dialect import Capture, Operation
from ..events import EVENTS, LARGE
from .columns import Column, is_large
from .insert import CLOCK, COLUMNS, PLACE, event, rows_of
from .row import HASH, JOIN, columns_of, image_apart, key
from .words import ident, qualified, quoted

__all__ = ["has_large", "large_events_of"]

_INTO: Final = "(ref, source, bytes, kind, value, created_at)"
_ENCODING: Final = (
    "CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII'"
    " THEN 'SQL_ASCII' ELSE 'UTF8' END"
)


def has_large(capture: Capture, operation: Operation, *, known: bool = False) -> str:
    """Give the condition under which a row, or one of a statement's, has a large value.

    Empty where none can have. ``known``: only of values whose size is known without fetching them.
    """
    columns = [one for one in columns_of(capture.shape, capture.large) if one.size != "small"]
    if known:
        columns = [one for one in columns if one.size == "known"]
    if not columns or operation == "truncate":
        return ""
    rows = {"insert": ["NEW"], "delete": ["OLD"]}.get(operation, ["NEW", "OLD"])
    sizes = {row: " OR ".join(is_large(one, row, capture.large) for one in columns) for row in rows}
    if known:
        return "\n  OR ".join(sizes.values())
    return "\n  OR ".join(
        f"EXISTS (SELECT FROM fig_{row.lower()} AS {row} WHERE {size})"
        for row, size in sizes.items()
    )


def large_events_of(capture: Capture, operation: Operation, home: str, *, by_row: bool) -> str:
    """Give the statement that writes the large values of rows, and then their events.

    A reference is the event's id and the column's place; an update's old value has a ``b`` behind
    it, unless it is the new one's as well.
    """
    columns = columns_of(capture.shape, capture.large)
    rows = {"insert": ["NEW"], "delete": ["OLD"]}.get(operation, ["NEW", "OLD"])
    where = f"\n  WHERE {capture.when}" if capture.when and not by_row else ""
    source = _one_row(rows, capture) if by_row else rows_of(operation, alone=not capture.when)
    apart = "\n  UNION ALL ".join(
        _apart(capture, one, row, at, shared=row != rows[0])
        for row in rows
        for at, one in enumerate(columns)
        if one.size != "small"
    )
    before, after = (
        _image(columns, row, shared=len(rows) == 2) if row in rows else "NULL"
        for row in ("OLD", "NEW")
    )
    values = event(capture, operation, key="fig_key", before=before, after=after, known_as="fig_id")
    return (
        f"WITH fig_rows AS MATERIALIZED (\n  SELECT {_reading(capture, columns, rows)}\n"  # noqa: S608 all of it is quoted
        f"  FROM {source}{where}\n"
        f"), fig_apart AS (\n  INSERT INTO {qualified(home, LARGE.name)} {_INTO}\n  {apart}\n)\n"
        f"INSERT INTO {qualified(home, EVENTS.name)} {COLUMNS}\n"
        f"SELECT {values}\nFROM fig_rows ORDER BY fig_place;"
    )


def _one_row(rows: Sequence[str], capture: Capture) -> str:
    """Make relations of the rows of a row trigger."""
    everything = [ident(name) for name in {*dict(capture.shape.columns), *capture.shape.key}]
    return ", ".join(
        f"(SELECT {', '.join(f'{row}.{name} AS {name}' for name in sorted(everything))}) AS {row}"
        for row in rows
    )


def _reading(capture: Capture, columns: Sequence[Column], rows: Sequence[str]) -> str:
    """Name everything by its place, and say which values are large."""
    paired = capture.level == "statement" and len(rows) == 2
    parts = [f"NEW.{PLACE} AS fig_place" if paired else "1 AS fig_place"]
    parts += [
        "pg_catalog.gen_random_uuid()::pg_catalog.text AS fig_id",
        f"{_key(capture, rows[0])} AS fig_key",
    ]
    for row in rows:
        name = row.lower()
        for at, one in enumerate(columns):
            parts.append(f"{one.of(row)} AS {name}{at}")
            if one.size != "small":
                large = f"coalesce({is_large(one, row, capture.large)}, false)"
                parts.append(f"{large} AS {name}_large{at}")
    return ",\n    ".join(parts)


def _key(capture: Capture, row: str) -> str:
    if capture.shape.key:
        return key(capture.shape, row)
    # A table without a key: its large values count by their sizes.
    columns = columns_of(capture.shape, capture.large)
    parts = [
        one.of(row)
        if one.size == "small"
        else f"CASE WHEN {is_large(one, row, capture.large)}"
        f" THEN pg_catalog.octet_length({one.text(row)})::pg_catalog.text"
        f" ELSE {one.text(row)} END"
        for one in columns
    ]
    return f"{HASH}(ROW({', '.join(parts)})::pg_catalog.text, 0)::pg_catalog.text"


def _apart(capture: Capture, column: Column, row: str, at: int, *, shared: bool) -> str:
    name = row.lower()
    value = f"{name}{at}"
    text = f"{value}::pg_catalog.text"
    written = f"pg_catalog.convert_to({text}, {_ENCODING})"
    content = value if column.base == "bytea" else written
    unlike = f" AND NOT {_same(at)}" if shared else ""
    return (
        f"SELECT {_reference(row, at, shared=False)}, {quoted(capture.source)},"  # noqa: S608 all of it is quoted
        f" {_bytes(column, value)}, '{column.letter}', {content}, {CLOCK}\n    FROM fig_rows"
        f" WHERE {name}_large{at}{unlike}"
    )


def _same(at: int) -> str:
    old, new = (f'{row}{at}::pg_catalog.text COLLATE pg_catalog."C"' for row in ("old", "new"))
    return f"(new_large{at} AND {old} OPERATOR(pg_catalog.=) {new})"


def _reference(row: str, at: int, *, shared: bool) -> str:
    if row == "NEW":
        return f"fig_id {JOIN} '-{at}'"
    behind = f"CASE WHEN {_same(at)} THEN '' ELSE 'b' END" if shared else "'b'"
    return f"fig_id {JOIN} '-{at}' {JOIN} {behind}"


def _bytes(column: Column, value: str) -> str:
    written = value if column.base == "bytea" else f"{value}::pg_catalog.text"
    return f"pg_catalog.octet_length({written})"


def _image(columns: Sequence[Column], row: str, *, shared: bool) -> str:
    name = row.lower()

    def reference(at: int) -> str:
        return _reference(row, at, shared=shared)

    return image_apart(
        columns,
        value=lambda at: f"{name}{at}",
        large=lambda at: f"{name}_large{at}",
        reference=reference,
    )
