"""That each trigger fires, proved: a row is inserted, changed and deleted, and rolled back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec
from sqlalchemy import Table
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ...model import Finding
from .blind_mysql import no_way_back
from .canary import Canary
from .copied import fires_on_copy, truncate_fires
from .cost import bare_copy, cost
from .dialect import Capture, Dialect, Operation
from .invented import reflected
from .savepoint import NoRow, Savepoint, refusal
from .traffic import ago, last_captured, traffic
from .witness import Witness

__all__ = ["prove"]

_CHANGES: Final[tuple[Operation, ...]] = ("insert", "update", "delete")
_IMPATIENCE: Final = {
    "postgresql": ("SET LOCAL lock_timeout = '1s'", "SET LOCAL statement_timeout = '10s'"),
    "mysql": (
        "SET SESSION innodb_lock_wait_timeout = 1",
        "SET SESSION lock_wait_timeout = 1",
        # A key of 0 is one, and does not ask a counter for its next number.
        "SET SESSION sql_mode = CONCAT_WS(',', NULLIF(@@sql_mode, ''), 'NO_AUTO_VALUE_ON_ZERO')",
    ),
    # What is taken back is kept in memory: a file for it would cost more than any trigger.
    "sqlite": ("PRAGMA busy_timeout = 1000", "PRAGMA temp_store = MEMORY"),
}
"""Legacy never waits for a canary for longer than this."""


def prove(
    connection: Connection, dialect: Dialect, capture: Capture, given: Mapping[str, object]
) -> Iterator[Finding]:
    """Write a canary row through the real triggers, count what they caught, and roll back.

    Where it cannot be written, as much as can be proved without. The last findings are what a
    trigger costs a write, and what real writes were captured. Raises what SQLAlchemy does.
    """
    last = last_captured(connection, dialect, capture)
    kind = connection.dialect.name.replace("mariadb", "mysql")
    shape = capture.shape
    reason = no_way_back(connection, shape.schema, shape.table) if kind == "mysql" else ""
    if reason:
        says = f"not tried, for it could not be rolled back: {reason}"
        remedy = "see below what real writes were captured, while legacy writes"
        yield Finding(check="fires", state="warn", says=says, remedy=remedy)
        yield traffic(capture, last)
        return
    for statement in _IMPATIENCE.get(kind, ()):
        if not statement.startswith("SET LOCAL"):
            connection.exec_driver_sql(statement)
    table = reflected(connection, shape.table, shape.schema)
    copy = bare_copy(connection, table)
    with _rolled_back(connection, dialect):
        yield from _Proof(connection, dialect, capture, given, last).of(table, copy)
    yield traffic(capture, last)


class _Proof:
    """One proof, within one transaction."""

    def __init__(
        self,
        connection: Connection,
        dialect: Dialect,
        capture: Capture,
        given: Mapping[str, object],
        last: Mapping[Operation, float],
    ) -> None:
        self._connection, self._dialect, self._capture = connection, dialect, capture
        self._given, self._last = given, last

    def of(self, table: Table, copy: Table | None) -> Iterator[Finding]:
        """Prove what can be, of changes and of a truncate; and measure what it costs."""
        canary: Canary | None = None
        try:
            with Savepoint(self._connection):
                canary, witness = self._written(table)
        except NoRow as none:
            yield from self._elsewhere("no canary row could be written", none, _CHANGES)
        else:
            yield from self._changes(canary, witness)
        if "truncate" in self._capture.operations:
            yield truncate_fires(self._connection, self._dialect, self._capture)
        if canary is not None:
            pieces = self._dialect.pieces(self._capture)
            names = {piece.name for piece in pieces if piece.kind == "trigger"}
            yield cost(self._connection, canary, names, copy)

    def _written(self, table: Table) -> tuple[Canary, Witness]:
        try:
            canary = Canary(self._connection, self._capture, table, self._given)
            witness = Witness(self._connection, self._dialect, self._capture, canary)
            canary.insert()
            witness.row()
        except DBAPIError as error:  # it may not even read the table
            raise refusal(error) from error
        return canary, witness

    def _changes(self, canary: Canary, witness: Witness) -> Iterator[Finding]:
        operations = self._capture.operations
        row = witness.row()
        if "insert" in operations:
            yield witness.finding("insert", row)
        left = [one for one in _CHANGES[1:] if one in operations]
        try:
            for keep in (True, False):
                witness.mark()
                canary.update(keep=keep)
                row = witness.row()
                updated = witness.finding("update", row)
                if updated.state != "warn" or not self._given:
                    break
            if "update" in operations:
                yield updated
                left.remove("update")
            witness.mark()
            canary.delete()
            if "delete" in operations:
                yield witness.finding("delete", row)
        except NoRow as none:
            yield from self._elsewhere("the canary row had to stay as it was", none, left)

    def _elsewhere(
        self, what: str, none: NoRow, operations: Sequence[Operation]
    ) -> Iterator[Finding]:
        """Say of operations that could not be tried what else is known of their triggers."""
        wanted = [one for one in operations if one in self._capture.operations]
        copied: Mapping[Operation, Finding] = {}
        if wanted and self._connection.dialect.name == "postgresql":
            with contextlib.suppress(NoRow):
                copied = fires_on_copy(self._connection, self._dialect, self._capture, self._given)
        for operation in wanted:
            yield self._unproved(operation, what, none, copied.get(operation))

    def _unproved(
        self, operation: Operation, what: str, none: NoRow, copied: Finding | None
    ) -> Finding:
        if copied is not None and copied.state == "fail":
            says = f"on a temporary copy of the table: {copied.says}"
            return msgspec.structs.replace(copied, says=says)
        known = "nor is a captured write of legacy's kept"
        if operation in self._last:
            known = f"but a real one was captured {ago(self._last[operation])} ago"
        if copied is not None and copied.state == "ok":
            known = f"the trigger's function caught one on a temporary copy; {known}"
        as_other = "run it as a user who may write the table: --as USER"
        under = f"[legacy.{self._capture.source}]"
        values = f"give values that are allowed: canary = {{ COLUMN = … }} under {under}"
        return Finding(
            check=f"fires: {operation}",
            state="warn",
            says=f"not proved: {what}: {none}; {known}",
            remedy=as_other if none.denied else f"{values}; or {as_other}",
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
