"""Rows with values too large for an event: these go to ``fig_large`` first, in the same statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..dialect import Capture, Operation
from ..events import EVENTS, LARGE
from .columns import Column
from .insert import CLOCK, COLUMNS, PLACE, event, rows_of
from .row import columns_of, key, names
from .words import ident, qualified, quoted

__all__ = ["is_large", "large_events_of"]

_INTO: Final = "(ref, source, bytes, kind, value, created_at)"
_ENCODING: Final = "CASE getdatabaseencoding() WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END"


def is_large(capture: Capture, operation: Operation, *, known: bool = False) -> str:
    """Give the condition under which a row, or one of a statement's, has a large value.

    Empty where none can have. ``known``: only of values whose size is known without fetching them.
    """
    columns = [one for one in columns_of(capture.shape, capture.large) if one.size != "small"]
    if known:
        columns = [one for one in columns if one.size == "known"]
    if not columns or operation == "truncate":
        return ""
    rows = {"insert": ["NEW"], "delete": ["OLD"]}.get(operation, ["NEW", "OLD"])
    sizes = {row: " OR ".join(_is_large(capture, one, row) for one in columns) for row in rows}
    if known:
        return "\n  OR ".join(sizes.values())
    return "\n  OR ".join(
        f"EXISTS (SELECT FROM fig_{row.lower()} AS {row} WHERE {size})"
        for row, size in sizes.items()
    )


def large_events_of(capture: Capture, operation: Operation, home: str, *, by_row: bool) -> str:
    """Give the statement that writes the large values of rows, and then their events."""
    columns = columns_of(capture.shape, capture.large)
    rows = {"insert": ["NEW"], "delete": ["OLD"]}.get(operation, ["NEW", "OLD"])
    where = f"\n  WHERE {capture.when}" if capture.when and not by_row else ""
    source = _one_row(rows, capture) if by_row else rows_of(operation)
    apart = "\n  UNION ALL ".join(
        _apart(capture, one, row, at, shared=row != rows[0])
        for row in rows
        for at, one in enumerate(columns)
        if one.size != "small"
    )
    before, after = (_image(columns, row) if row in rows else "NULL" for row in ("OLD", "NEW"))
    values = event(capture, operation, key="fig_key", before=before, after=after)
    return (
        f"WITH fig_read AS MATERIALIZED (\n  SELECT {_reading(capture, columns, rows)}\n"
        f"  FROM {source}{where}\n), fig_rows AS MATERIALIZED (\n"
        f"  SELECT fig_read.*{_old_references(columns, rows)} FROM fig_read\n"
        f"), fig_apart AS (\n  INSERT INTO {qualified(home, LARGE.name)} {_INTO}\n  {apart}\n)\n"
        f"INSERT INTO {qualified(home, EVENTS.name)} {COLUMNS}\n"
        f"SELECT {values}\nFROM fig_rows ORDER BY fig_place;"
    )


def _is_large(capture: Capture, column: Column, row: str) -> str:
    value = column.of(row) if column.size == "known" else f"{column.of(row)}::text"
    return f"octet_length({value}) > {capture.large}"


def _one_row(rows: Sequence[str], capture: Capture) -> str:
    """Make relations of the rows of a row trigger."""
    everything = [ident(name) for name in {*dict(capture.shape.columns), *capture.shape.key}]
    return ", ".join(
        f"(SELECT {', '.join(f'{row}.{name} AS {name}' for name in sorted(everything))}) AS {row}"
        for row in rows
    )


def _reading(capture: Capture, columns: Sequence[Column], rows: Sequence[str]) -> str:
    """Name everything by its place, with a reference for each large value of the first row."""
    parts = [f"NEW.{PLACE} AS fig_place" if _has_places(rows, capture) else "1 AS fig_place"]
    parts.append(f"{_key(capture, rows[0])} AS fig_key")
    for row in rows:
        for at, one in enumerate(columns):
            parts.append(f"{one.of(row)} AS {row.lower()}{at}")
            if one.size != "small" and row == rows[0]:
                reference = f"CASE WHEN {_is_large(capture, one, row)} THEN gen_random_uuid() END"
                parts.append(f"{reference} AS {row.lower()}_ref{at}")
            elif one.size != "small":
                parts.append(f"coalesce({_is_large(capture, one, row)}, false) AS old_large{at}")
    return ",\n    ".join(parts)


def _has_places(rows: Sequence[str], capture: Capture) -> bool:
    return capture.level == "statement" and len(rows) == 2


def _key(capture: Capture, row: str) -> str:
    if capture.shape.key:
        return key(capture.shape, row)
    # A table without a key: its large values count by their sizes.
    columns = columns_of(capture.shape, capture.large)
    parts = [
        one.of(row)
        if one.size == "small"
        else f"CASE WHEN {_is_large(capture, one, row)}"
        f" THEN octet_length({one.of(row)}::text)::text ELSE {one.of(row)}::text END"
        for one in columns
    ]
    return f"hashtextextended(ROW({', '.join(parts)})::text, 0)::text"


def _old_references(columns: Sequence[Column], rows: Sequence[str]) -> str:
    """Let an update's old values share the place of new ones that are the same."""
    if len(rows) < 2:
        return ""
    return "".join(
        f",\n    CASE WHEN NOT old_large{at} THEN NULL"
        f'\n      WHEN old{at}::text COLLATE "C" = new{at}::text THEN new_ref{at}'
        f"\n      ELSE gen_random_uuid() END AS old_ref{at}"
        for at, one in enumerate(columns)
        if one.size != "small"
    )


def _apart(capture: Capture, column: Column, row: str, at: int, *, shared: bool) -> str:
    name = row.lower()
    value = f"{name}{at}"
    content = value if column.base == "bytea" else f"convert_to({value}::text, {_ENCODING})"
    unlike = f" AND old_ref{at} IS DISTINCT FROM new_ref{at}" if shared else ""
    return (
        f"SELECT {name}_ref{at}, {quoted(capture.source)}, {_bytes(column, value)},"
        f" '{column.letter}', {content}, {CLOCK}\n    FROM fig_rows"
        f" WHERE {name}_ref{at} IS NOT NULL{unlike}"
    )


def _bytes(column: Column, value: str) -> str:
    return f"octet_length({value if column.base == 'bytea' else value + '::text'})"


def _image(columns: Sequence[Column], row: str) -> str:
    name = row.lower()
    letters, values = [], []
    for at, one in enumerate(columns):
        value = f"{name}{at}"
        if one.size == "small":
            letters.append(quoted(one.letter))
            values.append(value)
            continue
        absent = f"CASE WHEN {name}_ref{at} IS NULL THEN"
        letters.append(f"{absent} '{one.letter}' ELSE 'l' END")
        values.append(
            f"{absent} {value}::text ELSE {_bytes(one, value)} || ':' || {name}_ref{at} END"
        )
    head = " || ".join(letters)
    return f"{head}\n    || {quoted(names(columns))} || ROW({', '.join(values)})::text"
