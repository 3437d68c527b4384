"""The rows of a captured table, some at a time, in an order that its own index gives."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnClause, Select, and_, func, literal_column, select, table
from sqlalchemy import column as named
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

from .address import address
from .dialect import Shape
from .ground import Ground
from .order import Place

__all__ = ["Chunks"]


class Chunks:
    """A walk's view of one table. Built on a connection, used on that and later ones.

    ``columns`` are those that tell the rows apart; empty where the row's address does. ``epoch``
    changes when addresses do: a walk by addresses cannot be gone on with then. Raises
    ``LegacyError`` where rows have nothing that tells them apart.
    """

    def __init__(self, ground: Ground, connection: Connection, where: str | None = None) -> None:
        shape = ground.capture.shape
        names: list[ColumnClause[Any]] = [named(name) for name in shape.all_columns]
        whole = table(shape.table, *names, schema=shape.schema or None)
        self._ground = ground
        self.row: Any = whole.alias(ground.row)
        self._old: Any = whole.alias(ground.old)
        self._where = ground.capture.when if where is None else where
        self.columns, self.order, self.epoch = address(ground, connection, self.row)

    def last(self, connection: Connection) -> Place | None:
        """Give the place of the last row; None for an empty table."""
        query = select(*self.order.reads).select_from(self.row)
        found = connection.execute(query.order_by(*self.order.descending()).limit(1)).first()
        return None if found is None else self.order.place(found)

    def edge(
        self, connection: Connection, after: Place | None, end: Place, size: int
    ) -> tuple[Place, int] | None:
        """Give where a chunk of ``size`` rows ends, and how many it has; None behind the last."""
        query = select(*self.order.reads).select_from(self.row)
        query = query.where(self.between(after, end)).order_by(*self.order.ascending())
        found = connection.execute(query.limit(1).offset(size - 1)).first()
        if found is not None:
            return self.order.place(found), size
        count = select(func.count()).select_from(self.row).where(self.between(after, end))
        rest = connection.execute(count).scalar_one()
        return (end, rest) if rest else None

    def between(self, after: Place | None, upto: Place) -> ColumnElement[bool]:
        """Give the condition of a chunk's rows: behind one place, up to another."""
        upper = self.order.upto(upto)
        return upper if after is None else and_(self.order.after(after), upper)

    def rows(
        self, condition: ColumnElement[bool], *wanted: ColumnElement[Any], all_rows: bool = False
    ) -> Select[Any]:
        """Select of the rows that a condition names and that are to be captured, in order."""
        query = select(*wanted).select_from(self.row)
        if self._where and not all_rows:
            # A row that has just come: it was nothing before.
            query = select(*wanted).select_from(
                self.row.outerjoin(self._old, literal_column("1 = 0"))
            )
            query = query.where(literal_column(f"({self._where})"))
        return query.where(condition).order_by(*self.order.ascending())

    def locked(self, query: Select[Any]) -> Select[Any]:
        """Lock what is selected against changes, until the transaction's end; never wait for it.

        SQLite has one writer, and that is us.
        """
        if self._ground.backend == "sqlite":
            return query
        if self._ground.backend == "postgresql":
            return query.with_for_update(read=True, nowait=True, of=self.row)
        return query.suffix_with(self._ground.share_lock)

    @property
    def key(self) -> ColumnElement[Any]:
        """The key, as the triggers write it."""
        shape = self._ground.capture.shape
        return literal_column(self._ground.dialect.row_key(shape, self._ground.row))

    @property
    def image(self) -> ColumnElement[Any]:
        """The image, as the triggers write it."""
        return self.image_of(self._ground.capture.shape)

    def image_of(self, shape: Shape) -> ColumnElement[Any]:
        """Give the image of some of the columns."""
        row, large = self._ground.row, self._ground.capture.large
        return literal_column(self._ground.dialect.row_image(shape, row, large))

    def column(self, name: str) -> ColumnElement[Any]:
        """Give a column of the row."""
        found: ColumnElement[Any] = self.row.c[name]
        return found
