"""A row that is written, changed, deleted and rolled back, to see whether the triggers fire."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Table, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from .dialect import Capture
from .fresh import fresh
from .invented import Invented
from .savepoint import NoRow, Savepoint, refusal

__all__ = ["Canary"]


class Canary:
    """One row of a captured table, or of a copy of it, in a transaction that is rolled back.

    ``given`` are values from the options, for what cannot be guessed. Raises ``NoRow``.
    """

    def __init__(
        self, connection: Connection, capture: Capture, table: Table, given: Mapping[str, object]
    ) -> None:
        self._connection, self._capture = connection, capture
        unknown = sorted(set(given) - set(table.c.keys()))
        if unknown:
            raise NoRow(f"'canary' names columns that there are not: {', '.join(unknown)}")
        self._given = dict(given)
        self.table = table
        self.row = Invented(connection, table, given)

    def insert(self) -> None:
        """Write the row. Raises ``NoRow``."""
        self.row.insert()

    def update(self, *, keep: bool = True) -> None:
        """Change what may be changed of the row; if that is refused, write it as it is.

        ``keep``: values that the options give stay. Raises ``NoRow``.
        """
        fixed = {name for names in self.row.unique for name in names} | self.row.foreign
        fixed |= self.row.where.keys() | (self._given.keys() if keep else set())
        values: dict[str, object] = {}
        for column in self.table.c:
            if column.name in fixed or column.computed is not None or column.identity is not None:
                continue
            for value in fresh(None, column)[:1]:
                values[column.name] = value
        same = next(
            name for name, _ in self._capture.shape.columns if _is_writable(self.table, name)
        )
        attempts: list[Mapping[str, object]] = [values] if values else []
        for chosen in [*attempts, {same: self.table.c[same]}]:
            statement = update(self.table).where(self.row.found_in(self.table)).values(chosen)
            try:
                with Savepoint(self._connection):
                    self._connection.execute(statement)
            except DBAPIError as error:
                none = refusal(error)
                continue
            return
        raise none

    def delete(self) -> None:
        """Delete the row. Raises ``NoRow``."""
        gone = self.table.delete().where(self.row.found_in(self.table))
        try:
            with Savepoint(self._connection):
                self._connection.execute(gone)
        except DBAPIError as error:
            raise refusal(error) from error


def _is_writable(table: Table, name: str) -> bool:
    return name in table.c and table.c[name].computed is None and table.c[name].identity is None
