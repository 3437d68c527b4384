"""The store goes away while it is written, and comes back: on real files."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from stranglerfig.errors import StoreError, StoreUnavailable
from stranglerfig.migrations.schema.upgrade import upgrade
from stranglerfig.model import Route
from stranglerfig.store import InboxMark, Line, Store, Write
from stranglerfig.store.chain import verify
from stranglerfig.store.effects import Effect

SIDES = ("", "-wal", "-shm")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "fig.db"


def write(name):
    return Write(lines=(Line(kind="request", endpoint="e", request_id=name),))


def commit(store, *names):
    async def all_of_them():
        found = [store.journal.commit(write(name)) for name in names]
        return await asyncio.gather(*found, return_exceptions=True)

    return asyncio.run(all_of_them())


def requests(store):
    return [entry.line.request_id for entry in store.journal.read(kinds=["request"])]


def events(store):
    return [entry.line.data["event"] for entry in store.journal.read(kinds=["note"])]


def move(file, to):
    for side in SIDES:
        if Path(f"{file}{side}").exists():
            Path(f"{file}{side}").rename(f"{to}{side}")


def came_back(store, until, wanted, lost=1):
    """Check what holds after every loss: all is there, in order, with a note of what happened."""
    until(lambda: store.journal.healthy)
    assert store.journal.trouble == ""
    assert commit(store, "after") == [True]
    assert store.journal.flush(20)
    assert requests(store) == [*wanted, "after"]
    assert events(store) == ["store lost", "store back"] * lost
    assert list(verify(store.database)) == []


HOLD = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def hold(file):
    """Start another process that holds the store's write lock until it is told to let go."""
    running = []

    def start():
        held = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        running.append(held)
        assert held.stdout.readline() == b"held\n"
        return held

    yield start
    for held in running:
        if held.poll() is None:
            held.communicate(b"\n", timeout=60)


@pytest.mark.process
def test_locked_by_another_process(store, hold, until, logged):
    assert commit(store, "before") == [True]
    held = hold()
    (error,) = commit(store, "given up")
    assert isinstance(error, StoreUnavailable)
    until(lambda: not store.journal.healthy)
    assert "locked by another process" in store.journal.trouble
    (error,) = commit(store, "refused")
    assert "locked" in str(error)
    assert error.remedy
    store.journal.append(write("kept 1"))
    store.journal.append(write("kept 2"))
    assert not store.journal.flush(0.01)
    with pytest.raises(StoreUnavailable):
        store.routes.put(Route(endpoint="e"), action="a", who="w", why="y", evidence={})
    assert store.routes.all() == {}
    held.communicate(b"\n", timeout=60)
    came_back(store, until, ["before", "kept 1", "kept 2"])
    levels = [level for level, text in logged if "the store is" in text]
    assert levels == ["WARNING", "INFO"]


@pytest.mark.process
def test_a_write_that_was_given_up_is_never_written(store, hold, until):
    """A committer that stops waiting, or is cancelled, took no decision: there must be no line."""

    async def cancelled():
        task = asyncio.create_task(store.journal.commit(write("cancelled")))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    held = hold()
    asyncio.run(cancelled())
    assert isinstance(commit(store, "given up")[0], StoreUnavailable)
    held.communicate(b"\n", timeout=60)
    came_back(store, until, [])


@pytest.mark.process
def test_many_that_were_handed_over_at_once_are_given_up_together(store, hold, until):
    async def hand_over(*names):
        prepared = [store.journal.prepare(write(name)) for name in names]
        return await store.journal.submit_all(prepared, patience=0.1)

    held = hold()
    with pytest.raises(StoreUnavailable):
        asyncio.run(hand_over("1", "2"))
    held.communicate(b"\n", timeout=20)
    until(lambda: store.journal.healthy)
    assert asyncio.run(hand_over("3", "4")) == [True, True]
    assert requests(store) == ["3", "4"]


def test_made_read_only_under_an_open_descriptor(store, file, until):
    assert commit(store, "before") == [True]
    file.chmod(0o444)
    (error,) = commit(store, "refused")
    assert isinstance(error, StoreUnavailable)
    assert error.place == str(file)
    assert error.value == "-r--r--r--"
    assert "write access" in error.remedy
    store.journal.append(write("kept"))
    assert store.routes.all() == {}
    assert requests(store) == ["before"]
    with pytest.raises(StoreUnavailable, match="read-only"):
        store.routes.put(Route(endpoint="e"), action="a", who="w", why="y", evidence={})
    file.chmod(0o644)
    came_back(store, until, ["before", "kept"])


def test_deleted_while_open(store, file, tmp_path, until):
    assert commit(store, "before") == [True]
    move(file, tmp_path / "aside.db")
    (error,) = commit(store, "refused")
    assert isinstance(error, StoreUnavailable)
    assert "gone" in store.journal.trouble
    assert "fig init" in error.remedy
    store.journal.append(write("kept"))
    assert not store.journal.flush(0.6)
    for read in (store.routes.all, store.routes.stamp, lambda: list(store.journal.read())):
        with pytest.raises(StoreUnavailable):
            read()
    assert not file.exists()
    move(tmp_path / "aside.db", file)
    came_back(store, until, ["before", "kept"])


def test_deleted_and_made_anew(store, store_url, file, until):
    assert commit(store, "before") == [True]
    for side in SIDES:
        Path(f"{file}{side}").unlink(missing_ok=True)
    assert isinstance(commit(store, "refused")[0], StoreUnavailable)
    store.journal.append(write("kept"))
    upgrade(store_url)
    came_back(store, until, ["kept"])


def test_only_the_main_file_deleted_and_made_anew(store, store_url, file, until):
    """SQLite would read the old file's log into the new one."""
    commit(store, *map(str, range(200)))
    file.unlink()
    upgrade(store_url)
    until(lambda: not store.journal.healthy)
    store.journal.append(write("kept"))
    came_back(store, until, ["kept"])
    with contextlib.closing(sqlite3.connect(file)) as other:
        assert other.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_replaced_by_a_copy_while_its_log_stays(store, file, tmp_path, until):
    copy = tmp_path / "copy.db"
    assert commit(store, "before") == [True]
    other = sqlite3.connect(file)
    other.execute("VACUUM INTO ?", (str(copy),))
    other.close()
    commit(store, *map(str, range(200)))
    copy.replace(file)
    with pytest.raises(StoreUnavailable, match="replaced"):
        store.routes.all()
    assert isinstance(commit(store, "refused")[0], StoreUnavailable)
    store.journal.append(write("kept"))
    came_back(store, until, ["before", "kept"])
    assert store.routes.all() == {}
    other = sqlite3.connect(file)
    assert other.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    other.close()


def test_replaced_by_something_that_is_no_store(store, file, tmp_path, until):
    assert commit(store, "before") == [True]
    move(file, tmp_path / "aside.db")
    file.write_bytes(b"")
    assert isinstance(commit(store, "refused")[0], StoreUnavailable)
    until(lambda: "no tables of ours" in store.journal.trouble)
    assert file.read_bytes() == b""
    file.unlink()
    move(tmp_path / "aside.db", file)
    until(lambda: store.journal.healthy)
    assert requests(store) == ["before"]


def test_a_loss_is_seen_though_nobody_writes(store, file, until):
    file.chmod(0o444)
    until(lambda: not store.journal.healthy)
    assert "read-only" in store.journal.trouble


def test_lines_beyond_the_room_in_memory_are_counted(store_url, file, until):
    store = Store(store_url, capacity=10)
    store.open()
    file.chmod(0o444)
    until(lambda: not store.journal.healthy)
    for number in range(25):
        store.journal.append(write(str(number)))
    kept = 25 - store.journal.dropped
    assert 5 < kept <= 10
    file.chmod(0o644)
    until(lambda: store.journal.healthy and "9999" not in requests(store))
    assert store.journal.flush(20)
    assert requests(store) == [str(number) for number in range(kept)]
    (dropped,) = store.journal.read(kinds=["dropped"])
    assert dropped.line.data["lines"] == 25 - kept
    store.close()


FULL = """
import asyncio, resource, signal, sys, time
from stranglerfig.errors import StoreUnavailable
from stranglerfig.store import Line, Store, Write
from stranglerfig.store.chain import verify

def write(name):
    return Write(lines=(Line(kind="request", request_id=name, data={"pad": "x" * 3000}),))

async def fill(store, names):
    while True:
        name = str(len(names))
        await store.journal.commit(write(name))
        names.append(name)

store = Store(sys.argv[1], patience=10)
store.open()
before = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, before[1]))
names = []
try:
    asyncio.run(fill(store, names))
except StoreUnavailable as error:
    assert "disk" in error.message, error
resource.setrlimit(resource.RLIMIT_FSIZE, (1, before[1]))
store.journal.append(write("kept"))
assert not store.journal.flush(0.6)
assert not store.journal.healthy
resource.setrlimit(resource.RLIMIT_FSIZE, before)
assert store.journal.flush(20)
assert asyncio.run(store.journal.commit(write("after")))
found = [entry.line.request_id for entry in store.journal.read(kinds=["request"])]
assert len(names) > 5 and found == [*names, "kept", "after"], (names, found)
assert list(verify(store.database)) == []
store.close()
"""


def run(script, *arguments):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.process
def test_disk_full(store_url):
    run(FULL, store_url)


NOBODY = """
import asyncio, os, sys, time
from stranglerfig.errors import StoreUnavailable
from stranglerfig.store import Line, Store, Write

def write(name):
    return Write(lines=(Line(kind="request", request_id=name),))

async def main(store):
    assert await store.journal.commit(write("before"))
    os.chmod(path, 0o464)  # the group may write; we, who own it, may not
    try:
        await store.journal.commit(write("refused"))
    except StoreUnavailable as error:
        assert "read-only" in error.message, error
    else:
        raise AssertionError("it was written")
    os.chmod(path, 0o644)
    until = time.monotonic() + 20
    while not store.journal.healthy and time.monotonic() < until:
        await asyncio.sleep(0.01)
    assert await store.journal.commit(write("after"))

folder, path = sys.argv[1], sys.argv[1] + "/fig.db"
store = Store("sqlite:///" + path, patience=10)
store.routes.all()
if os.getuid() == 0:
    for name in [folder, *(os.path.join(folder, n) for n in os.listdir(folder))]:
        os.chown(name, 65534, 65534)
    os.chdir(folder)
    os.setgid(65534)
    os.setuid(65534)
store.open()
asyncio.run(main(store))
found = [entry.line.request_id for entry in store.journal.read(kinds=["request"])]
assert found == ["before", "after"], found
store.close()
"""


@pytest.mark.process
def test_not_ours_to_write_any_more():
    """Root may write everything: so this runs as nobody, in a folder that nobody may reach."""
    with tempfile.TemporaryDirectory(prefix="fig-nobody-") as folder:
        Path(folder).chmod(0o711)
        upgrade(f"sqlite:///{folder}/fig.db")
        run(NOBODY, folder)


def test_a_write_that_cannot_be_stored_does_not_hold_up_the_others(store, until):
    bad = Write(lines=write("bad").lines, effects=(Effect("capture", ("s", None, 1, 1.0)),))

    async def together():
        writes = [write("1"), bad, write("2")]
        found = (store.journal.commit(one) for one in writes)
        return await asyncio.gather(*found, return_exceptions=True)

    first, refused, second = asyncio.run(together())
    assert (first, second) == (True, True)
    assert isinstance(refused, StoreError)
    assert not isinstance(refused, StoreUnavailable)
    store.journal.append(bad)
    store.journal.append(write("3"))
    until(lambda: requests(store) == ["1", "2", "3"])
    until(lambda: events(store) == ["refused", "refused"])
    assert store.journal.healthy


def test_text_that_is_no_text_is_refused_at_once(store):
    bad = Write(lines=(Line(kind="request", endpoint="cut \ud800"),))
    with pytest.raises(StoreError, match="UnicodeEncodeError"):
        asyncio.run(store.journal.commit(bad))
    store.journal.append(bad)
    assert store.journal.dropped == 1


def test_a_field_of_the_wrong_type_ends_no_request(store, logged):
    bad = Write(lines=(Line(kind="request", endpoint=None),))
    with pytest.raises(StoreError, match="TypeError"):
        asyncio.run(store.journal.commit(bad))
    store.journal.append(bad)
    assert store.journal.dropped == 1
    assert any(level == "ERROR" for level, _ in logged)


@pytest.mark.parametrize("durable", [True, False])
def test_a_commit_that_fails_is_asked_about_not_repeated(store, until, monkeypatch, durable):
    """The driver may fail after the commit was made, or before: the journal knows which."""
    session = store.journal._writer._session
    commit_really = session.commit
    failed = threading.Event()

    def fail_once():
        if failed.is_set():
            commit_really()
            return
        if durable:
            commit_really()
        failed.set()
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(session, "commit", fail_once)
    marked = Write(lines=write("1").lines, inbox=InboxMark("c", "m", "h"))
    if durable:
        assert asyncio.run(store.journal.commit(marked))
    else:
        with pytest.raises(StoreUnavailable):
            asyncio.run(store.journal.commit(marked))
    until(lambda: store.journal.healthy)
    assert store.journal.flush(20)
    assert requests(store) == (["1"] if durable else [])
    assert list(verify(store.database)) == []


def test_an_append_in_doubt_is_written_once(store, file, tmp_path, until, monkeypatch):
    """The file goes away in the moment of the commit; it comes back with the line in it."""
    session = store.journal._writer._session
    commit_really = session.commit
    failed = threading.Event()

    def commit_and_lose():
        if failed.is_set():
            commit_really()
            return
        session._connection.commit()
        move(file, tmp_path / "aside.db")
        failed.set()
        session.look()

    monkeypatch.setattr(session, "commit", commit_and_lose)
    store.journal.append(write("once"))
    until(failed.is_set)
    until(lambda: not store.journal.healthy)
    move(tmp_path / "aside.db", file)
    came_back(store, until, ["once"])


def test_closing_while_the_store_is_lost_ends(store_url, file, until, logged):
    store = Store(store_url)
    store.open()
    file.chmod(0o444)
    until(lambda: not store.journal.healthy)
    store.journal.append(write("lost"))
    store.close()
    assert any("lost at the end" in text for _, text in logged)
    assert not store.journal.healthy
    with pytest.raises(StoreUnavailable, match="not open"):
        asyncio.run(store.journal.commit(write("late")))


@pytest.mark.parametrize("gone", [("-wal",), ("-shm",), ("-wal", "-shm")])
def test_its_side_files_are_deleted(store, file, until, logged, gone):
    """SQLite would write on into a log that nobody can read: nothing may be promised from it."""
    assert commit(store, "before") == [True]
    for side in gone:
        Path(f"{file}{side}").unlink()
    store.journal.append(write("kept"))
    until(lambda: any("a side file of the store" in text for _, text in logged))
    came_back(store, until, ["before", "kept"])
    again = Store(f"sqlite:///{file}")
    assert requests(again) == ["before", "kept", "after"]
