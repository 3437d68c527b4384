"""Our tables in a MySQL database, and the indexes that its claims walk."""

from __future__ import annotations

from typing import Final

from sqlalchemy.dialects import mysql
from sqlalchemy.schema import CreateTable

from ..dialect import Piece
from ..events import TABLE_NAME, TABLES
from .words import ident

__all__ = ["KEYS", "SUSPECTS", "WAITING", "shared"]

_DIALECT: Final = mysql.dialect(paramstyle="named")

# There are no partial indexes here, so these hold the settled events too. What waits is found by
# done_at being null, in front of what gives the order.
WAITING: Final = "fig_event_waiting"
KEYS: Final = "fig_event_keys"
SUSPECTS: Final = "fig_event_suspects"
_INDEXES: Final = {
    WAITING: "(source, done_at, priority, id)",
    KEYS: "(source, `key`, done_at, parked, id)",
    SUSPECTS: "(lost)",
}


def shared() -> list[Piece]:
    """Give the tables and their indexes, in the order in which they are created."""
    pieces = [
        Piece(
            kind="table",
            name=table.name,
            create=str(CreateTable(table).compile(dialect=_DIALECT)).strip(),
            drop=f"DROP TABLE IF EXISTS {ident(table.name)}",
        )
        for table in TABLES
    ]
    table = ident(TABLE_NAME)
    return pieces + [
        Piece(
            kind="index",
            name=name,
            create=f"CREATE INDEX {name} ON {table} {columns}",
            drop=f"DROP INDEX {name} ON {table}",
        )
        for name, columns in _INDEXES.items()
    ]
