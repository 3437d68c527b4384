"""Rows that were taken and are there no longer: told as deletes, where no delete was captured.

A row that is not there cannot be locked. So the number of its event is taken first and the table
is looked at after that: whoever brings the row back later has a higher number. Where legacy may be
bringing it back this moment, MariaDB's locks on gaps say so; PostgreSQL has none, so there the
event holds its key back until the transactions of that moment have ended.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from sqlalchemy import delete, insert, literal, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

from .events import EVENTS
from .ground import Ground
from .identity import values_of
from .rows import Gone, Rows
from .tally import Tally
from .unsettled import HELD, Horizon, keys_waiting, rows_waiting

__all__ = ["GoneRows"]

_HISTORY: Final = 9
_PATIENCE: Final = 5.0
_GAPS: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"


class GoneRows:
    """Tells of rows that are gone, some at a time."""

    def __init__(
        self, ground: Ground, rows: Rows, known: Callable[[Sequence[str]], Collection[str]]
    ) -> None:
        self._ground, self._rows, self._known = ground, rows, known

    def look(self, connection: Connection, page: Sequence[str]) -> tuple[list[str], list[str]]:
        """Give those rows that are not there, and those that are there under another key."""
        present = self._rows.present(connection, page)
        absent = [row for row in page if row not in present]
        unique = len(self._rows.unique)
        if not unique:
            return absent, []
        there = {tuple(values_of(row)[:unique]) for row in present}
        stale = [row for row in absent if tuple(values_of(row)[:unique]) in there]
        return [row for row in absent if row not in stale], stale

    def waiting(self, connection: Connection, gone: Sequence[Gone], but: Sequence[int]) -> set[str]:
        """Give those rows that an event tells of which is not settled yet."""
        keys = keys_waiting(connection, self._ground.source, {one.key for one in gone}, but)
        renamed = rows_waiting(self._ground, connection, self._rows.columns)
        if renamed is None:
            return {one.row for one in gone}
        return {one.row for one in gone if one.key in keys or one.row in renamed}

    def capture(
        self, connection: Connection, absent: Sequence[str], tally: Tally, save: Callable[[], None]
    ) -> None:
        """Write a delete of each row that is gone indeed; ``save`` belongs to the transaction."""
        gone = [self._rows.gone(connection, row) for row in absent]
        if self._ground.backend == "postgresql":
            self._capture_behind_horizon(connection, gone, tally, save)
            return
        if self._ground.backend == "mysql":
            connection.exec_driver_sql(_GAPS)
        with self._ground.writing(connection):
            ids = self._write(connection, gone, parked=0)
            self._keep(connection, gone, ids, tally)
            save()

    def _capture_behind_horizon(
        self, connection: Connection, gone: Sequence[Gone], tally: Tally, save: Callable[[], None]
    ) -> None:
        with self._ground.writing(connection):
            ids = self._write(connection, gone, parked=HELD)
        passed = Horizon(self._ground, connection).wait(connection, _PATIENCE)
        with self._ground.writing(connection):
            if passed:
                self._keep(connection, gone, ids, tally)
            else:
                _withdraw(connection, ids)
                tally.pending += len(gone)
            connection.execute(update(EVENTS).where(EVENTS.c.id.in_(ids)).values(parked=0))
            save()

    def _keep(
        self, connection: Connection, gone: Sequence[Gone], ids: Sequence[int], tally: Tally
    ) -> None:
        """Look once more, now that the events have their numbers, and withdraw what was wrong."""
        names = [one.row for one in gone]
        back = self._rows.present(connection, names, lock=self._ground.backend == "mysql")
        pending = self.waiting(connection, gone, ids) | back
        known = self._known(names)
        right = [one for one in gone if one.row in known and one.row not in pending]
        kept = {one.row for one in right}
        _withdraw(connection, [n for n, one in zip(ids, gone, strict=True) if one.row not in kept])
        tally.pending += len(gone) - len(right)
        tally.miss("delete", [one.key for one in right])

    def _write(self, connection: Connection, gone: Sequence[Gone], *, parked: int) -> list[int]:
        now, digest = self._ground.dialect.now(connection), self._ground.capture.shape.digest
        ids = []
        for one in gone:
            key, before = self._rows.written(one.row)
            values: dict[str, ColumnElement[Any]] = {
                "source": literal(self._ground.source),
                "event_id": literal(uuid.uuid4().hex),
                "key": key,
                "op": literal("delete"),
                "before": before,
                "schema_hash": literal(digest),
                "created_at": literal(now),
                "priority": literal(_HISTORY),
                "parked": literal(parked),
            }
            # Written by the database itself: its text need not be Unicode.
            statement = insert(EVENTS).from_select(list(values), select(*values.values()))
            if self._ground.backend == "postgresql":
                ids.append(connection.execute(statement.returning(EVENTS.c.id)).scalar_one())
            else:
                ids.append(connection.execute(statement).lastrowid)
        return ids


def _withdraw(connection: Connection, ids: Sequence[int]) -> None:
    if ids:
        connection.execute(delete(EVENTS).where(EVENTS.c.id.in_(list(ids))))
