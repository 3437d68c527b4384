"""Puts linked lines into the journal's table, by the quickest way that each database has."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Final

from sqlalchemy import Connection, Engine

from . import tables
from .additions import portions
from .driver import own_connection, own_errors
from .link import Linked
from .rows import rows_of

__all__ = ["Lines"]

_AT_ONCE: Final = 512
_COLUMNS: Final = "id, at, kind, endpoint, request_id, revision, data, link"


class Lines:
    """Writes lines in a transaction that is under way.

    SQLite takes many in one statement: between two statements Python's lock changes hands, and
    while an event loop is busy, each of these changes would cost more than writing a line.
    """

    def __init__(self, engine: Engine) -> None:
        self._rows = rows_of(engine, tables.journal, leave=("digest",))

    def write(self, connection: Connection, lines: Sequence[Linked]) -> None:
        """Write them; raises what the driver raises, as SQLAlchemy's errors."""
        driver = own_connection(connection)
        given = self._rows
        if given is not None:
            # Of few lines a third of what COPY costs, which takes a trip more; of many as much.
            names = given.names
            all_of_them = f"INSERT INTO journal ({names}) SELECT {names} FROM {given.source}"  # noqa: S608
            with own_errors(connection, driver, all_of_them):
                driver.execute(all_of_them, given.values(lines), prepare=True).close()
            return
        with own_errors(connection, driver, _insert(1)):
            start = 0
            for count in portions(len(lines), _AT_ONCE):
                some = lines[start : start + count]
                driver.execute(_insert(count), list(chain.from_iterable(some)))
                start += count


@cache
def _insert(count: int) -> str:
    values = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?)"] * count)
    # What FAIL spares is told in ``additions``.
    return f"INSERT OR FAIL INTO journal ({_COLUMNS}) VALUES {values}"  # noqa: S608 constants of ours
