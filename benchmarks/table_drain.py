"""How quickly a full capture table is worked off: ``fig bridge run`` on PostgreSQL.

Run it alone: ``python benchmarks/table_drain.py``. A legacy table of 14 columns is filled in one
transaction; its trigger fills the capture table; from that commit on the bridge takes over: claim
(heads of keys) → mapping of 12 fields, checked → route → a no-op handler → journal, hash-chained →
mark done. The bridge is the real daemon, waiting for work when the rows come. The store is a
PostgreSQL database on the same server.

* ``floor``: a bare psycopg loop claims 500 rows (``FOR UPDATE SKIP LOCKED``), marks them done and
  commits, and does nothing with them;
* ``one``: one bridge; ``two``: two bridges on the same table and store.

A no-op handler is a replacement that answers a constant at once, in the stage that asks it and
compares nothing (``retired``), as in ``pipeline.py``. After each run everything is counted. Ratios
are taken within a repeat; the figures are medians. The last line is JSON; the exit status is 1
where a goal was missed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
from pipeline import MAPPING, OPERATION

import stranglerfig
from stranglerfig.migrations.schema.upgrade import upgrade
from stranglerfig.model import Route, Stage
from stranglerfig.store import Store
from stranglerfig.testing.server import PostgreSql

GOALS = {"drain_per_floor": 0.35, "two_processes_per_one": 1.5}
BATCH = 500

TABLE = """
CREATE TABLE claims ("ID" integer PRIMARY KEY, "CUST" text, "POLICY" text, "CHAN" text,
  "KIND" text, "OPENED" text, "HAPPENED" text, "CLAIMED" numeric(9, 2), "EXCESS" numeric(7, 2),
  "CURR" text, "CLERK" integer, "TEXT" text, "CAT" text, "PRIO" text)
"""
FILL = """
INSERT INTO claims SELECT n, 'K' || lpad((n %% %(customers)s)::text, 8, '0'),
  'POL-' || lpad(n::text, 6, '0'), 'P', 'M', '20250314', '20240229', n / 100.0, n / 1000.0, 'EUR',
  n %% 1000, 'A stone hit the windscreen on the motorway near exit 14; a crack of 20 cm.', 'C1', '1'
FROM generate_series(1, %(count)s) n
"""
PICK = """
SELECT id, after FROM fig_event WHERE done_at IS NULL ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
"""
MARK = "UPDATE fig_event SET done_at = extract(epoch FROM clock_timestamp()) WHERE id = ANY(%s)"
ENDED = "SELECT count(*), max(done_at), count(*) FILTER (WHERE done_at IS NULL) FROM fig_event"

FIG_TOML = """
[workspace]
name  = "drain"
store = "{store}"
[legacy.claims]
adapter = "tables"
url     = "{legacy}"
table   = "claims"
key     = "CUST"
[replacement.noop]
provider = "py:noop_provider:NoOp"
process  = "shared"
[endpoint.claims]
operation   = "claim.sort@1"
listen      = {{ source = "claims" }}
mapping     = "claim_row.toml"
replacement = "noop"
"""
PROVIDER = '''
from stranglerfig.model import Reply


class NoOp:
    """A replacement that answers the same to everything."""

    outside = False
    revision = "r1"

    def __init__(self, **_):
        pass

    async def open(self):
        pass

    async def close(self):
        pass

    async def answer(self, request):
        payload = {"category": "glass", "priority": "normal"}
        return Reply(request_id=request.id, status="ok", produced_by="r1", payload=payload)
'''


class Bench:
    """One server; a fresh legacy database and store for each run."""

    def __init__(self, server: PostgreSql, count: int) -> None:
        self._server, self._count = server, count

    def floor(self) -> float:
        with self._workspace() as (_, legacy):
            with psycopg.connect(legacy) as connection:
                began = self._fill(connection)
                marked = 0
                while rows := connection.execute(PICK, [BATCH]).fetchall():
                    connection.execute(MARK, [[row[0] for row in rows]])
                    connection.commit()
                    marked += len(rows)
                assert marked == self._count
            return self._ended(legacy) - began

    def bridges(self, count: int) -> float:
        with self._workspace() as (root, legacy), contextlib.ExitStack() as stack:
            for _ in range(count):
                stack.enter_context(bridge(root))
            with psycopg.connect(legacy) as connection:
                began = self._fill(connection)
            while (ended := self._ended(legacy)) is None:
                time.sleep(0.1)
        store = Store(self._store)
        lines = sum(1 for _ in store.journal.read(kinds=["request"]))
        store.close()
        assert lines == self._count, f"{lines} journal lines of {self._count}"
        return ended - began

    @contextlib.contextmanager
    def _workspace(self) -> Iterator[tuple[Path, str]]:
        url, self._store = self._server.database(), self._server.database()
        legacy = url.replace("+psycopg", "")
        with psycopg.connect(legacy, autocommit=True) as connection:
            connection.execute(TABLE)
        upgrade(self._store)
        with tempfile.TemporaryDirectory(prefix="fig-bench-") as folder:
            root = Path(folder)
            (root / "operations").mkdir()
            (root / "operations" / "claim.sort@1.toml").write_text(OPERATION)
            (root / "claim_row.toml").write_text(MAPPING)
            (root / "noop_provider.py").write_text(PROVIDER)
            (root / "fig.toml").write_text(FIG_TOML.format(store=self._store, legacy=url))
            fig(root, "adapter", "install", "claims")
            self._route(root)
            yield root, legacy

    def _route(self, root: Path) -> None:
        said = fig(root, "route", "show", "claims", "--json")
        revision = json.loads(said).get("revision") or "r1"
        wanted = Route(endpoint="claims", stage=Stage.RETIRED, revision=revision, salt="s")
        store = Store(self._store)
        store.routes.put(wanted, action="set", who="bench", why="bench", evidence={})
        store.close()

    def _fill(self, connection: psycopg.Connection) -> float:
        """Write all rows in one transaction; give the server's clock right after its commit."""
        customers = max(1, self._count // 10)
        connection.execute(FILL, {"count": self._count, "customers": customers})
        connection.commit()
        clock = connection.execute(
            "SELECT extract(epoch FROM clock_timestamp())::float8"
        ).fetchone()
        connection.commit()
        return clock[0]

    def _ended(self, legacy: str) -> float | None:
        with psycopg.connect(legacy) as connection:
            total, last, left = connection.execute(ENDED).fetchone()
        return float(last) if total == self._count and not left else None


@contextlib.contextmanager
def bridge(root: Path) -> Iterator[None]:
    """Run a bridge that is ready and waits for work."""
    with (root / "bridge.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "stranglerfig", "bridge", "run", "--json"],
            cwd=root,
            env=environment(root),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        for line in process.stdout:
            if json.loads(line)["event"] == "ready":
                break
        else:
            raise SystemExit((root / "bridge.log").read_text())
        time.sleep(1.0)  # it has looked at the empty table, and waits
        yield
        process.send_signal(signal.SIGTERM)
        if process.wait(30):
            raise SystemExit((root / "bridge.log").read_text())
    finally:
        process.kill()
        process.wait()


def environment(root: Path) -> dict[str, str]:
    package = str(Path(stranglerfig.__file__).parent.parent)
    return {**os.environ, "PYTHONPATH": os.pathsep.join([package, str(root)])}


def fig(root: Path, *words: str) -> str:
    command = [sys.executable, "-m", "stranglerfig", *words]
    done = subprocess.run(
        command, cwd=root, env=environment(root), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr or done.stdout)
    return done.stdout


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--repeats", type=int, default=5)
    arguments.add_argument("--count", type=int, default=20_000)
    given = arguments.parse_args()
    server = PostgreSql(durable=True, settings={"max_prepared_transactions": "0"})
    runs: dict[str, list[float]] = {"floor": [], "one": [], "two": []}
    try:
        bench = Bench(server, given.count)
        plans = {
            "floor": bench.floor,
            "one": lambda: bench.bridges(1),
            "two": lambda: bench.bridges(2),
        }
        for _ in range(given.repeats):
            for name in random.sample(list(plans), len(plans)):
                runs[name].append(plans[name]())
    finally:
        server.stop()
    for name, took in runs.items():
        rate = given.count / statistics.median(took)
        print(
            f"{name:6}{rate:10,.0f} rows/s   " + " ".join(f"{given.count / t:,.0f}" for t in took)
        )
    ratios = {
        "drain_per_floor": ratio(runs["floor"], runs["one"]),
        "two_processes_per_one": ratio(runs["one"], runs["two"]),
    }
    met = all(ratios[name] >= goal for name, goal in GOALS.items())
    print(json.dumps({"benchmark": "table_drain", "ratios": ratios, "goals": GOALS, "met": met}))
    return 0 if met else 1


def ratio(above: list[float], below: list[float]) -> float:
    return round(statistics.median(a / b for a, b in zip(above, below, strict=True)), 2)


if __name__ == "__main__":
    sys.exit(main())
