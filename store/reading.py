"""Reads the journal back, in short steps: a long read would hold up SQLite's checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Final

import msgspec
from sqlalchemy import Row, Select, select

from . import head, tables
from .database import Database
from .line import Entry, Line

__all__ = ["Wanted", "latest", "lines"]

_PAGE: Final = 1_000  # lines given at once
_SPAN: Final = 20_000  # lines looked at at once, where not all of them are wanted


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines: those of an endpoint, of some kinds, of a request; all of them where empty."""

    endpoint: str | None = None
    kinds: Collection[str] | None = None
    request_id: str | None = None

    @property
    def span(self) -> int:
        """Say how many lines to look at in one step."""
        plain = self.endpoint is None and self.kinds is None and self.request_id is None
        return _PAGE if plain else _SPAN

    def query(self, after: int, upto: int) -> Select[tuple[object, ...]]:
        """Give the query for lines behind ``after`` up to ``upto``."""
        line = tables.journal.c
        query: Select[tuple[object, ...]] = select(tables.journal)
        query = query.where(line.id > after, line.id <= upto)
        if self.endpoint is not None:
            query = query.where(line.endpoint == self.endpoint)
        if self.kinds is not None:
            query = query.where(line.kind.in_(sorted(self.kinds)))
        if self.request_id is not None:
            query = query.where(line.request_id == self.request_id)
        return query


def lines(database: Database, wanted: Wanted, after: int, limit: int | None) -> Iterator[Entry]:
    """Give the lines that are there now, oldest first, up to ``limit`` of them."""
    begin, end = _bounds(database)
    after, left = max(after, begin), limit
    while after < end and (left is None or left > 0):
        size = _PAGE if left is None else min(_PAGE, left)
        upto = min(after + wanted.span, end)
        query = wanted.query(after, upto).order_by(tables.journal.c.id).limit(size)
        page = _entries(database, query)
        yield from page
        after = page[-1].id if len(page) == size else upto
        left = None if left is None else left - len(page)


def latest(
    database: Database, wanted: Wanted, count: int, fits: Callable[[Entry], bool]
) -> list[Entry]:
    """Give the newest ``count`` lines of those that fit, oldest first."""
    begin, end = _bounds(database)
    found: list[Entry] = []
    while end > begin and len(found) < count:
        after = max(begin, end - wanted.span)
        query = wanted.query(after, end).order_by(tables.journal.c.id.desc())
        found += [entry for entry in _entries(database, query) if fits(entry)]
        end = after
    return found[:count][::-1]


def _bounds(database: Database) -> tuple[int, int]:
    with database.read() as connection:
        said = head.read(connection)
    return said.cut.id, max(said.last.id, said.found)


def _entries(database: Database, query: Select[tuple[object, ...]]) -> list[Entry]:
    with database.read() as connection:
        return [_entry(found) for found in connection.execute(query)]


def _entry(found: Row[tuple[object, ...]]) -> Entry:
    line = Line(
        kind=found.kind,
        endpoint=found.endpoint,
        request_id=found.request_id,
        revision=found.revision,
        at=found.at,
        data=msgspec.json.decode(found.data, type=dict[str, object]),
    )
    bare = found.digest is not None
    return Entry(id=found.id, at=found.at, line=line, hash=found.link, compacted=bare)
