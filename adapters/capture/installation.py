"""What we put into a legacy database, and how it comes out again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec
from sqlalchemy import func, inspect, select
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from ...errors import LegacyError
from .application import at_once, execute, one_by_one
from .dialect import Capture, Dialect, Operation, Piece, Shape
from .drift import drift, drifted
from .events import EVENTS
from .grants import grants
from .ground import Ground
from .plan import Step, missing
from .record import NO_OBJECTS, Entry, agreed_on, formerly, literal, records, struck, written
from .removal import removal
from .rights import sees_triggers
from .rows import row_columns
from .script import install_script, remove_script, session, undoing
from .shape import as_now, chosen, shape_of

__all__ = ["Action", "Installation"]

Action = Literal["install", "undo", "remove"]


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
        grant_to: str = "",
    ) -> None:
        self.dialect, self.source, self.place, self.key = dialect, source, place, tuple(key)
        self._engine, self._table, self._columns = engine, table, columns
        self._operations, self._when = tuple(operations), when
        self._level, self._large, self._schema = level, large, schema
        self._grant_to = grant_to

    def capture(self, connection: Connection) -> Capture:
        """Say what is captured, of the table as it is now. Raises ``LegacyError``."""
        found = shape_of(
            connection, self.dialect, self._table, place=self.place, schema=self._schema
        )
        shape = chosen(found, self._columns, self.key, place=self.place)
        try:
            when = self._when and self.dialect.when(self._when, found, self._operations)
        except ValueError as error:
            raise LegacyError(
                f"the condition cannot be used: {error}",
                place=self.place,
                value=self._when,
                expected="a condition over old.COLUMN and new.COLUMN",
            ) from error
        return Capture(
            source=self.source,
            shape=shape,
            operations=self._operations,
            when=when,
            large=self._large,
            level=self._level,
        )

    def ground(self) -> Ground:
        """Give what a walk over the table's rows stands on. Raises ``LegacyError``."""
        with self.connected() as connection:
            capture = self.capture(connection)
            present = self.dialect.columns(connection, self._table, self._schema)
            former = formerly(records(connection), self.source)
        known = [as_now(one, capture, present) for one in former]
        before = tuple(one for one in known if one is not None and one != capture)
        return Ground(self._engine, self.dialect, capture, self.place, before)

    def told_apart(self) -> Sequence[str] | None:
        """Give the columns of a row's identity, for ``delivered``; None where events do not tell.

        In MariaDB who has no right on a table does not see it: then the record says. Raises
        ``LegacyError``.
        """
        with self.connected() as connection:
            agreed = agreed_on(records(connection), self.source)
            seen = sees_triggers(connection) or bool(
                self.dialect.columns(connection, self._table, self._schema)
            )
        if seen or agreed is None:
            return row_columns(self.ground())
        key, captured = agreed.shape.key, {name for name, _ in agreed.shape.columns}
        # What 'key' says is an order, and need not tell rows apart.
        return key if key and not self.key and captured.issuperset(key) else None

    def keyed(self, present: Shape) -> Shape:
        """Give a shape with the key by which order is kept: that of the options, if they say."""
        return msgspec.structs.replace(present, key=self.key) if self.key else present

    def steps(self) -> list[Step]:
        """Give what ``apply`` would do now; none where all of it stands."""
        with self.connected() as connection:
            return self._missing(connection)

    def script(self, action: Action) -> str:
        """Write what ``apply`` or ``undo`` would do as a script for a person to review.

        ``undo`` takes out what ``install`` would put in now, ``remove`` what is recorded.
        """
        with self.connected() as connection:
            kind = connection.dialect.name.replace("mariadb", "mysql")
            title = f"fig adapter {action} {self.source}: {self.place}"
            first = session(connection, kind)
            if action == "remove":
                statements = removal(connection, self.dialect, self.source)
                return "\n".join(remove_script(kind, title, statements, first))
            steps = self._missing(connection)
            if action == "undo":
                return "\n".join(remove_script(kind, title, undoing(steps), first))
            recording = _recording(connection, steps)
            return "\n".join(install_script(kind, title, steps, recording, first))

    def plan(self) -> list[str]:
        """Give the statements that ``apply`` would run now; none where all of it stands."""
        with self.connected() as connection:
            steps = self._missing(connection)
            return [step.sql for step in steps if step.sql] + _recording(connection, steps)

    def apply(self) -> None:
        """Run the plan: in one transaction, or undoing what was done where it fails."""
        with self.connected() as connection:
            if self.dialect.installs_atomically:
                with self._transaction(connection):
                    at_once(connection, self._missing(connection))
            else:
                one_by_one(connection, self._missing(connection))

    def recorded(self) -> list[Mapping[str, str | float]]:
        """Give the record of what stands in the database, of all sources; options are left out."""
        with self.connected() as connection:
            return [
                {
                    "source": entry.source,
                    "kind": entry.kind,
                    "name": entry.name,
                    "by": entry.by,
                    "at": entry.at,
                }
                for entry in records(connection)
                if entry.kind not in NO_OBJECTS
            ]

    def removal(self) -> list[str]:
        """Give the statements that ``undo`` would run now, triggers first."""
        with self.connected() as connection:
            return removal(connection, self.dialect, self.source)

    def undo(self, *, discard: bool) -> None:
        """Take out what is recorded, from any machine; refuse while events wait."""
        with self.connected() as connection, self._maybe_transaction(connection):
            statements = removal(connection, self.dialect, self.source)
            waiting = self._waiting(connection) if statements else 0
            if waiting and not discard:
                raise LegacyError(
                    f"{waiting} captured events are not settled yet",
                    place=self.place,
                    expected="none",
                    remedy="let the bridge finish them, or discard them on purpose",
                )
            for statement in statements:
                execute(connection, statement)

    def check(self) -> str | None:
        """Say what differs from what ``apply`` would leave; None where nothing does.

        Of triggers that this user may not see (MariaDB) the record is believed, and of columns
        where it was not granted to see them. Raises ``LegacyError`` where nothing is captured at
        all, and ``SchemaDrift``.
        """
        with self.connected() as connection:
            recorded = records(connection)
            agreed = agreed_on(recorded, self.source)
            if agreed and not sees_triggers(connection):
                table, schema = agreed.shape.table, agreed.shape.schema
                if self.dialect.columns(connection, table, schema):
                    self._check_shape(connection, recorded)
                return None  # the least rights show no more: 'doctor --as' another user does
            self._check_shape(connection, recorded)
            capture = self.capture(connection)
            wanted = {piece.name: piece.create for piece in self._pieces(capture)}
            found = self.dialect.standing(connection, capture)
            absent = sorted(name for name in wanted if name not in found)
            idle = sorted(name for name in wanted if found.get(name) == "")
            if absent or idle or not inspect(connection).has_table(EVENTS.name):
                parts = [f"missing: {', '.join(absent)}"] if absent else []
                parts += [f"disabled: {', '.join(idle)}"] if idle else []
                raise LegacyError(
                    "capture is not installed",
                    place=self.place,
                    value="; ".join(parts) or f"missing: {EVENTS.name}",
                    remedy=f"run 'fig adapter install {self.source}'",
                )
            stale = sorted(name for name in wanted if found[name] != wanted[name])
        return f"differs from what would be installed now: {', '.join(stale)}" if stale else None

    def _check_shape(self, connection: Connection, recorded: Sequence[Entry]) -> None:
        agreed = agreed_on(recorded, self.source)
        if agreed is None:
            return
        present = shape_of(
            connection,
            self.dialect,
            agreed.shape.table,
            place=self.place,
            schema=agreed.shape.schema,
        )
        breaks = [one for one in drift(agreed.shape, self.keyed(present)) if one.breaks]
        if breaks:
            raise drifted(breaks, place=self.place, source=self.source)

    def _missing(self, connection: Connection) -> list[Step]:
        capture = self.capture(connection)
        try:
            return missing(
                connection,
                self.dialect,
                capture,
                records(connection),
                place=self.place,
                granted=grants(connection, self._grant_to, self.dialect.shared(), capture.shape),
            )
        except ValueError as error:
            raise LegacyError(str(error), place=self.place) from error

    def _pieces(self, capture: Capture) -> Sequence[Piece]:
        try:
            return self.dialect.pieces(capture)
        except ValueError as error:
            raise LegacyError(str(error), place=self.place) from error

    def _waiting(self, connection: Connection) -> int:
        if not inspect(connection).has_table(EVENTS.name):
            return 0
        count = select(func.count()).select_from(EVENTS)
        mine = count.where(EVENTS.c.source == self.source, EVENTS.c.done_at.is_(None))
        return connection.execute(mine).scalar_one()

    @contextlib.contextmanager
    def connected(self) -> Iterator[Connection]:
        """Give a connection; what goes wrong on it is raised as ``LegacyError``."""
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise self.dialect.trouble(error, place=self.place, name=self.source) from error

    @contextlib.contextmanager
    def _maybe_transaction(self, connection: Connection) -> Iterator[None]:
        if not self.dialect.installs_atomically:
            yield
            return
        with self._transaction(connection):
            yield

    @contextlib.contextmanager
    def _transaction(self, connection: Connection) -> Iterator[None]:
        connection.exec_driver_sql(self.dialect.begin)
        try:
            yield
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            with contextlib.suppress(SQLAlchemyError):
                connection.exec_driver_sql("ROLLBACK")
            raise


def _recording(connection: Connection, steps: Sequence[Step]) -> list[str]:
    strikes = [literal(connection, one) for one in struck(s.strikes for s in steps if s.strikes)]
    entries = [step.entry for step in steps if step.entry]
    return strikes + ([literal(connection, written(entries))] if entries else [])
