"""Workers that write to one store at the same time."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from multiprocessing.process import BaseProcess

from ..errors import StoreUnavailable
from ..store import Line, Store, Write
from ..store.chain import verify

__all__ = ["commit_sixty", "run_all"]


def commit_sixty(url: str, worker: int) -> None:
    """Commit sixty lines, some in flight together, trying again while others hold the store."""
    store = Store(url, patience=30)
    store.open()
    try:
        asyncio.run(_work_on(store, worker))
    finally:
        store.close()


async def _work_on(store: Store, worker: int) -> None:
    async def one(number: int) -> None:
        line = Line(kind="request", request_id=f"{worker}-{number}")
        until = time.monotonic() + 90
        while True:
            try:
                await store.journal.commit(Write(lines=(line,)))
            except StoreUnavailable:
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(0.05)
            else:
                return

    for start in range(0, 60, 6):
        await asyncio.gather(*(one(number) for number in range(start, start + 6)))


def run_all(store: Store, workers: Sequence[threading.Thread | BaseProcess]) -> None:
    """Start four workers, wait for them, and check that all they wrote is there, and chained."""
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
        assert not worker.is_alive()
    names = [entry.line.request_id for entry in store.journal.read(kinds=["request"])]
    assert sorted(names) == sorted(f"{w}-{n}" for w in range(4) for n in range(60))
    assert list(verify(store.database)) == []
