"""Evidence: how often each side was right, counted over distinct inputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec
from sqlalchemy import Connection, delete, func, select

from ..model import Comparison
from . import tables
from .database import Database
from .group import Inserts

__all__ = ["Counts", "Evidence"]

_PAGE: Final = 1_000

_Unit = tuple[str, str, str, str]
"""endpoint, revision, unit and winner."""


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Distinct inputs by winner."""

    both: int = 0
    legacy: int = 0
    replacement: int = 0
    neither: int = 0
    open: int = 0

    @property
    def total(self) -> int:
        """Give the number of distinct inputs."""
        return self.both + self.legacy + self.replacement + self.neither + self.open


class Evidence:
    """A projection of the journal's comparisons; the first observation of an input stands.

    Blocks: an event loop calls it in a thread. Every method raises ``StoreUnavailable``.
    """

    def __init__(self, database: Database, inserts: Inserts) -> None:
        self._database = database
        self._inserts = inserts

    def counts(self, endpoint: str, revision: str) -> Counts:
        """Count an endpoint's evidence on one revision of its replacement."""
        seen = tables.evidence.c
        query = (
            select(seen.winner, func.count())
            .where(seen.endpoint == endpoint, seen.revision == revision)
            .group_by(seen.winner)
        )
        with self._database.read() as connection:
            found = {str(winner): int(count) for winner, count in connection.execute(query)}
        return Counts(**found)

    def rebuild(self) -> int:
        """Make the projection anew from the journal; give the number of its rows.

        The long part is read before the store is held: writers wait only for the end of it.
        """
        units: dict[tuple[str, str, str], str] = {}
        after = 0
        while True:
            with self._database.read() as connection:
                page = list(_comparisons(connection, after))
            if not page:
                break
            after = _keep_first(units, page)
        with self._database.write() as connection:
            while page := list(_comparisons(connection, after)):
                after = _keep_first(units, page)
            connection.execute(delete(tables.evidence))
            rows: list[_Unit] = [(*unit, winner) for unit, winner in units.items()]
            if rows:
                connection.exec_driver_sql(self._inserts.evidence, rows)
        return len(rows)


def _comparisons(connection: Connection, after: int) -> Iterator[tuple[int, Comparison]]:
    lines = tables.journal.c
    query = (
        select(lines.id, lines.data)
        .where(lines.kind == "comparison", lines.id > after)
        .order_by(lines.id)
        .limit(_PAGE)
    )
    for number, text in connection.execute(query):
        yield number, msgspec.json.decode(text, type=Comparison)


def _keep_first(units: dict[tuple[str, str, str], str], page: list[tuple[int, Comparison]]) -> int:
    for _, seen in page:
        units.setdefault((seen.endpoint, seen.revision, seen.unit), seen.winner)
    return page[-1][0]
