"""What a record costs on its whole way: memory source, bridge, mapping, route, handler, journal.

Run it alone: ``python benchmarks/pipeline.py``. All of it is in one process and is the code that
``fig bridge`` runs: ``MemorySource`` → ``Bridge`` → ``Events.begin`` (decode and check a row of
12 fields, decide by the route, ask the replacement within its time limit, check its answer) →
``Journal`` on an SQLite file, ``synchronous=FULL`` → the delivery settled after the commit.

A no-op handler is read as a replacement that answers a constant at once, in a stage that asks it
and compares nothing (``retired``). What a comparison adds (``live``: legacy's answer is decoded
from the same row, held against the replacement's, and both are journalled with a row of evidence)
is shown beside it, without a goal.

Measured within each repeat, in shuffled order, on one loop of the kind that the daemon runs on:

* ``mapping``: a bare coroutine that calls ``decode_request`` on the same records, one by one;
* ``floor``: a bare loop that maps and writes the same rows with ``sqlite3`` alone, 256 a commit,
  each chained by SHA-256: no bridge, no route, no handler. What the journal costs by itself;
* ``single``: the same path with one delivery in flight, so every record is a commit of its own;
* ``grouped``: as the daemon does it; ``comparing``: the same with the comparison.

After each run everything is counted: settled, journalled, chained. Ratios are taken within a
repeat; the figures are medians. The last line is JSON; the exit status is 1 where a goal was
missed.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import msgspec
import uvloop

from stranglerfig import config
from stranglerfig.acl.mapping.mapping import load_mapping
from stranglerfig.acl.operations.operation import load_operation
from stranglerfig.adapters.memory import MemorySource
from stranglerfig.bridge import Bridge, Limits
from stranglerfig.migrations.schema.upgrade import upgrade
from stranglerfig.model import Record, Reply, Request, Route, Stage
from stranglerfig.routing.endpoint import Endpoint
from stranglerfig.routing.events import Events
from stranglerfig.routing.ledger import Ledger
from stranglerfig.routing.table import RouteTable
from stranglerfig.store import Store
from stranglerfig.store.chain import verify

GOALS = {"grouped_per_single_throughput": 15.0, "grouped_per_mapping_time": 3.0}

OPERATION = """
name = "claim.sort"
version = 1
effect = "read"
[input]
number   = { type = "integer", min = 1 }
customer = { type = "text", max_length = 32, tag = "pii.id" }
policy   = { type = "text", max_length = 32 }
channel  = { type = "text", enum = ["phone", "mail", "web", "app"] }
kind     = { type = "text", enum = ["motor", "home", "travel", "health"] }
opened   = { type = "date" }
happened = { type = "date" }
claimed  = { type = "decimal", min = "0" }
excess   = { type = "decimal", min = "0" }
currency = { type = "text", enum = ["EUR", "CHF", "GBP"] }
clerk    = { type = "integer", required = false }
text     = { type = "text", max_length = 2000, tag = "pii.text" }
[output]
category = { type = "text", max_length = 64 }
priority = { type = "text", enum = ["high", "normal", "low"] }
"""

MAPPING = """
operation = "claim.sort@1"
from = { kind = "row", columns = ["ID", "CUST", "POLICY", "CHAN", "KIND", "OPENED", "HAPPENED",
  "CLAIMED", "EXCESS", "CURR", "CLERK", "TEXT", "CAT", "PRIO"] }
fields = [
  { src = "ID",       dst = "number",   as = "integer" },
  { src = "CUST",     dst = "customer", as = "text" },
  { src = "POLICY",   dst = "policy",   as = "text" },
  { src = "CHAN",     dst = "channel",  as = "code(channel)" },
  { src = "KIND",     dst = "kind",     as = "code(kind)" },
  { src = "OPENED",   dst = "opened",   as = "date(YYYYMMDD)" },
  { src = "HAPPENED", dst = "happened", as = "date(YYYYMMDD)" },
  { src = "CLAIMED",  dst = "claimed",  as = "decimal(2)" },
  { src = "EXCESS",   dst = "excess",   as = "decimal(2)" },
  { src = "CURR",     dst = "currency", as = "text" },
  { src = "CLERK",    dst = "clerk",    as = "integer" },
  { src = "TEXT",     dst = "text",     as = "text" },
]
reply = [
  { src = "category", dst = "CAT",  as = "code(category)" },
  { src = "priority", dst = "PRIO", as = "code(priority)" },
]
[codes]
channel  = { P = "phone", M = "mail", W = "web", A = "app" }
kind     = { M = "motor", H = "home", T = "travel", G = "health" }
category = { C1 = "glass", C2 = "collision", C3 = "theft" }
priority = { 1 = "high", 2 = "normal", 3 = "low" }
"""

FLOOR_LINE = json.dumps(
    {"key": "12345", "stage": "retired", "served_by": "replacement", "ms": 0.02}
)
FLOOR_JOURNAL = (
    "INSERT INTO journal (id, at, kind, endpoint, request_id, revision, data, link)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
FLOOR_INBOX = (
    "INSERT INTO inbox (consumer, message_id, payload_hash, at, result) VALUES (?, ?, ?, ?, ?)"
)
ANSWER = {"category": "glass", "priority": "normal"}

encode = msgspec.json.Encoder().encode


class NoOp:
    """A replacement that answers the same to everything."""

    async def answer(self, request: Request, revision: str) -> Reply:
        return Reply(request_id=request.id, status="ok", produced_by=revision, payload=ANSWER)


def records(count: int) -> list[Record]:
    draw = random.Random(20)
    return [_record(number, draw) for number in range(1, count + 1)]


def _record(number: int, draw: random.Random) -> Record:
    row = {
        "ID": number,
        "CUST": f"K{draw.randrange(10**8):08}",
        "POLICY": f"POL-{draw.randrange(10**6):06}-{draw.randrange(100):02}",
        "CHAN": draw.choice("PMWA"),
        "KIND": draw.choice("MHTG"),
        "OPENED": f"2025{draw.randrange(1, 13):02}{draw.randrange(1, 29):02}",
        "HAPPENED": f"2024{draw.randrange(1, 13):02}{draw.randrange(1, 29):02}",
        "CLAIMED": f"{Decimal(draw.randrange(10**7)) / 100:.2f}",
        "EXCESS": f"{Decimal(draw.randrange(10**5)) / 100:.2f}",
        "CURR": draw.choice(("EUR", "CHF", "GBP")),
        "CLERK": draw.choice((None, draw.randrange(10**4))),
        "TEXT": "A stone hit the windscreen on the motorway near exit 14; a crack of 20 cm.",
        "CAT": draw.choice(("C1", "C2", "C3")),
        "PRIO": draw.choice("123"),
    }
    body = json.dumps(row).encode()
    return Record(source="claims", position=str(number), kind="row", body=body, key=str(number))


class Bench:
    """The parts that all runs share, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "operations").mkdir()
        (folder / "operations" / "claim.sort@1.toml").write_text(OPERATION)
        (folder / "claim_row.toml").write_text(MAPPING)
        self.operation = load_operation(folder, "claim.sort@1")
        self.mapping = load_mapping(folder / "claim_row.toml", self.operation, folder)
        self.stores = 0

    async def mapping_alone(self, given: Sequence[Record]) -> float:
        began = time.perf_counter()
        for record in given:
            self.mapping.decode_request(record)
        return time.perf_counter() - began

    async def floor(self, given: Sequence[Record]) -> float:
        file = self._new_store()
        database = sqlite3.connect(file, isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        hashed = "0" * 64
        began = time.perf_counter()
        for start in range(0, len(given), 256):
            lines, marks = [], []
            for number, record in enumerate(given[start : start + 256], start + 1):
                self.mapping.decode_request(record)
                ident = sha256(f"claims\x1f{record.position}".encode()).hexdigest()[:32]
                line = (0.0, "request", "claims", ident, "r1", FLOOR_LINE)
                hashed = sha256(hashed.encode() + encode(line)).hexdigest()
                lines.append((number, *line, hashed, None))
                marks.append(
                    ("claims", record.position, sha256(record.body).hexdigest(), 0.0, None)
                )
            database.execute("BEGIN IMMEDIATE")
            database.executemany(FLOOR_JOURNAL, lines)
            database.executemany(FLOOR_INBOX, marks)
            database.execute("COMMIT")
        took = time.perf_counter() - began
        database.close()
        return took

    def _new_store(self) -> Path:
        self.stores += 1
        file = self.folder / f"store{self.stores}.db"
        upgrade(f"sqlite:///{file}")
        return file

    async def pipeline(self, given: Sequence[Record], stage: Stage, limits: Limits) -> float:
        # A machine that others use as well must not make committers lose their patience.
        store = Store(f"sqlite:///{self._new_store()}", patience=10.0)
        store.open()
        try:
            table = await self._routed(store, stage)
            endpoint = Endpoint(
                config=config.Endpoint(
                    name="claims",
                    operation=self.operation.id,
                    listen=config.Listen(source="claims"),
                    mapping="claim_row.toml",
                ),
                operation=self.operation,
                mapping=self.mapping,
                replacement=NoOp(),
            )
            events = Events(endpoint, table, Ledger(store))
            stop = asyncio.Event()
            source = MemorySource("claims", given)
            bridge = Bridge(
                {"claims": source}, {"claims": events.begin}, limits=limits, bury=events.bury
            )
            began = time.perf_counter()
            running = asyncio.create_task(bridge.run(stop))
            while source.done < len(given):  # noqa: ASYNC110 - the path has nobody who waits
                await asyncio.sleep(0.001)
            took = time.perf_counter() - began
            stop.set()
            await running
            check(store, source, given, stage)
        finally:
            store.close()
        return took

    async def _routed(self, store: Store, stage: Stage) -> RouteTable:
        wanted = Route(endpoint="claims", stage=stage, revision="r1", salt="s")
        store.routes.put(wanted, action="set", who="bench", why="bench", evidence={})
        kill_file = self.folder / "fig.kill"
        table = RouteTable(store, ["claims"], prepare=_ready, kill_file=kill_file)
        await table.poll()
        assert table.current("claims").stage is stage
        return table


async def _ready(_: Route) -> bool:
    return True


def check(store: Store, source: MemorySource, given: Sequence[Record], stage: Stage) -> None:
    """Nothing is lost, nothing is there twice, and the chain holds."""
    lines = sum(1 for _ in store.journal.read(kinds=["request"]))
    compared = sum(1 for _ in store.journal.read(kinds=["comparison"]))
    expected = len(given) if stage is Stage.LIVE else 0
    found = (source.done, len(source.dead), lines, compared)
    if found != (len(given), 0, len(given), expected) or any(verify(store.database)):
        raise SystemExit(f"settled, dead, request lines, comparisons: {found} of {len(given)}")


def bench(repeats: int, count: int) -> bool:
    many, few = records(count), records(max(1, count // 20))
    runs: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="fig-bench-") as folder:
        parts = Bench(Path(folder))
        plans = {
            "mapping": (parts.mapping_alone, (many,)),
            "floor": (parts.floor, (many,)),
            "single": (parts.pipeline, (few, Stage.RETIRED, Limits(in_flight=1))),
            "grouped": (parts.pipeline, (many, Stage.RETIRED, Limits())),
            "comparing": (parts.pipeline, (many, Stage.LIVE, Limits())),
        }
        uvloop.run(parts.pipeline(few, Stage.LIVE, Limits()))  # warm
        gc.collect()
        gc.freeze()  # as the daemon does when it is ready
        for _ in range(repeats):
            for name in random.sample(list(plans), len(plans)):
                measured, arguments = plans[name]
                gc.collect()
                took = uvloop.run(measured(*arguments))
                runs.setdefault(name, []).append(took / len(arguments[0]) * 1e6)
    return report(runs)


def report(runs: dict[str, list[float]]) -> bool:
    print(f"{'':12}{'µs/record':>10}{'records/s':>11}   within repeats, µs")
    for name in ("mapping", "floor", "single", "grouped", "comparing"):
        each, middle = runs[name], statistics.median(runs[name])
        print(
            f"{name:12}{middle:10.1f}{1e6 / middle:11,.0f}   " + " ".join(f"{t:.1f}" for t in each)
        )
    ratios = {
        "grouped_per_single_throughput": ratio(runs["single"], runs["grouped"]),
        "grouped_per_mapping_time": ratio(runs["grouped"], runs["mapping"]),
        "floor_per_mapping_time": ratio(runs["floor"], runs["mapping"]),
        "grouped_per_floor_time": ratio(runs["grouped"], runs["floor"]),
        "comparing_per_single_throughput": ratio(runs["single"], runs["comparing"]),
        "comparing_per_mapping_time": ratio(runs["comparing"], runs["mapping"]),
    }
    met = (
        ratios["grouped_per_single_throughput"] >= GOALS["grouped_per_single_throughput"]
        and ratios["grouped_per_mapping_time"] <= GOALS["grouped_per_mapping_time"]
    )
    print(json.dumps({"benchmark": "pipeline", "ratios": ratios, "goals": GOALS, "met": met}))
    return met


def ratio(above: Sequence[float], below: Sequence[float]) -> float:
    return round(statistics.median(a / b for a, b in zip(above, below, strict=True)), 2)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--repeats", type=int, default=5)
    arguments.add_argument("--count", type=int, default=20_000)
    given = arguments.parse_args()
    return 0 if bench(given.repeats, given.count) else 1


if __name__ == "__main__":
    sys.exit(main())
