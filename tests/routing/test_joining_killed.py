"""Bridges that are killed while they join and send: every pair once, every message once."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from stranglerfig.store import Store
from stranglerfig.store.outbox import Outbox
from stranglerfig.store.outcomes import outcome_counts
from stranglerfig.tests.importable import importable
from stranglerfig.tests.stores import either_store

COUNT = 30
JOINER = Path(__file__).with_name("one_joiner.py")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    return either_store(request, tmp_path / "fig.db")


async def joiner(url, example, seed, kill_after):
    """Run one; kill it after so many lines, or let it come to its end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        JOINER,
        url,
        example,
        str(COUNT),
        str(seed),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": importable()},
    )
    seen = 0
    async for line in process.stdout:
        assert line.split()[-1] == b"done"
        seen += 1
        if seen == kill_after:
            process.kill()
            break
    status = await process.wait()
    assert kill_after or (status, seen) == (0, 3 * COUNT)


@pytest.mark.process
async def test_every_pair_is_joined_once_and_every_message_leaves_once(url, example):
    # Two that are killed beside one another, and then two that see everything there is.
    await asyncio.gather(joiner(url, example, 1, 20), joiner(url, example, 2, 45))
    await asyncio.gather(joiner(url, example, 3, 0), joiner(url, example, 4, 0))
    store = Store(url)
    lines = [entry.line for entry in store.journal.read()]
    joined = [
        one.request_id for one in lines if one.kind == "outcome" and one.data["state"] == "joined"
    ]
    compared = [one.request_id for one in lines if one.kind == "comparison"]
    assert len(joined) == len(set(joined)) == len(set(compared)) == len(compared) == COUNT
    assert outcome_counts(store.database, "tickets").joined == COUNT
    requests = [(one.endpoint, one.request_id) for one in lines if one.kind == "request"]
    assert len(requests) == len(set(requests)) == 2 * COUNT
    claimed = Outbox(store.database).claim("there", "t", now=2e9, lease=1.0, limit=1000)
    assert len({one.message.message_id for one in claimed}) == len(claimed) == COUNT
    store.close()
