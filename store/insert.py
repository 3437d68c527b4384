"""An insert of many rows, as few statements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import Connection, Dialect, Engine, Table
from sqlalchemy.dialects import postgresql, sqlite

__all__ = ["Insert"]

_MOST: Final = 256  # rows in a statement; times the columns, still below SQLite's 32,766 values


class Insert:
    """Inserts rows into a table with positional parameters, by the raw driver.

    Compiling and binding in SQLAlchemy would cost more than SQLite's own work for a row. A row a
    statement would be as quick for the thread that writes, but not for the others: the driver takes
    the interpreter's lock again after each statement, and lets go of it only meanwhile. So rows go
    in statements of 256, and what is left in statements of a power of two, which the driver keeps
    prepared. ``ignore`` passes over rows whose key is there.
    """

    def __init__(self, engine: Engine, table: Table, *, ignore: bool = False) -> None:
        one, values = _compiled(engine, table, ignore=ignore)
        self._statements = {
            size: one.replace(values, ", ".join([values] * size))
            for size in (1 << power for power in range(_MOST.bit_length()))
        }

    def rows(self, connection: Connection, rows: Sequence[Sequence[object]]) -> int:
        """Insert rows, in order; give how many were. The transaction must be a writing one."""
        inserted, start = 0, 0
        while left := len(rows) - start:
            size = min(_MOST, 1 << left.bit_length() - 1)
            values = tuple(value for row in rows[start : start + size] for value in row)
            inserted += connection.exec_driver_sql(self._statements[size], values).rowcount
            start += size
        return inserted


def _compiled(engine: Engine, table: Table, *, ignore: bool) -> tuple[str, str]:
    """Give the statement for one row, and the part of it that stands for the row's values."""
    sqlite_ = engine.dialect.name == "sqlite"
    statement = (sqlite.insert if sqlite_ else postgresql.insert)(table)
    if ignore:
        statement = statement.on_conflict_do_nothing()
    make: Callable[..., Dialect] = type(engine.dialect)
    dialect = make(paramstyle="qmark" if sqlite_ else "format")
    given = [column.name for column in table.columns if column.autoincrement is not True]
    text = str(statement.compile(dialect=dialect, column_keys=given))
    start = text.index("VALUES (") + len("VALUES ")
    return text, text[start : text.index(")", start) + 1]
