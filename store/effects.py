"""What a write does beside its lines, in the same transaction: rows of our other tables.

Each kind is one statement, compiled once, that takes its values by position. A group's effects run
in the order in which they were asked for, neighbours of one kind together.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

import msgspec
from sqlalchemy import (
    BindParameter,
    Connection,
    Dialect,
    Engine,
    Table,
    bindparam,
    delete,
    inspect,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import ClauseElement

from . import tables
from .rows import Rows, rows_of

__all__ = ["Effect", "Effects", "Kind", "compiled"]

Kind = Literal[
    "adjudicate",
    "await",
    "capture",
    "clear",
    "decide",
    "forget",
    "join",
    "noise",
    "outcome",
    "send",
]


class Effect(msgspec.Struct, frozen=True, gc=False):
    """One row, by its kind. Made by ``store/*`` functions that know the order of ``values``."""

    kind: Kind
    values: tuple[object, ...]


class Effects:
    """The statements of all kinds for one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._compiled: dict[Kind, str] = {}
        self._captured = rows_of(engine, tables.captured)

    def write(self, connection: Connection, effects: Sequence[Effect]) -> None:
        """Write effects in a transaction that is under way."""
        for kind, some in itertools.groupby(effects, key=lambda effect: effect.kind):
            if not self._has_place(connection, kind):
                continue
            rows = [effect.values for effect in some]
            if kind == "capture" and self._captured is not None and len(rows) > 1:
                # Of two images of one row the later one stands: one statement takes a row once.
                newest = {row[:2]: row for row in rows}
                values = self._captured.values(newest.values())
                connection.exec_driver_sql(_capture_all(self._captured), values)
                continue
            connection.exec_driver_sql(self._statement(kind), rows)

    def _has_place(self, connection: Connection, kind: Kind) -> bool:
        """Say whether the rows of a kind have a table: an older schema may lack it.

        It is left out then; the line that says the same is in the journal. Asked in the transaction
        itself, until it is there: a statement that fails would end that.
        """
        table = _LATER.get(kind)
        if table is None or kind in self._compiled:
            return True
        return inspect(connection).has_table(table.name)

    def _statement(self, kind: Kind) -> str:
        found = self._compiled.get(kind)
        if found is None:
            found = self._compiled[kind] = compiled(self._engine, _KINDS[kind](self._engine))
        return found


def compiled(engine: Engine, statement: ClauseElement) -> str:
    """Give a statement as text for the raw driver, its values by position."""
    make: Callable[..., Dialect] = type(engine.dialect)
    dialect = make(paramstyle="qmark" if engine.dialect.name == "sqlite" else "format")
    return str(statement.compile(dialect=dialect))


def _add(table: Table, *columns: str) -> Callable[[Engine], ClauseElement]:
    def build(engine: Engine) -> ClauseElement:
        insert = sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert
        values: dict[str, BindParameter[object]] = {name: bindparam(name) for name in columns}
        return insert(table).values(values).on_conflict_do_nothing()

    return build


def _capture(engine: Engine) -> ClauseElement:
    """(source, key, digest, at): the newest image of a row."""
    insert = sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert
    names = ("source", "key", "digest", "at")
    statement = insert(tables.captured).values({name: bindparam(name) for name in names})
    given = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["source", "key"], set_={"digest": given.digest, "at": given.at}
    )


def _capture_all(given: Rows) -> str:
    return (
        f"INSERT INTO captured ({given.names}) SELECT {given.names} FROM {given.source}"  # noqa: S608
        " ON CONFLICT (source, key) DO UPDATE SET digest = excluded.digest, at = excluded.at"
    )


def _forget(engine: Engine) -> ClauseElement:
    """(source, key): a row that is gone."""
    del engine
    kept = tables.captured.c
    return delete(tables.captured).where(
        kept.source == bindparam("source"), kept.key == bindparam("key")
    )


def _clear(engine: Engine) -> ClauseElement:
    """(source,): all rows of a table that was emptied."""
    del engine
    return delete(tables.captured).where(tables.captured.c.source == bindparam("source"))


def _join(engine: Engine) -> ClauseElement:
    """(state, id): what became of a request that waited for its outcome."""
    del engine
    waiting = tables.awaited
    return (
        update(waiting)
        .values(state=bindparam("new_state"))
        .where(waiting.c.id == bindparam("which"))
    )


def _decide(engine: Engine) -> ClauseElement:
    """(state, id): what became of an outcome that came before its request."""
    del engine
    early = tables.outcomes
    return (
        update(early).values(state=bindparam("new_state")).where(early.c.id == bindparam("which"))
    )


def _adjudicate(engine: Engine) -> ClauseElement:
    """(winner, endpoint, revision, unit): who was right, as it turned out later."""
    del engine
    seen = tables.evidence
    return (
        update(seen)
        .values(winner=bindparam("new_winner"))
        .where(
            seen.c.endpoint == bindparam("of_endpoint"),
            seen.c.revision == bindparam("of_revision"),
            seen.c.unit == bindparam("of_unit"),
        )
    )


_KINDS: Final[Mapping[Kind, Callable[[Engine], ClauseElement]]] = {
    "adjudicate": _adjudicate,
    "await": _add(tables.awaited, "endpoint", "key", "request_id", "at", "until", "state", "pair"),
    "capture": _capture,
    "clear": _clear,
    "decide": _decide,
    "forget": _forget,
    "join": _join,
    "noise": _add(tables.noise, "endpoint", "side", "revision", "unit", "noise", "raw", "at"),
    "outcome": _add(tables.outcomes, "endpoint", "key", "position", "at", "state", "answer"),
    "send": _add(tables.outbox, "at", "destination", "message_id", "key", "headers", "body"),
}
_LATER: Final[Mapping[Kind, Table]] = {"noise": tables.noise}
