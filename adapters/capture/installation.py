"""What we put into a legacy database, and how it comes out again."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterator, Sequence
from typing import NoReturn

from sqlalchemy import Delete, delete, func, inspect, select
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import NoSuchTableError, SQLAlchemyError
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

from ...errors import LegacyError
from .dialect import Dialect, Operation, Shape
from .events import EVENTS, INDEXES, TABLE_NAME

__all__ = ["Installation"]


class Installation:
    """The capture table and triggers of one source. Synchronous; opens its own connections."""

    def __init__(
        self,
        engine: Engine,
        dialect: Dialect,
        *,
        source: str,
        place: str,
        table: str,
        columns: Sequence[str],
        key: Sequence[str],
        operations: Sequence[Operation],
    ) -> None:
        self._engine, self._dialect, self._source, self._place = engine, dialect, source, place
        self._table, self._columns, self._key = table, columns, key
        self._operations = operations

    def plan(self) -> list[str]:
        """Give the statements that ``apply`` would run now; none where all of it stands."""
        with self._connected() as connection:
            return self._missing(connection)

    def apply(self) -> None:
        """Run the plan in one transaction."""
        with self._connected() as connection, self._transaction(connection):
            for statement in self._missing(connection):
                connection.exec_driver_sql(statement)

    def removal(self) -> list[str]:
        """Give the statements that ``undo`` would run now, triggers first."""
        with self._connected() as connection:
            return self._standing(connection)

    def undo(self, *, discard: bool) -> None:
        """Run the removal in one transaction; refuse while events wait unless ``discard``."""
        with self._connected() as connection, self._transaction(connection):
            statements = self._standing(connection)
            waiting = self._waiting(connection)
            if waiting and not discard:
                raise LegacyError(
                    f"{waiting} captured events are not settled yet",
                    place=self._place,
                    expected="none",
                    remedy="let the bridge finish them, or discard them on purpose",
                )
            for statement in statements:
                connection.exec_driver_sql(statement)

    def check(self) -> str | None:
        """Say what differs from what ``apply`` would leave; None where nothing does.

        Raises ``LegacyError`` where nothing is captured at all.
        """
        with self._connected() as connection:
            wanted = self._dialect.triggers(self._shape(connection), self._source, self._operations)
            found = self._dialect.installed(connection, self._table)
            missing = sorted(wanted.keys() - found.keys())
            if missing or not inspect(connection).has_table(TABLE_NAME):
                raise LegacyError(
                    "capture is not installed",
                    place=self._place,
                    value=f"missing: {', '.join(missing) or TABLE_NAME}",
                    remedy=f"run 'fig adapter install {self._source}'",
                )
            stale = sorted(name for name in wanted if found[name] != wanted[name])
        return f"differs from what would be installed now: {', '.join(stale)}" if stale else None

    def _missing(self, connection: Connection) -> list[str]:
        statements: list[str] = []
        looked = inspect(connection)
        if not looked.has_table(TABLE_NAME):
            statements = [_sql(connection, CreateTable(EVENTS))]
            statements += [_sql(connection, CreateIndex(index)) for index in INDEXES]
        wanted = self._dialect.triggers(self._shape(connection), self._source, self._operations)
        found = self._dialect.installed(connection, self._table)
        for name, statement in wanted.items():
            standing = found.get(name)
            if standing == statement:
                continue
            if standing is not None:
                self._refuse_foreign(name, standing)
                statements.append(f"DROP TRIGGER {_quoted(connection, name)}")
            statements.append(statement)
        # An operation taken out of the options is not captured any longer.
        statements += [
            f"DROP TRIGGER {_quoted(connection, name)}"
            for name, standing in found.items()
            if name not in wanted and self._is_ours(standing)
        ]
        return statements

    def _standing(self, connection: Connection) -> list[str]:
        found = self._dialect.installed(connection, self._table)
        ours = [name for name, statement in found.items() if self._is_ours(statement)]
        statements = [f"DROP TRIGGER {_quoted(connection, name)}" for name in ours]
        if not inspect(connection).has_table(TABLE_NAME):
            return statements
        shared = self._dialect.users(connection) - set(ours)
        others = select(func.count()).select_from(EVENTS).where(EVENTS.c.source != self._source)
        table = _quoted(connection, TABLE_NAME)
        if shared or connection.execute(others).scalar_one():
            mine = delete(EVENTS).where(EVENTS.c.source == self._source)
            return [*statements, _sql(connection, mine)]
        return [*statements, f"DROP TABLE {table}"]

    def _waiting(self, connection: Connection) -> int:
        if not inspect(connection).has_table(TABLE_NAME):
            return 0
        count = select(func.count()).select_from(EVENTS)
        mine = count.where(EVENTS.c.source == self._source, EVENTS.c.done_at.is_(None))
        return connection.execute(mine).scalar_one()

    def _is_ours(self, statement: str) -> bool:
        return self._dialect.is_of(statement, self._source)

    def _refuse_foreign(self, name: str, standing: str) -> None:
        if not self._is_ours(standing):
            raise LegacyError(
                "the table is captured for another source already",
                place=self._place,
                value=f"trigger {name}",
                expected="one source a table and operation",
                remedy="use that source, or remove it first",
            )

    def _shape(self, connection: Connection) -> Shape:
        looked = inspect(connection)
        try:
            columns = {
                column["name"]: str(column["type"]) for column in looked.get_columns(self._table)
            }
        except NoSuchTableError:
            self._unknown("there is no such table", self._table, looked.get_table_names())
        if self._table.lower() == TABLE_NAME or self._table in looked.get_view_names():
            expected = (
                "a table of the legacy system; triggers on views and on our own cannot capture"
            )
            raise LegacyError(
                "cannot be captured", place=self._place, value=repr(self._table), expected=expected
            )
        for name in (*self._columns, *self._key):
            if name not in columns:
                self._unknown(f"table {self._table!r} has no such column", name, list(columns))
        captured = self._columns or tuple(columns)
        primary = looked.get_pk_constraint(self._table)["constrained_columns"]
        return Shape(
            table=self._table,
            columns=tuple((name, columns[name]) for name in captured),
            key=tuple(self._key or primary),
            all_columns=tuple(columns),
        )

    def _unknown(self, message: str, name: str, known: Sequence[str]) -> NoReturn:
        close = difflib.get_close_matches(name, known, n=1)
        raise LegacyError(
            message,
            place=self._place,
            value=repr(name),
            expected="one of " + (", ".join(known) or "(there are none)"),
            remedy=f"did you mean {close[0]!r}?" if close else "mend the name",
        )

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise self._dialect.trouble(error, place=self._place, name=self._source) from error

    @contextlib.contextmanager
    def _transaction(self, connection: Connection) -> Iterator[None]:
        connection.exec_driver_sql(self._dialect.begin)
        try:
            yield
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            with contextlib.suppress(SQLAlchemyError):
                connection.exec_driver_sql("ROLLBACK")
            raise


def _sql(connection: Connection, element: Delete | ExecutableDDLElement) -> str:
    literal = {"literal_binds": True} if isinstance(element, Delete) else {}
    return str(element.compile(dialect=connection.dialect, compile_kwargs=literal)).strip()


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(name)
