"""kill -9 at each step of a write to both sides: what one side has, the other gets, and once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from stranglerfig.tests.importable import importable
from stranglerfig.tests.routing.dual.one_writer import record, world
from stranglerfig.tests.stores import either_store

pytestmark = pytest.mark.process

WRITER = Path(__file__).with_name("one_writer.py")
STEPS = [
    (step, moment)
    for step in ("prepare", "FIRST", "first", "SECOND", "copied")
    for moment in ("before", "after")
]
CASES = [
    *(("sqlite", "legacy", *step) for step in STEPS),
    *(("sqlite", "replacement", *step) for step in STEPS if step[0] in ("first", "SECOND")),
    *(("postgresql", "replacement", *step) for step in STEPS if step[1] == "after"),
]
ORDERS = {"legacy": ("legacy", "replacement"), "replacement": ("replacement", "legacy")}


@pytest.fixture
def url(request, tmp_path):
    return either_store(request, tmp_path / "fig.db")


async def killed(url, example, folder, order, step, moment):
    """Run one until it is killed; give the writes whose callers had their answers."""
    named = dict(zip(("FIRST", "SECOND"), ORDERS[order], strict=True)).get(step, step)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        WRITER,
        url,
        example,
        folder,
        order,
        named,
        moment,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": importable()},
    )
    told, _ = await process.communicate()
    assert process.returncode == -signal.SIGKILL, (step, moment)
    return told.decode().split()


@pytest.mark.parametrize(("url", "order", "step", "moment"), CASES, indirect=["url"])
async def test_killed_at_a_step(url, example, tmp_path, order, step, moment):
    told = await killed(url, example, tmp_path, order, step, moment)
    assert told[0] == "one"
    store, dispatcher, doubling, copying, sides = world(url, example, tmp_path, order)
    with store.database.write(chained=False) as connection:
        # Those who find it wait until its lease is over: so it is now.
        over = "UPDATE dual_writes SET lease_until = 1 WHERE lease_until IS NOT NULL"
        connection.exec_driver_sql(over)
    while await copying.look():
        pass
    await doubling.drain(30)
    legacy, replacement = sides.has("legacy"), sides.has("replacement")
    assert legacy == replacement, "both have the same, in the same order, each once"
    assert legacy[0] == "one"
    assert set(told) <= set(legacy)
    reached = (step, moment) not in [
        ("prepare", "before"),
        ("prepare", "after"),
        ("FIRST", "before"),
    ]
    assert ("two" in legacy) is reached
    assert store.dual_work.open("triage") == []
    if not reached:  # its caller sends it again: nothing came of it
        await dispatcher.serve(record("two"))
        await doubling.drain(30)
    await dispatcher.serve(record("three"))
    await doubling.drain(30)
    assert sides.has("legacy") == sides.has("replacement") == ["one", "two", "three"]
    store.close()
