"""That each trigger fires, proved: a row is inserted, changed and deleted, and rolled back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Final

from sqlalchemy import Column, ColumnElement, Table, func, literal_column, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ...model import Finding
from .blind_mysql import no_way_back
from .canary import Canary, NoCanary, reflected, refusal
from .cost import bare_copy, cost
from .dialect import Capture, Dialect, Operation
from .events import EVENTS, GAPS

__all__ = ["prove"]

_IMPATIENCE: Final = {
    "postgresql": ("SET LOCAL lock_timeout = '1s'", "SET LOCAL statement_timeout = '10s'"),
    "mysql": ("SET SESSION innodb_lock_wait_timeout = 1", "SET SESSION lock_wait_timeout = 1"),
    # What is taken back is kept in memory: a file for it would cost more than any trigger.
    "sqlite": ("PRAGMA busy_timeout = 1000", "PRAGMA temp_store = MEMORY"),
}
"""Legacy never waits for a canary for longer than this."""


def prove(
    connection: Connection, dialect: Dialect, capture: Capture, given: Mapping[str, object]
) -> Iterator[Finding]:
    """Write a canary row through the real triggers, count what they caught, and roll back.

    The last finding is what a trigger costs a write. Raises what SQLAlchemy does.
    """
    kind = connection.dialect.name.replace("mariadb", "mysql")
    reason = no_way_back(connection, capture) if kind == "mysql" else ""
    if reason:
        says = f"not tried, for it could not be rolled back: {reason}"
        yield Finding(
            check="fires",
            state="warn",
            says=says,
            remedy="watch 'fig adapter doctor' for pending events while legacy writes",
        )
        return
    for statement in _IMPATIENCE.get(kind, ()):
        if not statement.startswith("SET LOCAL"):
            connection.exec_driver_sql(statement)
    table = reflected(connection, capture)
    copy = bare_copy(connection, table)
    with _rolled_back(connection, dialect):
        yield from _prove(connection, dialect, capture, given, copy)


def _prove(
    connection: Connection,
    dialect: Dialect,
    capture: Capture,
    given: Mapping[str, object],
    copy: Table | None,
) -> Iterator[Finding]:
    try:
        canary = Canary(connection, capture, given)
        witness = _Witness(connection, dialect, capture, canary)
        canary.insert()
        row = witness.row()
    except NoCanary as none:
        yield _impossible(capture, "insert", none)
        return
    except DBAPIError as error:  # it may not even read the table
        yield _impossible(capture, "insert", NoCanary(refusal(error)))
        return
    if "insert" in capture.operations:
        yield witness.finding("insert", row)
    try:
        for keep in (True, False):
            witness.mark()
            canary.update(keep=keep)
            row = witness.row()
            updated = witness.finding("update", row)
            if updated.state != "warn" or not given:
                break
        if "update" in capture.operations:
            yield updated
        witness.mark()
        canary.delete()
        if "delete" in capture.operations:
            yield witness.finding("delete", row)
    except NoCanary as none:
        yield _impossible(capture, "update and delete", none)
    if "truncate" in capture.operations:
        says = "not tried: it would lock the whole table; that its trigger stands is above"
        yield Finding(check="fires: truncate", state="skip", says=says)
    names = {piece.name for piece in dialect.pieces(capture) if piece.kind == "trigger"}
    yield cost(connection, canary, names, copy)


class _Witness:
    """Sees what the triggers caught of the canary, apart from what others write meanwhile."""

    def __init__(
        self, connection: Connection, dialect: Dialect, capture: Capture, canary: Canary
    ) -> None:
        self._connection, self._dialect = connection, dialect
        self._capture, self._canary = capture, canary
        self._events = self._gaps = 0
        self.mark()

    def mark(self) -> None:
        """Forget what was seen so far."""
        self._events, self._gaps = self._newest(EVENTS), self._newest(GAPS)

    def row(self) -> tuple[str, str]:
        """Give key and image of the canary as the triggers should write them."""
        shape = self._capture.shape
        key = self._dialect.row_key(shape, "fig_c")
        image = self._dialect.row_image(shape, "fig_c", self._capture.large)
        there = self._canary.table.alias("fig_c")
        where = self._canary.found_in(there)
        both: tuple[ColumnElement[str], ...] = (literal_column(key), literal_column(image))
        wanted = select(*both).select_from(there).where(where)
        found = self._connection.execute(wanted).first()
        if found is None:
            raise NoCanary("a trigger of legacy's own, or a rule, puts the row elsewhere")
        return str(found[0]), str(found[1])

    def finding(self, operation: Operation, row: tuple[str, str]) -> Finding:
        """Say whether the trigger of an operation has caught the row."""
        check = f"fires: {operation}"
        images = self._caught(operation, row[0])
        if any(self._same(image, row[1]) for image in images):
            return Finding(check=check, state="ok", says="a canary row was caught, and rolled back")
        if images:
            says = "an event came, and its image is not that of the row"
            remedy = f"run 'fig adapter install {self._capture.source}'"
            return Finding(check=check, state="fail", says=says, remedy=remedy)
        return self._silence(check)

    def _silence(self, check: str) -> Finding:
        reason = select(GAPS.c.reason).where(
            GAPS.c.id > self._gaps, GAPS.c.source == self._capture.source
        )
        said = self._connection.execute(reason.order_by(GAPS.c.id.desc()).limit(1)).scalar()
        if said is not None:
            source = self._capture.source
            remedy = f"mend that; then run 'fig adapter reconcile {source}' for what was missed"
            says = f"the trigger fires and cannot write: {said}"
            return Finding(check=check, state="fail", says=says, remedy=remedy)
        if self._capture.when:
            return Finding(
                check=check,
                state="warn",
                says="nothing was caught: the condition does not hold for the canary row",
                remedy="give it values for which it holds: canary = { COLUMN = … } in fig.toml",
            )
        return Finding(
            check=check,
            state="fail",
            says="nothing was caught",
            remedy=f"run 'fig adapter install {self._capture.source}', then 'reconcile'",
        )

    def _caught(self, operation: Operation, key: str) -> list[str]:
        image: Column[str] = EVENTS.c.before if operation == "delete" else EVENTS.c.after
        wanted = select(image).where(
            EVENTS.c.id > self._events,
            EVENTS.c.source == self._capture.source,
            EVENTS.c.op == operation,
            EVENTS.c.key == key,
        )
        return [text or "" for text in self._connection.execute(wanted).scalars()]

    def _same(self, image: str, wanted: str) -> bool:
        if image == wanted:
            return True
        try:
            ours, theirs = self._dialect.image(image), self._dialect.image(wanted)
        except ValueError:
            return False
        small = [name for name, value in ours.values.items() if not isinstance(value, int)]
        return list(ours.values) == list(theirs.values) and all(
            ours.values[name] == theirs.values[name] for name in small
        )

    def _newest(self, table: Table) -> int:
        return self._connection.execute(select(func.max(table.c.id))).scalar() or 0


def _impossible(capture: Capture, what: str, none: NoCanary) -> Finding:
    return Finding(
        check=f"fires: {what}",
        state="warn",
        says=f"not proved: no canary row could be written: {none}",
        remedy=(
            f"give values that are allowed: canary = {{ COLUMN = … }} under"
            f" [legacy.{capture.source}]; or run it as a user who may write (--as)"
        ),
    )


@contextlib.contextmanager
def _rolled_back(connection: Connection, dialect: Dialect) -> Iterator[None]:
    """Begin a transaction that never commits, whatever happens in it."""
    connection.exec_driver_sql(dialect.begin)
    try:
        for statement in _IMPATIENCE.get(connection.dialect.name, ()):
            if statement.startswith("SET LOCAL"):
                connection.exec_driver_sql(statement)
        yield
    finally:
        try:
            connection.exec_driver_sql("ROLLBACK")
        except SQLAlchemyError:
            # A connection that is gone has rolled back; one that is not must not commit.
            connection.invalidate()
            raise
