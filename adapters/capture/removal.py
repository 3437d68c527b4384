"""How what was recorded is taken out of a legacy database again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, func, inspect, select
from sqlalchemy.engine import Connection

from .dialect import Dialect
from .events import EVENTS, INSTALLED, TABLES
from .record import SHARED, Entry, literal, records

__all__ = ["removal"]

_OUTWARDS: Final = ("grant", "trigger", "function", "index", "table", "sequence", "schema")
"""What hangs on something goes before it."""


def removal(connection: Connection, dialect: Dialect, source: str) -> list[str]:
    """Give the statements that take out what is recorded of a source; none where nothing is.

    The last source takes with it what all of them share.
    """
    recorded = records(connection)
    own = [entry for entry in recorded if entry.source == source]
    if not own and (not recorded or _is_shared(connection, dialect, source, recorded)):
        return []
    # Without a source of its own, what is shared was left by an installation that was broken off.
    others = {entry.name for entry in recorded if entry.source != source and entry.kind == "grant"}
    # A right on what is shared goes with the last source that wants it.
    going = [entry for entry in own if entry.kind != "grant" or entry.name not in others]
    statements = [entry.dropped for entry in _outwards(going) if entry.dropped]
    if _is_shared(connection, dialect, source, recorded):
        mine = [delete(table).where(table.c.source == source) for table in TABLES]
        return statements + [literal(connection, statement) for statement in mine]
    # Indexes go with their tables.
    ours = [entry for entry in recorded if entry.source == SHARED and entry.kind != "index"]
    return statements + [entry.dropped for entry in _outwards(ours)]


def _is_shared(
    connection: Connection, dialect: Dialect, source: str, recorded: Sequence[Entry]
) -> bool:
    """Say whether anybody else uses our tables, in the record or not."""
    if any(entry.source not in (SHARED, source) for entry in recorded):
        return True
    if dialect.users(connection) - {entry.name for entry in recorded}:
        return True
    if not inspect(connection).has_table(EVENTS.name):
        return False
    others = select(func.count()).select_from(EVENTS).where(EVENTS.c.source != source)
    return bool(connection.execute(others).scalar_one())


def _outwards(entries: Sequence[Entry]) -> list[Entry]:
    """Put the last first, within the order of kinds; the record itself goes after all tables."""

    def place(entry: Entry) -> tuple[int, bool, int]:
        kind = _OUTWARDS.index(entry.kind) if entry.kind in _OUTWARDS else -1
        return (kind, entry.name == INSTALLED.name, -entry.position)

    return sorted(entries, key=place)
