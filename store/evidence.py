"""Evidence: how often each side was right, counted over distinct inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Connection, delete, func, select

from ..model import Comparison
from . import head, tables
from .adjudications import Adjudication, change_winner
from .database import Database
from .group import Inserts

__all__ = ["Counts", "Evidence", "Rebuilt"]

_PAGE: Final = 1_000

_Unit = tuple[str, str, str]
"""Endpoint, revision and unit."""


class _Units:
    """The winner of each unit's first comparison and that one's line, and what came later.

    ``kept`` are adjudications of units of which no comparison was read before: where one was, its
    line has lost its data, and its row stays; where none was, they adjudicated nothing.
    """

    def __init__(self) -> None:
        self.first: dict[_Unit, tuple[str, int]] = {}
        self.later: dict[_Unit, Adjudication] = {}
        self.kept: dict[_Unit, Adjudication] = {}

    def keep(self, page: list[tuple[int, Comparison | Adjudication]]) -> int:
        for line, seen in page:
            unit = (seen.endpoint, seen.revision, seen.unit)
            if isinstance(seen, Adjudication):
                (self.later if unit in self.first else self.kept)[unit] = seen
            else:
                self.first.setdefault(unit, (seen.winner, line))
        return page[-1][0]


class Rebuilt(NamedTuple):
    """What a rebuilding came to: rows made anew, and rows that stay as they were.

    Those stay whose line was compacted or removed: nothing in the journal can prove them any more.
    """

    rows: int
    kept: int


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

    Its winner is that of the last adjudication, where one came later.

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

    def rebuild(self) -> Rebuilt:
        """Make the projection anew from the journal, as far as its lines still hold their data.

        The long part is read before the store is held: writers wait only for the end of it.
        """
        units = _Units()
        with self._database.read() as connection:
            after = _gone(connection)
        while page := self._page(after):
            after = units.keep(page)
        with self._database.write() as connection:
            while page := _seen(connection, after):
                after = units.keep(page)
            return self._replace(connection, units)

    def _page(self, after: int) -> list[tuple[int, Comparison | Adjudication]]:
        with self._database.read() as connection:
            return _seen(connection, after)

    def _replace(self, connection: Connection, units: _Units) -> Rebuilt:
        gone = _gone(connection)
        seen = tables.evidence
        connection.execute(delete(seen).where((seen.c.line > gone) | (seen.c.line == 0)))
        kept = connection.execute(select(func.count()).select_from(seen)).scalar_one()
        self._change(connection, units.kept)
        rows = [
            (*unit, winner, line) for unit, (winner, line) in units.first.items() if line > gone
        ]
        if rows:
            self._inserts.evidence.add(connection, rows)
        self._change(connection, units.later)
        count = connection.execute(select(func.count()).select_from(seen)).scalar_one()
        return Rebuilt(rows=count - kept, kept=kept)

    def _change(self, connection: Connection, told: Mapping[_Unit, Adjudication]) -> None:
        changes = [change_winner(one) for one in told.values()]
        if changes:
            self._inserts.effects.write(connection, changes)


def _gone(connection: Connection) -> int:
    """Give the newest line that holds no data any more."""
    said = head.read(connection)
    return max(said.cut.id, said.compacted)


def _seen(connection: Connection, after: int) -> list[tuple[int, Comparison | Adjudication]]:
    lines = tables.journal.c
    query = (
        select(lines.id, lines.kind, lines.data)
        .where(
            lines.kind.in_(("adjudication", "comparison")),
            lines.id > after,
            lines.digest.is_(None),
        )
        .order_by(lines.id)
        .limit(_PAGE)
    )
    return [
        (number, msgspec.json.decode(text, type=_KINDS[kind]))
        for number, kind, text in connection.execute(query)
    ]


_KINDS: Final[dict[str, type[Comparison | Adjudication]]] = {
    "adjudication": Adjudication,
    "comparison": Comparison,
}
