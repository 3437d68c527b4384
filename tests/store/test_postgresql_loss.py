"""The server goes away while it is written, and comes back: a real one, of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import threading

import pytest
from sqlalchemy import text

from stranglerfig.errors import StoreUnavailable
from stranglerfig.migrations.schema.upgrade import upgrade
from stranglerfig.store import InboxMark, Line, Store, Write
from stranglerfig.store.chain import verify
from stranglerfig.testing.server import PostgreSql


@pytest.fixture(scope="module")
def server():
    """A server of its own: it is killed here."""
    server = PostgreSql()
    yield server
    server.stop()


@pytest.fixture
def url(server):
    url = server.database()
    upgrade(url)
    return url


@pytest.fixture
def store(url):
    store = Store(url, patience=30)
    store.open()
    yield store
    store.close()


def write(name):
    line = Line(kind="request", endpoint="e", request_id=name)
    return Write(lines=(line,), inbox=InboxMark("c", name, "h"))


def commit(store, *names):
    async def all_of_them():
        found = [store.journal.commit(write(name)) for name in names]
        return await asyncio.gather(*found, return_exceptions=True)

    return asyncio.run(all_of_them())


def requests(store):
    return [entry.line.request_id for entry in store.journal.read(kinds=["request"])]


def events(store):
    return [entry.line.data["event"] for entry in store.journal.read(kinds=["note"])]


def terminate(server, url):
    """Cut every connection to the store's database, as an administrator would."""
    statement = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
    with server.administer() as engine, engine.connect() as connection:
        connection.execute(statement, {"name": url.rpartition("/")[2]})


def fail_commit_once(store, monkeypatch, before=None, after=None):
    """Do something to the server right before or after the next commit reaches it."""
    session = store.journal._writer._session
    really, failed = session.commit, threading.Event()

    def commit_once():
        if failed.is_set():
            return really()
        failed.set()
        if before is not None:
            before()
        if after is None:
            return really()
        really()
        after()
        # What the driver says where the answer to its COMMIT does not come.
        raise OSError(104, "Connection reset by peer")

    monkeypatch.setattr(session, "commit", commit_once)
    return failed


def test_connections_cut_while_nobody_writes_cost_nothing(store, server, url):
    assert commit(store, "1") == [True]
    terminate(server, url)
    assert commit(store, "2") == [True]
    assert store.routes.all() == {}
    assert requests(store) == ["1", "2"]
    assert events(store) == []


def test_a_connection_cut_before_the_commit_writes_nothing(store, server, url, monkeypatch, until):
    fail_commit_once(store, monkeypatch, before=lambda: terminate(server, url))
    (error,) = commit(store, "1")
    assert isinstance(error, StoreUnavailable)
    assert "not known" not in str(error)
    assert "ended our connection" in str(error)
    until(lambda: store.journal.healthy)
    assert requests(store) == []
    assert commit(store, "1") == [True]
    assert events(store) == ["store lost", "store back"]
    assert list(verify(store.database)) == []


def test_a_connection_cut_after_the_commit_is_asked_about(store, server, url, monkeypatch, until):
    fail_commit_once(store, monkeypatch, after=lambda: terminate(server, url))
    assert commit(store, "1", "2") == [True, True]
    until(lambda: store.journal.healthy)
    assert commit(store, "1") == [False]
    assert requests(store) == ["1", "2"]
    assert list(verify(store.database)) == []


@pytest.mark.parametrize("durable", [True, False])
def test_a_server_killed_at_the_commit_leaves_a_doubt_that_is_resolved(
    store, server, monkeypatch, until, durable
):
    """Appended lines are there once, whether the commit was made or not; nobody is told a lie."""
    kill = {"after" if durable else "before": server.kill}
    with store.database.write():  # a checkpoint of ours: until then the writer takes nothing
        for number in range(3):
            store.journal.append(write(f"a{number}"))
        failed = fail_commit_once(store, monkeypatch, **kill)
        committed = threading.Thread(target=lambda: answers.extend(commit(store, "c")))
        answers = []
        committed.start()
        until(lambda: store.journal._backlog.lines == 4)
    committed.join(30)
    assert failed.is_set()
    assert "not known yet" in str(answers[0])
    assert not store.journal.healthy
    server.restart()
    until(lambda: store.journal.healthy)
    assert store.journal.flush(30)
    assert sorted(requests(store)) == ["a0", "a1", "a2", *(["c"] if durable else [])]
    assert ("was in doubt, and is written" in events(store)) is durable
    assert commit(store, "c") == [not durable]
    assert list(verify(store.database)) == []


def test_a_duplicate_in_doubt_stays_a_duplicate(store, server, url, monkeypatch):
    commit(store, "1")
    fail_commit_once(store, monkeypatch, after=lambda: terminate(server, url))
    assert commit(store, "1", "2") == [False, True]


def test_a_restart_is_noticed_though_nobody_writes_and_lines_are_kept(store, server, until):
    assert commit(store, "1") == [True]
    server.stop_process()
    until(lambda: not store.journal.healthy)
    assert "does not answer" in store.journal.trouble
    with pytest.raises(StoreUnavailable, match="does not answer"):
        store.routes.all()
    store.journal.append(write("kept"))
    server.restart()
    until(lambda: store.journal.healthy)
    assert store.journal.flush(30)
    assert requests(store) == ["1", "kept"]
    assert events(store) == ["store lost", "store back"]


def test_a_commit_that_the_server_still_works_on_is_not_taken_for_a_failed_one(store, monkeypatch):
    """We lost the connection, the server has not noticed: the chain's lock says when it is over."""
    session = store.journal._writer._session
    really, left = session.commit, []

    def leave_it_behind():
        if left:
            return really()
        connection, session._connection = session._connection, None
        left.append(threading.Timer(0.1, lambda: (connection.commit(), connection.close())))
        left[0].start()
        raise OSError(110, "Connection timed out")

    monkeypatch.setattr(session, "commit", leave_it_behind)
    store.journal.append(write("appended"))
    assert store.journal.flush(30)
    left[0].join()
    assert requests(store) == ["appended"]
    assert list(verify(store.database)) == []


def test_a_server_that_hangs_does_not_hang_those_who_wait(url, monkeypatch, until):
    monkeypatch.setattr("stranglerfig.store.patience.HELD", 0.1)
    store = Store(url, patience=0.1)
    store.open()
    until(lambda: store.journal._writer._session._connection is not None)
    session = store.journal._writer._session
    process = session._connection.connection.dbapi_connection.info.backend_pid
    really, stopped = session.commit, []

    def hang():
        if not stopped:
            stopped.append(os.kill(process, signal.SIGSTOP))
        really()

    monkeypatch.setattr(session, "commit", hang)
    try:
        (error,) = commit(store, "1")
    finally:
        os.kill(process, signal.SIGCONT)
    assert "does not answer; whether this was written is not known yet" in str(error)
    assert store.journal.flush(30)
    assert requests(store) == ["1"]
    until(lambda: events(store) == ["was in doubt, and is written"])
    store.close()
