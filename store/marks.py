"""Sets inbox marks, many at once, and says which of them were new."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Engine

from . import tables
from .insert import insertion
from .rows import rows_of

__all__ = ["Mark", "Marks"]

Mark = tuple[str, str, str, float, str | None]
"""consumer, message_id, payload_hash, at and result."""


class Marks:
    """The statements for one database, compiled once."""

    def __init__(self, engine: Engine) -> None:
        self.one = insertion(engine, tables.inbox, ignore=True)
        self._rows = rows_of(engine, tables.inbox)

    def write(self, connection: Connection, marks: Sequence[Mark]) -> list[bool]:
        """Set marks in a transaction that is under way; say of each whether it was new."""
        if self._rows is None or len(marks) == 1:
            return self._tried(connection, marks)
        names, given = self._rows
        insert = f"INSERT INTO inbox ({names}) SELECT {names} FROM {given}"  # noqa: S608 our names
        statement = f"{insert} ON CONFLICT DO NOTHING RETURNING consumer, message_id"
        found = connection.exec_driver_sql(statement, (self._rows.encoded(marks),))
        new = {(consumer, message) for consumer, message in found}
        if len(new) == len(marks):
            return [True] * len(marks)
        fresh = []
        for consumer, message, *_ in marks:
            fresh.append((consumer, message) in new)
            new.discard((consumer, message))  # of two of one message the first is new
        return fresh

    def _tried(self, connection: Connection, marks: Sequence[Mark]) -> list[bool]:
        """Set all at once, and one by one only where some were there already."""
        if len(marks) > 1:
            connection.exec_driver_sql("SAVEPOINT fig_marks")
            if connection.exec_driver_sql(self.one, list(marks)).rowcount == len(marks):
                connection.exec_driver_sql("RELEASE SAVEPOINT fig_marks")
                return [True] * len(marks)
            connection.exec_driver_sql("ROLLBACK TO SAVEPOINT fig_marks")
        return [connection.exec_driver_sql(self.one, [mark]).rowcount == 1 for mark in marks]
