"""What a line of the journal costs: decision lines a second, each chained, against raw drivers.

Run it alone: ``python benchmarks/journal.py``. Ours goes the whole way of a decision: a ``Line`` is
made, encoded and sealed, handed to the one writer thread, chained, written in a group with the
head, durable, and its committer is answered on the event loop.

* ``commit``: N committers in flight, each awaiting its line before the next (N = 1, 10, 100, 400);
* ``append``: a burst of lines that nobody awaits, until all are durable.

Beside each, within each repeat and in shuffled order, the raw driver writes prebuilt tuples to a
table of 7 columns and an id with one secondary index (as in the notes' floor), with as many rows a
commit as our groups turned out to have: ``sqlite3`` with ``synchronous=FULL``; psycopg's
``executemany`` on a PostgreSQL that syncs. What each side includes:

* ours: the objects of a decision, its JSON, two SHA-256, the hand-over to the writer and back, and
  of the file or the server all that raw does, with the head's row on top;
* ``raw``: the rows' binding and the database. The tuples stand ready: nobody encodes them, nobody
  hashes, no threads, nobody waits. The goals are held against this. For ``marked``, where each of
  our decisions also sets a mark in the inbox, raw too writes as many rows a second time: into a
  table with the columns, the key and the index of ours, by the same ``executemany``, in the same
  transaction; it looks for no message that came before;
* ``chained``: raw, with each row's JSON, data digest and link made on its way: what whoever wants
  such a journal pays without any of our code. It is shown, and held against nothing.

The linger is how long a group waited for more lines while there were some and the writer was idle.
After each run the lines are counted and the chain is proved. Ratios are taken within a repeat; the
figures are medians. The last line is JSON; the exit status is 1 where a goal was missed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import hashlib
import itertools
import json
import multiprocessing
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec
import psycopg
import uvloop

from stranglerfig.migrations.schema.upgrade import upgrade
from stranglerfig.store import InboxMark, Line, Store, Write
from stranglerfig.store.chain import verify
from stranglerfig.testing.server import NoServer, PostgreSql

GOALS = {"sqlite": 0.5, "postgresql": 0.7, "linger_ms": 5.0}
DATA = {
    "key": "12345",
    "stage": "canary",
    "percent": 12.5,
    "served_by": "replacement",
    "status": "ok",
    "ms": 0.02,
    "confidence": 0.93,
}
TABLE = (
    "CREATE TABLE raw (id {number} PRIMARY KEY, at {double} NOT NULL, kind TEXT NOT NULL,"
    " endpoint TEXT NOT NULL, request_id TEXT NOT NULL, revision TEXT NOT NULL,"
    " data TEXT NOT NULL, link TEXT NOT NULL)"
)
INDEX = "CREATE INDEX ix_raw ON raw (endpoint, id)"
MARKS = (
    "CREATE TABLE raw_inbox (consumer TEXT NOT NULL, message_id TEXT NOT NULL,"
    " payload_hash TEXT NOT NULL, at {double} NOT NULL, result TEXT,"
    " PRIMARY KEY (consumer, message_id)){without_rowid}"
)
MARKS_INDEX = "CREATE INDEX ix_raw_inbox ON raw_inbox (at)"


def decision(number: int, *, marked: bool = False) -> Write:
    ident = f"{number:032x}"
    line = Line(
        kind="request", endpoint="claims", request_id=ident, revision="claims-r7", data=DATA
    )
    return Write(lines=(line,), inbox=InboxMark("claims", ident, ident) if marked else None)


Rows = list[tuple[object, ...]]


def row(number: int) -> tuple[object, ...]:
    data = json.dumps(DATA, separators=(",", ":"))
    return (number, 1e9, "request", "claims", f"{number:032x}", "claims-r7", data, "0" * 64)


def mark(line: tuple[object, ...]) -> tuple[object, ...]:
    """Give the inbox row of a line, as ``decision`` marks it."""
    return ("claims", line[4], line[4], line[1], None)


class Watch:
    """Sees how large the groups of a store are, and how long each waited for more.

    It looks only when the writer waits, wakes and commits, not at every line: that cost as much as
    handing the line over.
    """

    def __init__(self, store: Store) -> None:
        self.groups = 0
        self.lingers: list[float] = []
        self._writer = store.journal._writer  # noqa: SLF001
        self._backlog = store.journal._backlog  # noqa: SLF001
        self._changed = self._backlog._changed  # noqa: SLF001
        self._succeeded, self._wait, self._notify = (
            self._writer._succeeded,  # noqa: SLF001
            self._backlog.wait,
            self._changed.notify,
        )
        self._first = 0.0
        self._writer._succeeded = self.succeeded  # noqa: SLF001
        self._backlog.wait = self.wait
        self._changed.notify = self.notify

    def succeeded(self, *group: object) -> None:
        """Count a group, whether a statement or a transaction has made it durable."""
        self.groups += 1
        self._succeeded(*group)

    def notify(self, count: int = 1) -> None:
        """Note the first line of a group: it wakes the writer, which may wait for more then."""
        if not self._first:
            self._first = time.perf_counter()
        self._notify(count)

    def wait(self, *bounds: float) -> bool:
        self._first, called = 0.0, time.perf_counter()
        found = self._wait(*bounds)
        if found:  # without a call: they were there before it waited
            self.lingers.append(time.perf_counter() - (self._first or called))
        return found


async def committing(store: Store, count: int, in_flight: int, *, marked: bool = False) -> None:
    numbers = iter(range(count))

    async def committer() -> None:
        for number in numbers:
            await store.journal.commit(decision(number, marked=marked))

    await asyncio.gather(*(committer() for _ in range(in_flight)))


class Ours:
    """Runs on a fresh store of one kind of database."""

    def __init__(self, make: Callable[[], str]) -> None:
        self._make = make
        self.lingers: list[float] = []

    def commit(self, count: int, in_flight: int, *, marked: bool = False) -> tuple[float, float]:
        with self._store(count) as (store, watch):
            began = time.perf_counter()
            uvloop.run(committing(store, count, in_flight, marked=marked))
            took = time.perf_counter() - began
        self.lingers += watch.lingers
        return took, count / max(1, watch.groups)

    def append(self, count: int) -> tuple[float, float]:
        with self._store(count) as (store, watch):
            began = time.perf_counter()
            for number in range(count):
                store.journal.append(decision(number))
            if not store.journal.flush(120):
                raise SystemExit("not durable within two minutes")
            took = time.perf_counter() - began
        return took, count / max(1, watch.groups)

    @contextlib.contextmanager
    def _store(self, count: int) -> Iterator[tuple[Store, Watch]]:
        url = self._make()
        upgrade(url)
        # A machine that others use as well must not make committers lose their patience.
        store = Store(url, patience=30.0, capacity=10**6)
        watch = Watch(store)
        store.open()
        try:
            yield store, watch
            check(store, count)
        finally:
            store.close()


def check(store: Store, count: int) -> None:
    """Nothing is lost, nothing is there twice, and the chain holds."""
    names = [entry.line.request_id for entry in store.journal.read(kinds=["request"])]
    if len(names) != count or len(set(names)) != count or any(verify(store.database)):
        raise SystemExit(f"{len(names)} lines of {count}, or the chain does not hold")


def chained(rows: Rows) -> Iterator[tuple[object, ...]]:
    """Encode and link rows as they are asked for: the least that a chained journal costs."""
    encode, sha256, last = msgspec.json.Encoder().encode, hashlib.sha256, "0" * 64
    for number, at, kind, endpoint, request_id, revision, _, _ in rows:
        data = encode(DATA)
        sealed = (at, kind, endpoint, request_id, revision, sha256(data).hexdigest())
        last = sha256(last.encode() + encode(sealed)).hexdigest()
        yield (number, at, kind, endpoint, request_id, revision, data.decode(), last)


def groups(
    rows: Rows, size: int, *, chain: bool, marked: bool = False
) -> Iterator[tuple[Rows, Rows]]:
    """Cut rows into groups, each with its marks; those to be chained are made when asked for."""
    made = chained(rows)
    marks = [mark(line) for line in rows] if marked else []
    for start in range(0, len(rows), size):
        some = list(itertools.islice(made, size)) if chain else rows[start : start + size]
        yield some, marks[start : start + size]


def raw_sqlite(file: Path, given: Iterable[tuple[Rows, Rows]]) -> float:
    database = sqlite3.connect(file, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute(TABLE.format(number="INTEGER", double="DOUBLE"))
    database.execute(INDEX)
    database.execute(MARKS.format(double="DOUBLE", without_rowid=" WITHOUT ROWID"))
    database.execute(MARKS_INDEX)
    given = iter(given)
    first = next(given)  # so that all marks stand ready
    began = time.perf_counter()
    for group, marks in itertools.chain([first], given):
        database.execute("BEGIN IMMEDIATE")
        if marks:
            database.executemany("INSERT INTO raw_inbox VALUES (?, ?, ?, ?, ?)", marks)
        database.executemany("INSERT INTO raw VALUES (?, ?, ?, ?, ?, ?, ?, ?)", group)
        database.execute("COMMIT")
    took = time.perf_counter() - began
    database.close()
    return took


def raw_postgresql(url: str, given: Iterable[tuple[Rows, Rows]]) -> float:
    with psycopg.connect(url.replace("+psycopg", "")) as database:
        database.execute(TABLE.format(number="bigint", double="double precision"))
        database.execute(INDEX)
        database.execute(MARKS.format(double="double precision", without_rowid=""))
        database.execute(MARKS_INDEX)
        database.commit()
        cursor = database.cursor()
        given = iter(given)
        first = next(given)
        began = time.perf_counter()
        for group, marks in itertools.chain([first], given):
            if marks:
                cursor.executemany("INSERT INTO raw_inbox VALUES (%s, %s, %s, %s, %s)", marks)
            cursor.executemany("INSERT INTO raw VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", group)
            database.commit()
        return time.perf_counter() - began


class Sqlite:
    """Files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._made = folder, 0
        self.ours = Ours(lambda: f"sqlite:///{self._file()}")

    def raw(self, given: Iterable[tuple[Rows, Rows]]) -> float:
        return raw_sqlite(self._file(), given)

    def _file(self) -> Path:
        self._made += 1
        return self._folder / f"s{self._made}.db"


class PostgreSqlServer:
    """Databases of a server that syncs."""

    def __init__(self, server: PostgreSql) -> None:
        self.server = server
        self.ours = Ours(server.database)

    def raw(self, given: Iterable[tuple[Rows, Rows]]) -> float:
        return raw_postgresql(self.server.database(), given)


def worker(url: str, first: int, count: int, in_flight: int, barrier: object) -> None:
    store = Store(url, patience=30.0)
    store.open()

    async def work() -> None:
        numbers = iter(range(first, first + count))

        async def committer() -> None:
            for number in numbers:
                await store.journal.commit(decision(number))

        await asyncio.gather(*(committer() for _ in range(in_flight)))

    barrier.wait()
    uvloop.run(work())
    store.close()


def together(make: Callable[[], str], processes: int, count: int, in_flight: int) -> float:
    """Several processes on one store; lines a second of all of them."""
    url = make()
    upgrade(url)
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(processes + 1)
    share = count // processes
    running = [
        spawn.Process(target=worker, args=(url, n * share, share, in_flight, barrier))
        for n in range(processes)
    ]
    for process in running:
        process.start()
    barrier.wait()
    began = time.perf_counter()
    for process in running:
        process.join()
    took = time.perf_counter() - began
    store = Store(url)
    check(store, share * processes)
    store.close()
    return share * processes / took


IN_FLIGHT = (1, 10, 100, 400)


def bench(name: str, database: Sqlite | PostgreSqlServer, repeats: int, count: int) -> dict:
    seen: dict[str, list[tuple[float, float, float, float]]] = {}
    plans = [("append", None), *((f"commit {n}", n) for n in IN_FLIGHT)]
    plans.append(("marked 100", 100))
    database.ours.commit(200, 10)  # warm
    for _ in range(repeats):
        for plan, in_flight in random.sample(plans, len(plans)):
            lines = count if in_flight is None else max(200, count * min(in_flight, 100) // 100)
            gc.collect()
            marked = plan.startswith("marked")
            if in_flight is None:
                took, group = database.ours.append(lines)
            else:
                took, group = database.ours.commit(lines, in_flight, marked=marked)
            rows = [row(number) for number in range(1, lines + 1)]
            size = max(1, round(group))
            raw = database.raw(groups(rows, size, chain=False, marked=marked))
            linked = database.raw(groups(rows, size, chain=True, marked=marked))
            seen.setdefault(plan, []).append((lines / took, raw / took, linked / took, group))
    result = {}
    heads = f"{'lines/s':>10}{'of raw':>8}{'of chained':>12}{'lines a group':>15}"
    print(f"\n{name:14}{heads}   of raw, each repeat")
    for plan, _ in plans:
        speed, share, linked, group = (statistics.median(f) for f in zip(*seen[plan], strict=True))
        result[plan] = round(share, 2)
        each = " ".join(f"{one[1]:.2f}" for one in seen[plan])
        print(f"{plan:14}{speed:10,.0f}{share:8.2f}{linked:12.2f}{group:15.1f}   {each}")
    return result


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--repeats", type=int, default=5)
    arguments.add_argument("--count", type=int, default=20_000)
    arguments.add_argument("--only", choices=("sqlite", "postgresql"))
    given = arguments.parse_args()
    ratios, lingers, pair = {}, {}, {}
    with tempfile.TemporaryDirectory(prefix="fig-bench-") as folder:
        if given.only != "postgresql":
            files = Sqlite(Path(folder))
            ratios["sqlite"] = bench("sqlite", files, given.repeats, given.count)
            lingers["sqlite"] = linger(files.ours.lingers)
        if given.only != "sqlite":
            try:
                server = PostgreSql(durable=True)
            except NoServer as error:
                raise SystemExit(f"not installed: {error}; run 'make services'") from None
            try:
                served = PostgreSqlServer(server)
                ratios["postgresql"] = bench("postgresql", served, given.repeats, given.count)
                lingers["postgresql"] = linger(served.ours.lingers)
                for processes in (1, 2):
                    speed = together(server.database, processes, given.count, 100)
                    pair[f"postgresql, {processes} processes"] = round(speed)
            finally:
                server.stop()
    print(f"\nlinger, ms: {lingers}\nlines/s with 100 in flight each: {pair}")
    met = all(
        share >= GOALS[name] for name, found in ratios.items() for share in found.values()
    ) and all(one["max"] <= GOALS["linger_ms"] for one in lingers.values())
    figures = {"ratios": ratios, "linger_ms": lingers, "goals": GOALS, "met": met}
    print(json.dumps({"benchmark": "journal", **figures}))
    return 0 if met else 1


def linger(seen: list[float]) -> dict[str, float]:
    found = sorted(seen)
    at = {"p50": found[len(found) // 2], "p99": found[len(found) * 99 // 100], "max": found[-1]}
    return {name: round(value * 1000, 2) for name, value in at.items()}


if __name__ == "__main__":
    sys.exit(main())
