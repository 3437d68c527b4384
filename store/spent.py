"""Rows of our other tables that have done their duty: which they are, and how they go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from sqlalchemy import ColumnElement, Connection, Table, delete, func, select, text, tuple_

from . import tables
from .database import Database

__all__ = ["RULES", "count", "free_bytes", "remove"]

_STEP: Final = 1_000  # rows in a transaction

_letters, _outbox, _awaited = tables.dead_letters.c, tables.outbox.c, tables.awaited.c
_dual = tables.dual_writes.c

RULES: Final[Mapping[str, tuple[Table, ColumnElement[float], ColumnElement[bool] | None]]] = {
    "inbox": (tables.inbox, tables.inbox.c.at, None),
    "outbox": (tables.outbox, _outbox.sent_at, _outbox.sent_at.is_not(None)),
    "dead_letters": (
        tables.dead_letters,
        _letters.at,
        _letters.state.in_(("replayed", "dropped")),
    ),
    "kept_letters": (tables.dead_letters, _letters.at, _letters.state == "kept"),
    "outcomes": (tables.outcomes, tables.outcomes.c.at, None),
    "failures": (tables.failures, tables.failures.c.at, None),
    "sampled": (tables.sampled, tables.sampled.c.at, None),
    "measures": (tables.measures, (tables.measures.c.day + 1) * 86_400.0, None),
    "dual_writes": (tables.dual_writes, _dual.done_at, _dual.state.in_(("done", "undone"))),
    "awaited": (tables.awaited, _awaited.at, _awaited.state != "waiting"),
}
"""By name: the table, the time that tells a row's age, and what else must hold for it to go."""


def count(connection: Connection, name: str, before: float) -> int:
    """Count the rows that would go."""
    table = RULES[name][0]
    query = select(func.count()).select_from(table).where(_old(name, before))
    return int(connection.execute(query).scalar_one())


def remove(database: Database, name: str, before: float) -> Iterator[int]:
    """Remove the rows from before a time, in steps; give how many each step removed.

    On PostgreSQL this waits for no writer, and none for it. Raises ``StoreUnavailable``.
    """
    table, at, _ = RULES[name]
    if not database.has(table):
        return
    key = tuple_(*table.primary_key.columns)
    some = select(*table.primary_key.columns).where(_old(name, before)).order_by(at).limit(_STEP)
    statement = delete(table).where(key.in_(some))
    while True:
        with database.write(chained=False) as connection:
            removed = connection.execute(statement).rowcount
        if removed:
            yield removed
        if removed < _STEP:
            return


def free_bytes(database: Database) -> int:
    """Give how much of a SQLite file is free for new rows; 0 on PostgreSQL."""
    if database.file is None:
        return 0
    with database.read() as connection:
        pages = connection.execute(text("PRAGMA freelist_count")).scalar_one()
        return int(pages) * int(connection.execute(text("PRAGMA page_size")).scalar_one())


def _old(name: str, before: float) -> ColumnElement[bool]:
    _, at, further = RULES[name]
    return at < before if further is None else (at < before) & further
