"""Our tables in a SQL Server database, their sequences and indexes, and how events are claimed."""

from __future__ import annotations

from typing import Final

from sqlalchemy.dialects import mssql

from ..blueprint import Types, numbered, table_sql
from ..dialect import Piece
from .words import DIALECT, HOME, NOW, ident, ours

__all__ = ["CLAIM", "shared"]

_TYPES: Final = Types(
    short=mssql.NVARCHAR,
    long=mssql.NVARCHAR(None),
    bytes=mssql.VARBINARY("max"),  # type: ignore[no-untyped-call]
    sequence=lambda name: f"NEXT VALUE FOR {ours(name)}",
)

# None is filtered: a table with a filtered index refuses writes of sessions with old settings
# (ANSI_WARNINGS OFF and others, error 1934), and legacy's are just such.
_INDEXES: Final = {
    "fig_event_waiting": "([source], [done_at], [priority], [id])",
    "fig_event_keys": "([source], [key], [done_at], [parked], [id])",
}

_OLDER: Final = f"""SELECT 1 FROM {ours("fig_event")} AS [o]
      WHERE [o].[source] = [e].[source] AND [o].[key] = [e].[key] AND [o].[done_at] IS NULL"""  # noqa: S608

CLAIM: Final = f"""DECLARE @now FLOAT = {NOW};
WITH [head] AS (
  SELECT TOP (@most) [e].*
  FROM {ours("fig_event")} AS [e] WITH (UPDLOCK, READPAST, ROWLOCK)
  WHERE [e].[source] = @source AND [e].[done_at] IS NULL AND [e].[parked] <> 2
    AND [e].[next_at] <= @now AND ([e].[lease_until] IS NULL OR [e].[lease_until] < @now)
    AND NOT EXISTS ({_OLDER} AND [o].[id] < [e].[id]
      AND ([o].[parked] <> 1 OR [o].[next_at] <= @now))
    AND NOT EXISTS ({_OLDER} AND [o].[id] <> [e].[id] AND [o].[lease_until] >= @now)
  ORDER BY [e].[priority], [e].[id]
)
UPDATE [head] SET [attempts] = [attempts] + 1, [lease_token] = @token,
  [lost] = [lost] + CASE WHEN [lease_token] IS NULL THEN 0 ELSE 1 END,
  [lease_until] = @now + @lease
OUTPUT inserted.[id], inserted.[event_id], inserted.[key], inserted.[op], inserted.[before],
  inserted.[after], inserted.[schema_hash], inserted.[created_at], inserted.[attempts],
  inserted.[lost], inserted.[lease_token], inserted.[priority]"""  # noqa: S608 words of ours
"""Lease heads of keys: what others have locked is passed over (``READPAST``), but not where it is
asked whether an older event waits: there a look waits, or two of one key would be in hand."""


def shared() -> list[Piece]:
    """Give the sequences, the tables and their indexes, in the order in which they are created."""
    pieces = [
        Piece(
            kind="sequence",
            name=f"{name}_id",
            create=f"CREATE SEQUENCE {ours(f'{name}_id')} AS BIGINT START WITH 1 CACHE 1000",
            drop=f"DROP SEQUENCE IF EXISTS {ours(f'{name}_id')}",
        )
        for name in numbered()
    ]
    tables = table_sql(DIALECT, _TYPES, HOME)
    for name, create in tables.items():
        # A lock that grew to the whole table would stop every writer of legacy's.
        rows = f"ALTER TABLE {ours(name)} SET (LOCK_ESCALATION = DISABLE)"
        drop = f"DROP TABLE IF EXISTS {ours(name)}"
        pieces.append(Piece(kind="table", name=name, create=f"{create};\n{rows}", drop=drop))
    for name, columns in _INDEXES.items():
        pieces.append(
            Piece(
                kind="index",
                name=name,
                create=f"CREATE INDEX {ident(name)} ON {ours('fig_event')} {columns}",
                drop=f"DROP INDEX IF EXISTS {ident(name)} ON {ours('fig_event')}",
            )
        )
    return pieces
