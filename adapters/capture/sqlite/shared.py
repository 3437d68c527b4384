"""Our tables in a SQLite database, and the indexes that its claims walk."""

from __future__ import annotations

from typing import Final

from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable

from ..dialect import Piece
from ..events import SUSPECT, TABLES
from .words import ident

__all__ = ["HISTORY", "LIVE", "shared"]

_DIALECT: Final = sqlite.dialect()

LIVE: Final = "priority = 0"
HISTORY: Final = "priority > 0"
"""Spelled in claims as in the indexes: SQLite uses a partial index only where it sees the same."""

_WAITING: Final = "done_at IS NULL"
_INDEXES: Final = {
    "fig_event_waiting": f"(source, id) WHERE {_WAITING} AND {LIVE}",
    "fig_event_history": f"(source, id) WHERE {_WAITING} AND {HISTORY}",
    "fig_event_keys": f'(source, "key", id) WHERE {_WAITING}',
    "fig_event_suspects": f"(source, id) WHERE {_WAITING} AND lost >= {SUSPECT}",
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
    return pieces + [
        Piece(
            kind="index",
            name=name,
            create=f"CREATE INDEX {name} ON fig_event {rest}",
            drop=f"DROP INDEX IF EXISTS {ident(name)}",
        )
        for name, rest in _INDEXES.items()
    ]
