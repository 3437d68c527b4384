"""What we put into a legacy database, and how it comes out again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec
from sqlalchemy import func, inspect, select
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from ...errors import LegacyError
from .dialect import Capture, Dialect, Operation, Piece
from .drift import drift, drifted
from .events import EVENTS, INSTALLED
from .ground import Ground
from .plan import Step, missing
from .record import Entry, agreed_on, literal, records, struck, written
from .removal import removal
from .shape import chosen, shape_of

__all__ = ["Installation"]


class Installation:
    """Our tables and the triggers of one source. Synchronous; opens its own connections."""

    def __init__(
        self,
        engine: Engine,
        dialect: Dialect,
        *,
        source: str,
        place: str,
        table: str,
        columns: Sequence[str] = (),
        key: Sequence[str] = (),
        operations: Sequence[Operation] = ("insert",),
        when: str = "",
        level: Literal["row", "statement"] = "row",
        large: int = 65_536,
        schema: str = "",
    ) -> None:
        self._engine, self._dialect, self._source, self._place = engine, dialect, source, place
        self._table, self._columns, self._key = table, columns, key
        self._operations, self._when = tuple(operations), when
        self._level, self._large, self._schema = level, large, schema

    def capture(self, connection: Connection) -> Capture:
        """Say what is captured, of the table as it is now. Raises ``LegacyError``."""
        found = shape_of(connection, self._table, place=self._place, schema=self._schema)
        shape = chosen(found, self._columns, self._key, place=self._place)
        try:
            when = self._when and self._dialect.when(self._when, found, self._operations)
        except ValueError as error:
            raise LegacyError(
                f"the condition cannot be used: {error}",
                place=self._place,
                value=self._when,
                expected="a condition over old.COLUMN and new.COLUMN",
            ) from error
        return Capture(
            source=self._source,
            shape=shape,
            operations=self._operations,
            when=when,
            large=self._large,
            level=self._level,
        )

    def ground(self) -> Ground:
        """Give what a walk over the table's rows stands on. Raises ``LegacyError``."""
        with self._connected() as connection:
            capture = self.capture(connection)
        return Ground(self._engine, self._dialect, capture, self._place)

    def steps(self) -> list[Step]:
        """Give what ``apply`` would do now; none where all of it stands."""
        with self._connected() as connection:
            return self._missing(connection)

    def plan(self) -> list[str]:
        """Give the statements that ``apply`` would run now; none where all of it stands."""
        with self._connected() as connection:
            steps = self._missing(connection)
            return [step.sql for step in steps if step.sql] + _recording(connection, steps)

    def apply(self) -> None:
        """Run the plan: in one transaction, or undoing what was done where it fails."""
        with self._connected() as connection:
            if self._dialect.installs_atomically:
                with self._transaction(connection):
                    self._run(connection, self._missing(connection))
            else:
                self._one_by_one(connection, self._missing(connection))

    def removal(self) -> list[str]:
        """Give the statements that ``undo`` would run now, triggers first."""
        with self._connected() as connection:
            return removal(connection, self._dialect, self._source)

    def undo(self, *, discard: bool) -> None:
        """Take out what is recorded, from any machine; refuse while events wait."""
        with self._connected() as connection, self._maybe_transaction(connection):
            statements = removal(connection, self._dialect, self._source)
            waiting = self._waiting(connection)
            if waiting and not discard:
                raise LegacyError(
                    f"{waiting} captured events are not settled yet",
                    place=self._place,
                    expected="none",
                    remedy="let the bridge finish them, or discard them on purpose",
                )
            for statement in statements:
                _execute(connection, statement)

    def check(self) -> str | None:
        """Say what differs from what ``apply`` would leave; None where nothing does.

        Raises ``LegacyError`` where nothing is captured at all, and ``SchemaDrift``.
        """
        with self._connected() as connection:
            recorded = records(connection)
            self._check_shape(connection, recorded)
            capture = self.capture(connection)
            wanted = {piece.name: piece.create for piece in self._pieces(capture)}
            found = self._dialect.standing(connection, capture)
            absent = sorted(name for name in wanted if not found.get(name))
            if absent or not inspect(connection).has_table(EVENTS.name):
                raise LegacyError(
                    "capture is not installed",
                    place=self._place,
                    value=f"missing: {', '.join(absent) or EVENTS.name}",
                    remedy=f"run 'fig adapter install {self._source}'",
                )
            stale = sorted(name for name in wanted if found[name] != wanted[name])
        return f"differs from what would be installed now: {', '.join(stale)}" if stale else None

    def _check_shape(self, connection: Connection, recorded: Sequence[Entry]) -> None:
        agreed = agreed_on(recorded, self._source)
        if agreed is None:
            return
        present = shape_of(
            connection, agreed.shape.table, place=self._place, schema=agreed.shape.schema
        )
        if self._key:
            present = msgspec.structs.replace(present, key=tuple(self._key))
        breaks = [one for one in drift(agreed.shape, present) if one.breaks]
        if breaks:
            raise drifted(breaks, place=self._place, source=self._source)

    def _missing(self, connection: Connection) -> list[Step]:
        capture = self.capture(connection)
        try:
            return missing(
                connection, self._dialect, capture, records(connection), place=self._place
            )
        except ValueError as error:
            raise LegacyError(str(error), place=self._place) from error

    def _pieces(self, capture: Capture) -> Sequence[Piece]:
        try:
            return self._dialect.pieces(capture)
        except ValueError as error:
            raise LegacyError(str(error), place=self._place) from error

    def _run(self, connection: Connection, steps: Sequence[Step]) -> None:
        for step in steps:
            if step.sql:
                _execute(connection, step.sql)
        self._record(connection, steps)

    def _record(self, connection: Connection, steps: Sequence[Step]) -> None:
        for strike in struck(step.strikes for step in steps if step.strikes):
            connection.execute(strike)
        entries = [step.entry for step in steps if step.entry]
        if entries:
            connection.execute(written(entries))

    def _one_by_one(self, connection: Connection, steps: Sequence[Step]) -> None:
        """Record each step, then take it: what a crash leaves behind is in the record."""
        done: list[Step] = []
        unrecorded: list[Step] = []
        try:
            for step in steps:
                unrecorded.append(step)
                if step.entry is None or step.entry.name != INSTALLED.name:
                    self._record_all(connection, unrecorded)
                done.append(step)
                if step.sql:
                    _execute(connection, step.sql)
            self._record_all(connection, unrecorded)
        except BaseException:
            self._take_back(connection, done)
            raise

    def _record_all(self, connection: Connection, steps: list[Step]) -> None:
        self._record(connection, steps)
        steps.clear()

    def _take_back(self, connection: Connection, done: Sequence[Step]) -> None:
        for step in reversed(done):
            with contextlib.suppress(SQLAlchemyError):
                if step.undo:
                    _execute(connection, step.undo)
                back = msgspec.structs.replace(step, entry=step.strikes, strikes=step.entry)
                self._record(connection, [back])

    def _waiting(self, connection: Connection) -> int:
        if not inspect(connection).has_table(EVENTS.name):
            return 0
        count = select(func.count()).select_from(EVENTS)
        mine = count.where(EVENTS.c.source == self._source, EVENTS.c.done_at.is_(None))
        return connection.execute(mine).scalar_one()

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise self._dialect.trouble(error, place=self._place, name=self._source) from error

    @contextlib.contextmanager
    def _maybe_transaction(self, connection: Connection) -> Iterator[None]:
        if not self._dialect.installs_atomically:
            yield
            return
        with self._transaction(connection):
            yield

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


def _execute(connection: Connection, statement: str) -> None:
    """Run a statement as it stands: a % in it is a %."""
    connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def _recording(connection: Connection, steps: Sequence[Step]) -> list[str]:
    strikes = [literal(connection, one) for one in struck(s.strikes for s in steps if s.strikes)]
    entries = [step.entry for step in steps if step.entry]
    return strikes + ([literal(connection, written(entries))] if entries else [])
