"""The SQL Server triggers that capture a statement's rows. Nobody runs them here: see the page.

A trigger fires once a statement, for all its rows, and in a MERGE once a kind of action, whose
``@@ROWCOUNT`` is that of all: so it goes by ``inserted`` and ``deleted`` alone. It gives no rows
and no counts back (``NOCOUNT``), and its ids come from a sequence, which legacy's ``@@IDENTITY``
does not show. An error in a trigger dooms the transaction unless ``XACT_ABORT`` is off in it; what
can still not be caught: what dooms it by itself (a deadlock, a failed conversion), and a table of
ours whose columns are others. A table that is gone is looked for first: TRY does not catch that.

Any trigger makes ``OUTPUT`` without ``INTO`` an error (334) for legacy's own statements on the
table; SQLAlchemy's need ``implicit_returning=False``.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from ..dialect import Capture, Operation, Piece
from ..when import condition
from .values import image, key, value
from .words import HOME, NOW, ident, literal, ours

__all__ = ["trigger"]

_MOST_NAME: Final = 128

_TRIGGER: Final = """\
CREATE TRIGGER {name} ON {table} AFTER {timing} AS
BEGIN
  SET NOCOUNT ON;
  SET XACT_ABORT OFF;
  IF NOT EXISTS (SELECT 1 FROM {fired}) RETURN;
  BEGIN TRY
    IF OBJECT_ID({events_name}, N'U') IS NULL
      THROW 50000, N'fig_event is not there', 1;
{body}
  END TRY
  BEGIN CATCH
    DECLARE @said NVARCHAR(1000) = LEFT(CONCAT(ERROR_NUMBER(), N' ', ERROR_MESSAGE()), 1000);
    BEGIN TRY
      IF XACT_STATE() = 1 AND OBJECT_ID({gaps_name}, N'U') IS NOT NULL
        INSERT INTO {gaps} ([id], [source], [op], [key], [reason], [created_at])
        VALUES (NEXT VALUE FOR {gaps_id}, {source}, N'{operation}', NULL, @said, {now});
    END TRY
    BEGIN CATCH
      SET NOCOUNT ON;
    END CATCH
  END CATCH
END"""

_INSERT: Final = """\
    INSERT INTO {events}
      ([id], [source], [event_id], [key], [op], [before], [after], [schema_hash], [created_at])
    SELECT NEXT VALUE FOR {events_id} OVER (ORDER BY [e].[op]), {source}, [e].[event_id], [e].[key],
      [e].[op], [e].[before], [e].[after], N'{digest}', {now}
    FROM {rows} AS [e];"""

_ROWS: Final = """\
SELECT LOWER(REPLACE(CONVERT(NVARCHAR(36), NEWID()), N'-', N'')) AS [event_id],
      {key} AS [key],
      {op} AS [op],
      {before} AS [before],
      {after} AS [after]{large}
    FROM {source}{where}"""

_KEPT: Final = """\
    INSERT INTO {large} ([ref], [source], [bytes], [kind], [value], [created_at])
    SELECT CONCAT([e].[event_id], N'-{place}'), {source}, DATALENGTH([e].[large{place}]), N'{kind}',
      [e].[large{place}], {now}
    FROM @rows AS [e] WHERE [e].[large{place}] IS NOT NULL;"""


def trigger(capture: Capture, operation: Operation) -> Piece:
    """Give the AFTER trigger of an operation. Raises ``ValueError`` for a type it cannot see."""
    shape = capture.shape
    schema = shape.schema or HOME
    name = _name(shape.table, operation)
    create = _TRIGGER.format(
        name=ident(name, schema),
        table=ident(shape.table, schema),
        timing=operation.upper(),
        fired="deleted" if operation == "delete" else "inserted",
        body=_body(capture, operation),
        events_name=literal(ours("fig_event")),
        gaps_name=literal(ours("fig_gap")),
        gaps=ours("fig_gap"),
        gaps_id=ours("fig_gap_id"),
        source=literal(capture.source),
        operation=operation,
        now=NOW,
    )
    drop = f"DROP TRIGGER IF EXISTS {ident(name, schema)}"
    return Piece(kind="trigger", name=name, create=create, drop=drop)


def _name(table: str, operation: Operation) -> str:
    name = f"fig_{table}_{operation}"
    if len(name) <= _MOST_NAME:
        return name
    digest = hashlib.sha256(table.encode()).hexdigest()[:8]
    return f"fig_{table[: _MOST_NAME - len(operation) - 14]}_{digest}_{operation}"


def _body(capture: Capture, operation: Operation) -> str:
    kept = _kept(capture, "old" if operation == "delete" else "new")
    source = literal(capture.source)
    insert = _INSERT.format(
        events=ours("fig_event"),
        events_id=ours("fig_event_id"),
        source=source,
        digest=capture.shape.digest,
        now=NOW,
        rows="@rows" if kept else f"(\n    {_rows(capture, operation, '')}\n    )",
    )
    if not kept:
        return insert
    # Each row's id stands before its large values are written under it.
    columns = "".join(f", [large{place}] VARBINARY(MAX)" for place, _, _ in kept)
    lines = [
        "    DECLARE @rows TABLE ([event_id] NVARCHAR(36), [key] NVARCHAR(600), [op] NVARCHAR(12),",
        f"      [before] NVARCHAR(MAX), [after] NVARCHAR(MAX){columns});",
        "    INSERT INTO @rows",
    ]
    large = "".join(f",\n      {sql} AS [large{place}]" for place, _, sql in kept)
    lines.append(f"    {_rows(capture, operation, large)};")
    for place, kind, _ in kept:
        lines.append(
            _KEPT.format(large=ours("fig_large"), place=place, kind=kind, source=source, now=NOW)
        )
    return "\n".join([*lines, insert])


def _kept(capture: Capture, row: str) -> list[tuple[int, str, str]]:
    """Give the columns that may be large: place, kind, and the bytes where they are."""
    kept = []
    for place, (name, declared) in enumerate(capture.shape.columns):
        one = value(name, declared, row)
        if one.raw:
            case = f"CASE WHEN DATALENGTH({one.raw}) > {capture.large} THEN {one.raw} END"
            kept.append((place, one.kind, case))
    return kept


def _rows(capture: Capture, operation: Operation, large: str) -> str:
    shape = capture.shape
    before, after = image(shape, "old", capture.large), image(shape, "new", capture.large)
    when = condition(capture.when, operation, dialect="tsql")
    parts = {
        "insert": (key(shape, "new"), "NULL", after, "inserted AS [new]"),
        "delete": (key(shape, "old"), before, "NULL", "deleted AS [old]"),
        "update": (
            f"CASE WHEN [new].[fig] IS NULL THEN {key(shape, 'old')} ELSE {key(shape, 'new')} END",
            f"CASE WHEN [old].[fig] IS NOT NULL THEN {before} END",
            f"CASE WHEN [new].[fig] IS NOT NULL THEN {after} END",
            _paired(capture),
        ),
    }[str(operation)]
    return _ROWS.format(
        key=parts[0],
        op=_UPDATED if operation == "update" else f"N'{operation}'",
        before=parts[1],
        after=parts[2],
        source=parts[3],
        where=f"\n    WHERE {when}" if when else "",
        large=large,
    )


_UPDATED: Final = (
    "CASE WHEN [new].[fig] IS NULL THEN N'delete'"
    " WHEN [old].[fig] IS NULL THEN N'insert' ELSE N'update' END"
)
"""A row whose key has changed cannot be paired: its old self goes, and then its new one comes."""


def _paired(capture: Capture) -> str:
    """Pair what rows were with what they are, by key. They are seen in no other way here."""
    shape = capture.shape
    pairs = [f"{ident('new')}.{ident(name)} = {ident('old')}.{ident(name)}" for name in shape.key]
    # No other columns: a text or image among them would be refused.
    names = [name for name, _ in shape.columns]
    names += [name for name in (*shape.key, *_named(capture.when)) if name not in names]
    listed = ", ".join(ident(name) for name in dict.fromkeys(names))
    sides = [
        f"(SELECT 1 AS [fig], {listed} FROM {table}) AS {ident(row)}"  # noqa: S608
        for table, row in (("inserted", "new"), ("deleted", "old"))
    ]
    on = " AND ".join(pairs) or "1 = 0"
    return f"{sides[0]}\n    FULL OUTER JOIN {sides[1]} ON {on}"


def _named(when: str) -> list[str]:
    found = re.findall(r"\[(?:old|new)\]\.\[((?:[^\]]|\]\])+)\]", when)
    return [name.replace("]]", "]") for name in found]
