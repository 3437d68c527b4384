"""Adds many rows to a table at once, but those that are there already: one statement, one trip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table

from .driver import own_connection, own_errors
from .rows import rows_of

__all__ = ["Additions", "portions"]

_AT_ONCE: Final = 512


class Additions:
    """The statements for one table of one database.

    A row's values stand in the order of the table's columns. ``told``, of these, is what PostgreSQL
    says of each row that was added.
    """

    def __init__(self, engine: Engine, table: Table, told: str = "") -> None:
        names = ", ".join(column.name for column in table.columns)
        self._into = f"INSERT INTO {table.name} ({names})"  # names of ours
        # To undo a statement alone, SQLite would keep a copy of each page that it touches: a page
        # for each row, where keys come in no order. Who adds gives the transaction up on an error.
        self._into_pages = f"INSERT OR FAIL INTO {table.name} ({names})"
        self._row = "(" + ", ".join("?" * len(table.columns)) + ")"
        self._rows = rows_of(engine, table)
        if self._rows is not None:
            chosen = f"SELECT {names} FROM {self._rows.source}"  # noqa: S608 names of ours
            returning = f" RETURNING {told}" if told else ""
            self._all = f"{self._into} {chosen} ON CONFLICT DO NOTHING{returning}"
        self._by_count: dict[int, str] = {}

    def add(
        self, connection: Connection, rows: Sequence[Sequence[object]]
    ) -> tuple[int, list[tuple[Any, ...]]]:
        """Add rows in their order, in a transaction that is under way.

        Gives how many were new, and on PostgreSQL what was ``told`` of these where not all were.
        Raises what the driver raises, as SQLAlchemy's errors: some may be added then.
        """
        driver = own_connection(connection)
        with own_errors(connection, driver, self._into):
            if self._rows is None:
                return self._add_rows(driver, rows), []
            with driver.cursor() as cursor:
                cursor.execute(self._all, self._rows.values(rows))
                told = cursor.rowcount < len(rows) and cursor.description is not None
                return cursor.rowcount, cursor.fetchall() if told else []

    def _add_rows(self, driver: Any, rows: Sequence[Sequence[object]]) -> int:
        added = start = 0
        for count in portions(len(rows), _AT_ONCE):
            values = list(chain.from_iterable(rows[start : start + count]))
            added += driver.execute(self._of_rows(count), values).rowcount
            start += count
        return added

    def _of_rows(self, count: int) -> str:
        found = self._by_count.get(count)
        if found is None:
            values = ", ".join([self._row] * count)
            found = f"{self._into_pages} VALUES {values} ON CONFLICT DO NOTHING"
            self._by_count[count] = found
        return found


def portions(count: int, largest: int) -> Iterator[int]:
    """Split ``count`` into powers of two: few statements, of few kinds, each kept prepared."""
    while count >= largest:
        yield largest
        count -= largest
    while count:
        portion = 1 << (count.bit_length() - 1)
        yield portion
        count -= portion
