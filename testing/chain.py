"""What the journal's chain promises, as tests: a part of every store's contract."""

from __future__ import annotations

import asyncio
import multiprocessing
import threading

import pytest
from sqlalchemy import Update, delete, insert, select, update

from ..errors import StoreError, StoreUnavailable
from ..store import Line, Store, Write, head, tables
from ..store.chain import Anchor, verify
from ..store.link import Tail
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

    def test_lines_cut_off_at_the_end_are_named(self, store: Store) -> None:
        """The head knows how far the journal went."""
        _fill(store)
        with store.database.write() as connection:
            connection.execute(delete(tables.journal).where(tables.journal.c.id > 8))
        (broken,) = verify(store.database)
        assert (broken.id, broken.reason[:7]) == (9, "missing")

    def test_all_lines_gone_are_named(self, store: Store) -> None:
        """An empty journal is not a new one."""
        _fill(store)
        with store.database.write() as connection:
            connection.execute(delete(tables.journal))
        assert [broken.id for broken in verify(store.database)] == [1]

    def test_lines_added_behind_the_head_are_named_and_nothing_is_chained_to_them(
        self, store: Store
    ) -> None:
        """Somebody else wrote: we do not go on, and say so."""
        _fill(store)
        forged = dict.fromkeys(("kind", "endpoint", "request_id", "revision", "link"), "x")
        with store.database.write() as connection:
            values = insert(tables.journal).values(id=11, at=1.0, data="{}", **forged)
            connection.execute(values)
        assert [broken.id for broken in verify(store.database)] == [11]
        with pytest.raises(StoreError, match="head does not know"):
            asyncio.run(store.journal.commit(Write(lines=(Line("request"),))))

    def test_a_new_chain_with_a_new_head_is_found_by_an_anchor(self, store: Store) -> None:
        """Who can write the store can write all of it anew: but not what was kept elsewhere."""
        _fill(store)
        with store.database.read() as connection:
            kept = Anchor(*head.read(connection).last)
        assert list(verify(store.database, [kept, Anchor(0, kept.link)])) == []
        with store.database.write() as connection:
            connection.execute(delete(tables.journal).where(tables.journal.c.id >= 5))
            link = select(tables.journal.c.link).where(tables.journal.c.id == 4)
            head.move(connection, Tail(4, str(connection.execute(link).scalar())))
        _fill(store)
        assert list(verify(store.database)) == []
        (broken,) = verify(store.database, [kept])
        assert broken.id == 10
        assert "anchor" in broken.reason

    def test_a_process_of_another_version_stops_to_write(self, store: Store) -> None:
        """The tables were upgraded while it ran: it keeps its lines until somebody restarts it."""
        _fill(store)
        with store.database.write() as connection:
            connection.execute(update(tables.journal_head).values(version="9999"))
        with pytest.raises(StoreUnavailable, match="another version"):
            asyncio.run(store.journal.commit(Write(lines=(Line("request"),))))
        store.journal.append(Write(lines=(Line("request", request_id="kept"),)))
        with store.database.write() as connection:
            connection.execute(update(tables.journal_head).values(version=tables.HEAD))
        assert store.journal.flush(30)
        assert len(list(store.journal.read(request_id="kept"))) == 1
        assert list(verify(store.database)) == []

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
