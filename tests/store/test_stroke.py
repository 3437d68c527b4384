"""Groups that are one statement of PostgreSQL: what they write, and what they come to where not."""

from __future__ import annotations

import asyncio
import threading

import pytest
from sqlalchemy import func, select, text

from stranglerfig.errors import Conflict, StoreError, StoreUnavailable
from stranglerfig.migrations.schema.upgrade import upgrade
from stranglerfig.model import Comparison
from stranglerfig.store import InboxMark, Line, Store, Write, head, tables
from stranglerfig.store.chain import verify
from stranglerfig.store.group import prepare
from stranglerfig.store.link import Tail
from stranglerfig.store.stroke import Stroke, Strokes


@pytest.fixture
def store(postgresql):
    url = postgresql.database()
    upgrade(url)
    store = Store(url, patience=30)
    store.open()
    # The first group looks where the journal ends: a transaction.
    assert asyncio.run(store.journal.commit(write("first")))
    yield store
    assert list(verify(store.database)) == []
    store.close()


@pytest.fixture
def strokes(monkeypatch):
    """What each stroke came to, in their order."""
    seen = []
    really = Stroke.write

    def seen_too(self, connection):
        try:
            seen.append(really(self, connection))
        except Exception as error:
            seen.append(type(error).__name__)
            raise
        return seen[-1]

    monkeypatch.setattr(Stroke, "write", seen_too)
    return seen


def write(ident, mark=None):
    lines = (Line(kind="request", request_id=ident),)
    return Write(lines=lines, inbox=None if mark is None else InboxMark("c", *mark))


def commit(store, *writes):
    async def all_of_them():
        asked = [store.journal.submit(one) for one in writes]
        return await asyncio.gather(*asked, return_exceptions=True)

    return asyncio.run(all_of_them())


def requests(store):
    return [entry.line.request_id for entry in store.journal.read(kinds=["request"])]


def events(store):
    return [entry.line.data["event"] for entry in store.journal.read(kinds=["note"])]


def count(store, table):
    with store.database.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_lines_marks_and_evidence_are_written_by_one_statement(store, strokes):
    seen = Comparison(
        endpoint="e", request_id="2", revision="r", unit="u", winner="both", by="agreement"
    )
    both = Write(lines=write("ü").lines, observations=(seen,), inbox=InboxMark("c", "2", "h", "{}"))
    assert commit(store, write("1", ("1", "h")), both, write("3")) == [True] * 3
    assert strokes == [True]
    assert requests(store) == ["first", "1", "ü", "3"]
    assert count(store, tables.inbox) == 2
    with store.database.read() as connection:
        line = connection.execute(select(tables.evidence.c.line)).scalar_one()
    (entry,) = store.journal.read(kinds=["comparison"])
    assert entry.id == line


def test_a_message_that_came_before_is_told_by_a_transaction(store, strokes):
    assert commit(store, write("1", ("1", "h"))) == [True]
    told = commit(
        store, write("2", ("2", "h")), write("1 again", ("1", "h")), write("x", ("1", "x"))
    )
    assert told[:2] == [True, False]
    assert isinstance(told[2], Conflict)
    assert strokes == [True, "IntegrityError"]
    assert requests(store) == ["first", "1", "2"]
    commit(store, write("3", ("3", "h")))
    assert commit(store, write("4", ("4", "h"))) == [True]
    assert strokes[-1] is True  # it is tried again


def test_where_somebody_else_wrote_nothing_is_written_on_the_old_end(store, strokes):
    other = Store(store.database.engine.url.render_as_string(hide_password=False), patience=30)
    other.open()
    try:
        assert commit(other, write("other's")) == [True]
        assert commit(store, write("ours")) == [True]
    finally:
        other.close()
    assert strokes == [False]
    assert requests(store) == ["first", "other's", "ours"]


def test_two_that_write_at_once_lose_and_double_nothing(store):
    other = Store(store.database.engine.url.render_as_string(hide_password=False), patience=30)
    other.open()

    async def many(name):
        for part in range(20):
            writes = [write(f"{name} {part} {n}") for n in range(7)]
            await asyncio.gather(*map((store if name == "a" else other).journal.commit, writes))

    threads = [threading.Thread(target=asyncio.run, args=(many(name),)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    names = requests(store)
    assert len(names) == len(set(names)) == 281


def test_what_no_database_can_hold_is_refused_alone(store, strokes):
    told = commit(store, write("1"), write("\0"), write("2"))
    assert [told[0], told[2]] == [True, True]
    assert isinstance(told[1], StoreError)
    assert strokes[0] == "DataError"
    assert requests(store) == ["first", "1", "2"]


def test_a_lock_that_another_one_holds_is_not_waited_for_twice(store, strokes, until):
    with store.database.write():
        (told,) = commit(store, write("1"))
    assert isinstance(told, StoreUnavailable)
    assert strokes == ["OperationalError"]
    assert "locked" in str(told)
    until(lambda: store.journal.healthy)
    assert store.journal.flush(30)
    assert requests(store) == ["first"]


@pytest.mark.parametrize("made", [True, False])
def test_a_connection_lost_at_the_statement_is_asked_about(store, monkeypatch, made):
    """Where it was not made it is made now, and the one that was lost never will be."""
    really, lost = Stroke.write, []

    def lose_it(self, connection):
        if lost:
            return really(self, connection)
        lost.append(self)
        if made:
            really(self, connection)
        raise OSError(104, "Connection reset by peer")

    monkeypatch.setattr(Stroke, "write", lose_it)
    assert commit(store, write("1", ("1", "h")), write("2")) == [True, True]
    assert events(store) == ([] if made else ["was in doubt, and is not written"])
    connection = store.database.connect(2.0)
    if not made:
        assert really(lost[0], connection) is False  # it comes late
    connection.close()
    assert requests(store) == ["first", "1", "2"]


@pytest.mark.parametrize("waited_for", [True, False])
def test_where_nobody_can_be_asked_it_stays_in_doubt_until_the_journal_tells(
    store, monkeypatch, until, waited_for
):
    session = store.journal._writer._session
    really, opened, lost = Stroke.write, session.begin, []

    def lose_it(self, connection):
        lost.append(self)
        raise OSError(104, "Connection reset by peer")

    def not_yet():
        if lost.count("asked") < 2:
            lost.append("asked")
            raise OSError(111, "Connection refused")
        return opened()

    monkeypatch.setattr(Stroke, "write", lose_it)
    monkeypatch.setattr(session, "begin", not_yet)
    if waited_for:
        (told,) = commit(store, write("1"))
        assert "whether this was written is not known yet" in str(told)
    else:
        store.journal.append(write("1"))
    until(lambda: store.journal.healthy)
    assert store.journal.flush(30)
    connection = store.database.connect(2.0)
    assert really(lost[0], connection) is False
    connection.close()
    # What was only appended is written again; who waited was told, and has the note.
    assert requests(store) == (["first"] if waited_for else ["first", "1"])
    assert "was in doubt, and is not written" in events(store)


def test_a_statement_leaves_a_head_of_another_version_alone(store, strokes):
    with store.database.write() as connection:
        connection.execute(text("UPDATE journal_head SET version = '9999'"))
    (told,) = commit(store, write("1"))
    assert "another version" in str(told)
    assert strokes == [False]
    with store.database.write() as connection:
        connection.execute(text(f"UPDATE journal_head SET version = '{tables.HEAD}'"))


def test_sqlite_has_none(store_url):
    sqlite = Store(store_url)
    strokes = Strokes(sqlite.engine, 0.2)
    strokes.reached(Tail(1, "0" * 64))
    assert not strokes.ready
    assert strokes.stroke([prepare(write("1"))]) is None
    with sqlite.database.read() as connection:
        assert head.read(connection).last.id == 0
