"""A part of a long table: rows by their number, oldest or newest first, read some at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Row, Select, func, select, true

from .database import Database

__all__ = ["Page"]

_STEP: Final = 100


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows: ``limit`` at most (0: all) behind the number ``after`` (0: from the beginning).

    Behind means above it, and with ``newest`` (the newest first) below it.
    """

    limit: int = 0
    after: int = 0
    newest: bool = False

    def rows(
        self, database: Database, query: Select[Any], number: ColumnElement[int]
    ) -> Iterator[Row[Any]]:
        """Give what the query finds, in short transactions. Raises ``StoreUnavailable``.

        ``number`` is the column of the numbers, labelled ``id`` among those of the query.
        """
        order, at, left = number.desc() if self.newest else number, self.after, self.limit
        while True:
            step = min(_STEP, left) if self.limit else _STEP
            some = query.where(self._behind(number, at)).order_by(order).limit(step)
            with database.read() as connection:
                found = connection.execute(some).all()
            yield from found
            left -= len(found)
            if len(found) < step or (self.limit and not left):
                return
            at = found[-1].id

    def count(
        self, database: Database, where: ColumnElement[bool], number: ColumnElement[int]
    ) -> int:
        """Say how many rows there are behind ``after``, whatever the limit."""
        query = select(func.count(number)).where(where, self._behind(number, self.after))
        with database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def _behind(self, number: ColumnElement[int], at: int) -> ColumnElement[bool]:
        if not at:
            return true()
        return number < at if self.newest else number > at
