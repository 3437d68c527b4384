"""Adds many rows to a table at once, but those that are there already: one statement, one trip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Final

from sqlalchemy import Connection, Engine

from .driver import own_connection, own_errors

__all__ = ["Additions", "portions"]

_AT_ONCE: Final = 512


class Additions:
    """The statements for one table of one database.

    ``columns`` are its columns and their types on PostgreSQL, in the order of a row's values;
    ``told``, of these, is what PostgreSQL says of each row that was added.
    """

    def __init__(
        self, engine: Engine, table: str, columns: Sequence[tuple[str, str]], told: str = ""
    ) -> None:
        self._unnests = engine.dialect.name == "postgresql"
        names = ", ".join(name for name, _ in columns)
        self._into = f"INSERT INTO {table} ({names})"  # constants of ours
        self._row = "(" + ", ".join("?" * len(columns)) + ")"
        # Arrays in their binary form cost our own processor a sixth of what executemany does.
        arrays = ", ".join(f"%b::{kind}[]" for _, kind in columns)
        returning = f" RETURNING {told}" if told else ""
        chosen = f"SELECT * FROM unnest({arrays})"  # noqa: S608 columns and types, ours
        self._unnested = f"{self._into} {chosen} ON CONFLICT DO NOTHING{returning}"
        self._by_count: dict[int, str] = {}

    def add(
        self, connection: Connection, rows: Sequence[Sequence[object]]
    ) -> tuple[int, list[tuple[Any, ...]]]:
        """Add rows in their order, in a transaction that is under way.

        Gives how many were new, and on PostgreSQL what was ``told`` of these where not all were.
        Raises what the driver raises, as SQLAlchemy's errors.
        """
        driver = own_connection(connection)
        with own_errors(connection, driver, self._into):
            if not self._unnests:
                return self._add_rows(driver, rows), []
            with driver.cursor() as cursor:
                cursor.execute(self._unnested, [list(column) for column in zip(*rows, strict=True)])
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
            found = f"{self._into} VALUES {values} ON CONFLICT DO NOTHING"
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
