"""How long a row takes from legacy's commit to the handler: woken by NOTIFY, and by polling.

Run it alone: ``python benchmarks/table_latency.py``. A legacy program commits a row at a time into
a captured table, with pauses, and notes the clock when its commit has returned; a task (as the one
that receives in ``Bridge``) notes the clock when it has the delivery in hand.

* ``floor``: bare psycopg: a thread on LISTEN, which then claims the row in one statement, from a
  hand-written trigger that does the same insert and a NOTIFY;
* ``woken``: ``TableSource`` with triggers that notify;
* ``polled``: the same without, looking every 50 ms.

Each in turn within a repeat; the figures are of all repeats together, ratios of the medians. Every
row must arrive. The last line is JSON; the exit status is 1 where a goal was missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import queue
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import uvloop

from stranglerfig.adapters.tables import TableSource
from stranglerfig.model import Settlement
from stranglerfig.testing.server import PostgreSql

POLL = 0.05
GOALS = {"woken_p50_per_floor": 4.0, "woken_p99_per_floor": 15.0, "polled_p50_per_interval": 1.0}
DONE = Settlement(outcome="done")

TABLE = "CREATE TABLE tickets (id bigint PRIMARY KEY, account text, text text)"
FLOOR = """
CREATE TABLE event (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text, done_at float8);
CREATE INDEX ON event (id) WHERE done_at IS NULL;
CREATE FUNCTION hand() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO event (body) VALUES (to_jsonb(NEW)::text);
  PERFORM pg_notify('hand', '');
  RETURN NULL;
END $$;
CREATE TRIGGER hand AFTER INSERT ON tickets FOR EACH ROW EXECUTE FUNCTION hand()
"""
CLAIM = """
WITH pick AS (SELECT id FROM event WHERE done_at IS NULL ORDER BY id LIMIT 10
  FOR UPDATE SKIP LOCKED)
UPDATE event SET done_at = 1 FROM pick WHERE event.id = pick.id RETURNING body
"""


class Writer:
    """The legacy program: one commit after the other; it knows when each had returned."""

    def __init__(self, url: str, count: int) -> None:
        self.committed: dict[int, float] = {}
        self._legacy = psycopg.connect(url, autocommit=True)
        self._count = count

    def write(self) -> None:
        for at in range(self._count):
            time.sleep(random.uniform(0.005, 0.02))
            self._legacy.execute("INSERT INTO tickets VALUES (%s, 'a', 'some text')", (at,))
            self.committed[at] = time.perf_counter()
        self._legacy.close()


def floor(url: str, count: int) -> list[float]:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(FLOOR)
    writer, arrived, ready = Writer(url, count), {}, queue.Queue()

    def listen() -> None:
        with (
            psycopg.connect(url, autocommit=True) as listener,
            psycopg.connect(url, autocommit=True) as claims,
        ):
            listener.execute("LISTEN hand")
            ready.put(None)
            while len(arrived) < count:
                list(listener.notifies(timeout=0.5, stop_after=1))
                for (body,) in claims.execute(CLAIM).fetchall():
                    arrived[json.loads(body)["id"]] = time.perf_counter()

    thread = threading.Thread(target=listen)
    thread.start()
    ready.get()
    writer.write()
    thread.join()
    return latencies(writer, arrived)


def tables(url: str, count: int, notify: str) -> list[float]:
    writer, arrived = Writer(url, count), {}

    async def receive() -> None:
        options = {
            "url": url.replace("postgresql:", "postgresql+psycopg:"),
            "table": "tickets",
            "notify": notify,
            "poll": POLL,
        }
        source = TableSource(name="tickets", options=options, place="bench", root=Path.cwd())
        source.install()
        await source.open()
        await source.receive(1, 0.5)  # it hears, and its statements are planned
        writing = asyncio.create_task(asyncio.to_thread(writer.write))
        while len(arrived) < count:
            for delivery in await source.receive(256, 0.5):
                arrived[int(json.loads(delivery.record.body)["id"])] = time.perf_counter()
                settling.add(task := asyncio.create_task(delivery.settle(DONE)))
                task.add_done_callback(settling.discard)
        await writing
        await asyncio.gather(*settling)
        await source.close()

    settling: set[asyncio.Task[None]] = set()
    uvloop.run(receive())
    return latencies(writer, arrived)


def latencies(writer: Writer, arrived: dict[int, float]) -> list[float]:
    # The commit can be seen by others a moment before the writer hears of it.
    return [max(arrived[at] - committed, 0.0) * 1e3 for at, committed in writer.committed.items()]


def bench(repeats: int, count: int) -> bool:
    kinds: dict[str, Callable[[str], list[float]]] = {
        "floor": lambda url: floor(url, count),
        "woken": lambda url: tables(url, count, "always"),
        "polled": lambda url: tables(url, count, "never"),
    }
    runs: dict[str, list[float]] = {name: [] for name in kinds}
    server = PostgreSql(durable=True)
    try:
        with tempfile.TemporaryDirectory():
            for _ in range(repeats):
                for name in random.sample(list(kinds), len(kinds)):
                    url = server.database().replace("+psycopg", "")
                    with psycopg.connect(url, autocommit=True) as connection:
                        connection.execute(TABLE)
                    runs[name] += kinds[name](url)
    finally:
        server.stop()
    return report(runs)


def report(runs: dict[str, list[float]]) -> bool:
    points = {name: statistics.quantiles(each, n=100) for name, each in runs.items()}
    print(f"{'commit to handler, ms':22}{'p50':>8}{'p95':>8}{'p99':>8}")
    for name, cut in points.items():
        print(f"  {name:20}{cut[49]:8.2f}{cut[94]:8.2f}{cut[98]:8.2f}")
    ratios = {
        "woken_p50_per_floor": round(points["woken"][49] / points["floor"][49], 2),
        # Against the floor's median: its own p99 is the machine's.
        "woken_p99_per_floor": round(points["woken"][98] / points["floor"][49], 2),
        "polled_p50_per_interval": round(points["polled"][49] / (POLL * 1e3), 2),
    }
    met = all(ratios[name] <= goal for name, goal in GOALS.items())
    print(json.dumps({"benchmark": "table_latency", "ratios": ratios, "goals": GOALS, "met": met}))
    return met


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--repeats", type=int, default=5)
    arguments.add_argument("--count", type=int, default=300)
    given = arguments.parse_args()
    return 0 if bench(given.repeats, given.count) else 1


if __name__ == "__main__":
    sys.exit(main())
