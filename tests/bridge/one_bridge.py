"""One bridge as its own process: ``one_bridge.py ROOT LEASE ATTEMPTS``. Not a test.

It takes the captured tickets of ``ROOT/legacy.db`` and writes each, by its id, to
``ROOT/outcomes.db``. SIGTERM stops it; the text "poison" kills it.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sqlite3
import sys
from pathlib import Path

from stranglerfig.adapters.tables import TableSource
from stranglerfig.bridge import Bridge, Limits, Retries
from stranglerfig.model import Delivery, Settlement, request_id
from stranglerfig.telemetry import start_logging

root, lease, attempts = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
outcomes = sqlite3.connect(root / "outcomes.db", timeout=30, isolation_level=None)
outcomes.executescript("""
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = OFF;
    CREATE TABLE IF NOT EXISTS outcome (n INTEGER PRIMARY KEY, id UNIQUE, account, ticket, pid);
    CREATE TABLE IF NOT EXISTS run (n INTEGER PRIMARY KEY, id, account, pid, what);
""")


def note(delivery: Delivery, what: str) -> None:
    identity = request_id(delivery.record.source, delivery.record.position)
    row = (identity, delivery.record.key, os.getpid(), what)
    outcomes.execute("INSERT INTO run (id, account, pid, what) VALUES (?, ?, ?, ?)", row)


async def take(delivery: Delivery) -> Settlement:
    image = json.loads(delivery.record.body)
    note(delivery, "begun")
    if image["text"] == "poison":
        os.kill(os.getpid(), signal.SIGKILL)
    await asyncio.sleep(random.uniform(0, 0.01))
    identity = request_id(delivery.record.source, delivery.record.position)
    outcomes.execute(
        "INSERT OR IGNORE INTO outcome (id, account, ticket, pid) VALUES (?, ?, ?, ?)",
        (identity, image["account"], int(image["id"]), os.getpid()),
    )
    await asyncio.sleep(random.uniform(0, 0.01))
    note(delivery, "ended")
    return Settlement(outcome="done")


async def main() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    options = {
        "url": "sqlite:///legacy.db",
        "table": "tickets",
        "key": "account",
        "lease": lease,
        "batch": 16,
        "poll": 0.01,
    }
    source = TableSource(name="tickets", options=options, place="fig.toml", root=root)
    limits = Limits(in_flight=16, wait=0.1, drain=10.0, retries=Retries(attempts=attempts))
    await Bridge({"tickets": source}, {"tickets": take}, limits=limits).run(stop)


start_logging(1)
asyncio.run(main())
