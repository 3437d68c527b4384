"""Our tables in an Oracle database, their sequences and indexes, and how events are claimed."""

from __future__ import annotations

from typing import Final

from sqlalchemy.dialects import oracle

from ..blueprint import Types, numbered, table_sql
from ..dialect import Piece
from .words import DIALECT

__all__ = ["CLAIM", "LEASE", "shared"]

_TYPES: Final = Types(
    short=oracle.VARCHAR2,
    long=oracle.CLOB(),
    bytes=oracle.BLOB(),
    sequence=lambda name: f"{name}.NEXTVAL",
)

# Where all columns of an index are null it holds no entry: so these hold what waits, and no more.
_WAITING: Final = "CASE WHEN done_at IS NULL THEN source END"
_INDEXES: Final = {
    "fig_event_waiting": (
        f"({_WAITING}, CASE WHEN done_at IS NULL THEN priority END,"
        " CASE WHEN done_at IS NULL THEN id END)"
    ),
    "fig_event_keys": (
        f"({_WAITING}, CASE WHEN done_at IS NULL THEN key END,"
        " CASE WHEN done_at IS NULL THEN id END)"
    ),
}

_OLDER: Final = """SELECT 1 FROM fig_event o
    WHERE CASE WHEN o.done_at IS NULL THEN o.source END = :source
    AND CASE WHEN o.done_at IS NULL THEN o.key END = e.key"""

CLAIM: Final = f"""SELECT e.id, e.event_id, e.key, e.op, e.before, e.after, e.schema_hash,
  e.created_at, e.attempts, e.lost, e.priority
FROM fig_event e
WHERE CASE WHEN e.done_at IS NULL THEN e.source END = :source AND e.parked <> 2
  AND e.next_at <= :now AND (e.lease_until IS NULL OR e.lease_until < :now)
  AND NOT EXISTS ({_OLDER} AND o.id < e.id AND (o.parked <> 1 OR o.next_at <= :now))
  AND NOT EXISTS ({_OLDER} AND o.id <> e.id AND o.lease_until >= :now)
ORDER BY e.priority, e.id
FOR UPDATE OF e.lease_token SKIP LOCKED"""  # noqa: S608 words of ours
"""Fetch as many rows as are wanted and no more: each is locked as it is fetched, and FETCH FIRST
or ROWNUM together with FOR UPDATE is refused (ORA-02014) or locks the wrong rows."""

LEASE: Final = """UPDATE fig_event SET attempts = attempts + 1,
  lost = lost + CASE WHEN lease_token IS NULL THEN 0 ELSE 1 END,
  lease_token = :token, lease_until = :now + :lease
WHERE id = :id AND done_at IS NULL"""


def shared() -> list[Piece]:
    """Give the sequences, the tables and their indexes, in the order in which they are created."""
    pieces = [
        Piece(
            kind="sequence",
            name=f"{name}_id",
            create=f"CREATE SEQUENCE {name}_id START WITH 1 CACHE 1000",
            drop=f"DROP SEQUENCE {name}_id",
        )
        for name in numbered()
    ]
    for name, create in table_sql(DIALECT, _TYPES).items():
        drop = f"DROP TABLE {name} PURGE"
        pieces.append(Piece(kind="table", name=name, create=create, drop=drop))
    return pieces + [
        Piece(
            kind="index",
            name=name,
            create=f"CREATE INDEX {name} ON fig_event {columns}",
            drop=f"DROP INDEX {name}",
        )
        for name, columns in _INDEXES.items()
    ]
