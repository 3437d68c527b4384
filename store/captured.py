"""What the bridge last took of each row of a legacy table: for finding what was missed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from ..model import Record
from .database import Database
from .effects import Effect
from .tables import captured

__all__ = ["Captured", "capture_effects"]

_PAGE = 500


def capture_effects(record: Record) -> tuple[Effect, ...]:
    """Give what a delivery's line has to write beside it, for ``Write.effects``.

    Called for every delivery whose outcome is journalled, a dead letter too: none is missed then.
    None for a record that is of no row. Pure, but for the clock.
    """
    told = {name.lower(): value for name, value in reversed(record.headers)}
    if told.get("op") == "truncate":
        return (Effect("clear", (record.source,)),)
    row, image, before = told.get("row"), told.get("image"), told.get("row-before")
    if row is None:
        return ()
    gone = () if before is None else (Effect("forget", (record.source, before)),)
    if image is None:
        return (*gone, Effect("forget", (record.source, row)))
    return (*gone, Effect("capture", (record.source, row, int(image), time.time())))


class Captured:
    """The ledger of what was taken, in our store. Blocks. Every method raises ``StoreUnavailable``.

    Rows are named as ``adapters/capture/identity.py`` names them.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, source: str, rows: Sequence[str]) -> Mapping[str, int]:
        """Give the digest of each of these rows that was ever taken and is not gone."""
        found: dict[str, int] = {}
        for page in _pages(rows):
            mine = (captured.c.source == source, captured.c.key.in_(page))
            query = select(captured.c.key, captured.c.digest).where(*mine)
            with self._database.read() as connection:
                found |= {str(key): int(digest) for key, digest in connection.execute(query)}
        return found

    def page(self, source: str, after: str, limit: int) -> Sequence[str]:
        """Give the rows that follow one in the store's own order."""
        query = (
            select(captured.c.key)
            .where(captured.c.source == source, captured.c.key > after)
            .order_by(captured.c.key)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [str(key) for key in connection.execute(query).scalars()]

    def add(self, source: str, rows: Mapping[str, int]) -> None:
        """Take rows for captured as they are."""
        at = time.time()
        with self._database.write() as connection:
            insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
            statement = insert(captured)
            new = {"digest": statement.excluded.digest, "at": statement.excluded.at}
            # One statement that is compiled once, and not one of as many values as there are rows.
            statement = statement.on_conflict_do_update(index_elements=["source", "key"], set_=new)
            for page in _pages(list(rows)):
                connection.execute(
                    statement,
                    [{"source": source, "key": key, "digest": rows[key], "at": at} for key in page],
                )

    def forget(self, source: str, rows: Sequence[str]) -> None:
        """Forget rows that are gone."""
        with self._database.write() as connection:
            for page in _pages(rows):
                mine = (captured.c.source == source, captured.c.key.in_(page))
                connection.execute(delete(captured).where(*mine))


def _pages(rows: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(rows), _PAGE):
        yield rows[start : start + _PAGE]
