"""What the journal's chain promises, as tests: a part of every store's contract."""

from __future__ import annotations

import multiprocessing
import threading

from sqlalchemy import Update, delete, update

from ..store import Line, Store, Write, tables
from ..store.chain import verify
from .committers import commit_sixty, run_all

__all__ = ["ChainContract"]


class ChainContract:
    """The laws of a chain. A subclass gives the fixtures ``store_url`` and ``store``."""

    def test_the_chain_holds_with_four_threads(self, store: Store, store_url: str) -> None:
        """Four stores in one process write at once."""
        threads = [threading.Thread(target=commit_sixty, args=(store_url, n)) for n in range(4)]
        run_all(store, threads)

    def test_the_chain_holds_with_four_processes(self, store: Store, store_url: str) -> None:
        """Four processes write at once."""
        spawn = multiprocessing.get_context("spawn")
        run_all(store, [spawn.Process(target=commit_sixty, args=(store_url, n)) for n in range(4)])

    def test_a_changed_line_is_named(self, store: Store) -> None:
        """Whoever rewrites a line is found out."""
        self._tampered(store, update(tables.journal).where(tables.journal.c.id == 4), 4)

    def test_a_missing_line_is_named(self, store: Store) -> None:
        """Whoever takes a line out is found out."""
        _fill(store)
        with store.database.write() as connection:
            connection.execute(delete(tables.journal).where(tables.journal.c.id == 6))
        (broken,) = verify(store.database)
        assert (broken.id, broken.reason[:7]) == (6, "missing")

    def test_moved_lines_are_named(self, store: Store) -> None:
        """Whoever changes the order of two lines, hashes and all, is found out."""
        _fill(store)
        number = tables.journal.c.id
        with store.database.write() as connection:
            for old, new in ((3, 1003), (5, 3), (1003, 5)):
                where = update(tables.journal).where(number == old)
                connection.execute(where.values(id=new))
        broken = list(verify(store.database))
        assert broken[0].id == 3
        assert {b.id for b in broken} >= {3, 5}

    def _tampered(self, store: Store, statement: Update, number: int) -> None:
        _fill(store)
        assert list(verify(store.database)) == []
        with store.database.write() as connection:
            connection.execute(statement.values(data='{"n":0}'))
        assert [broken.id for broken in verify(store.database)] == [number]


def _fill(store: Store) -> None:
    for number in range(10):
        line = Line(kind="request", endpoint="e", request_id=f"r{number}", data={"n": number})
        store.journal.append(Write(lines=(line,)))
    assert store.journal.flush(30)
