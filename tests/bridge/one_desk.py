"""One bridge with a store, as its own process: ``one_desk.py ROOT STORE ATTEMPTS``. Not a test.

It takes the captured tickets of ``ROOT/legacy.db`` into the journal of the store, and replays its
dead letters. The text "poison" kills it, unless ``ROOT/mended`` is there. SIGTERM stops it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from hashlib import sha256
from pathlib import Path

from stranglerfig.adapters.tables import TableSource
from stranglerfig.bridge import Backoff, Bridge, Limits, Retries
from stranglerfig.bridge.replays import NAME, Replays, buried_by_source, by_source, released
from stranglerfig.model import Delivery, Settlement
from stranglerfig.routing.taken import Taken
from stranglerfig.store import Store, Write
from stranglerfig.store.line import Line
from stranglerfig.store.write import DeadLetter, InboxMark
from stranglerfig.telemetry import start_logging

root, url, attempts = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])


class Desk:
    def __init__(self, store: Store) -> None:
        self.store = store

    async def take(self, delivery: Delivery) -> Taken:
        record = delivery.record
        image = json.loads(record.body)
        if image["text"] == "poison" and not (root / "mended").exists():
            os.kill(os.getpid(), signal.SIGKILL)
        await asyncio.sleep(0.001)
        data = {"key": record.key, "ticket": int(image["id"])}
        write = Write(
            lines=(Line(kind="request", endpoint="desk", data=data),),
            inbox=InboxMark("desk", record.position, sha256(record.body).hexdigest()),
        )
        return Taken(Settlement(outcome="done"), self.store.journal.submit(write))

    async def bury(self, delivery: Delivery, reason: str, cause: BaseException | None = None):
        record = delivery.record
        letter = DeadLetter(
            source=record.source,
            position=record.position,
            reason=reason,
            record=record,
            error={"error": type(cause).__name__, "message": str(cause)},
            attempts=delivery.attempt,
            at=0.0,
            endpoint="desk",
        )
        await self.store.journal.commit(Write(dead=letter))


async def main() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    store = Store(url)
    store.open()
    options = {"url": "sqlite:///legacy.db", "table": "tickets", "key": "account", "poll": 0.01}
    source = TableSource(name="tickets", options=options, place="fig.toml", root=root)
    desk = Desk(store)
    release = released({"tickets": source}.get)
    replays = Replays(store.database, release, poll=0.02)
    limits = Limits(
        in_flight=16,
        wait=0.05,
        retries=Retries(attempts=attempts, blocks=True),
        stand_still=Backoff(first=0.01, longest=0.05),
    )
    bridge = Bridge(
        {"tickets": source, NAME: replays},
        {"tickets": desk.take, NAME: by_source({"tickets": desk.take}.get)},
        limits=limits,
        bury={"tickets": desk.bury, NAME: buried_by_source({"tickets": desk.bury}.get)},
        writable=lambda: store.journal.healthy,
    )
    await bridge.run(stop)
    store.close()


start_logging(1)
asyncio.run(main())
