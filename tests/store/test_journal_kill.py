"""kill -9: what a committer was told is durable is there."""

from __future__ import annotations

import os
import random
import subprocess
import sys

import pytest

from stranglerfig.store import Store
from stranglerfig.store.chain import verify

COMMIT = """
import asyncio, sys
from stranglerfig.model import Comparison
from stranglerfig.store import InboxMark, Line, Store, Write

def seen(n):
    return Comparison(request_id=n, endpoint="e", revision="v", unit=n, winner="both", by="none")

def write(n):
    lines = (Line(kind="request", endpoint="e", request_id=n), Line(kind="note", request_id=n))
    return Write(lines=lines, observations=(seen(n),), inbox=InboxMark("c", n, "h"))

async def work(store, worker):
    number = 0
    while True:
        name = f"{worker}-{number}"
        assert await store.journal.commit(write(name))
        print(name, flush=True)
        number += 1

async def main(store):
    await asyncio.gather(*(work(store, worker) for worker in range(8)))

store = Store(sys.argv[1], patience=30)
store.open()
asyncio.run(main(store))
"""


@pytest.mark.process
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nothing_that_was_committed_is_lost(store_url, seed):
    process = subprocess.Popen(
        [sys.executable, "-c", COMMIT, store_url],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=subprocess.PIPE,
        text=True,
    )
    told = [process.stdout.readline().strip() for _ in range(random.Random(seed).randint(1, 600))]
    process.kill()
    told += [name for name in process.communicate(timeout=60)[0].split("\n")[:-1] if name]
    assert all(told)
    store = Store(store_url, patience=30)
    store.open()
    found = [entry.line.request_id for entry in store.journal.read(kinds=["request"])]
    assert set(told) <= set(found)
    assert len(found) == len(set(found))
    # A write is whole: its second line, its evidence and its mark stand where its first line does.
    notes = [entry.line.request_id for entry in store.journal.read(kinds=["note"])]
    assert notes == found
    assert store.evidence.counts("e", "v").both == len(found)
    assert all(store.inbox.seen("c", name) == "h" for name in random.Random(seed).sample(found, 1))
    assert list(verify(store.database)) == []
    store.close()
