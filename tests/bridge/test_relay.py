"""A queue worked off by as many tasks as it needs."""

from __future__ import annotations

import asyncio

from stranglerfig.bridge.relay import Relay


async def test_work_that_never_waits_is_done_in_order_by_few_tasks():
    done, tasks = [], set()

    async def work(item):
        done.append(item)
        tasks.add(asyncio.current_task())

    relay = Relay(work, 100)
    for item in range(50):
        relay.put(item)
    relay.put_first(-1)
    while relay.runners:
        await asyncio.sleep(0)
    assert done == list(range(-1, 50))
    assert len(tasks) < 10


async def test_while_one_waits_the_next_goes_on_up_to_the_most():
    gate, begun, done = asyncio.Event(), [], []

    async def work(item):
        begun.append(item)
        await gate.wait()
        done.append(item)

    relay = Relay(work, 3)
    for item in range(7):
        relay.put(item)
    for _ in range(20):
        await asyncio.sleep(0)
    assert begun == [0, 1, 2]
    gate.set()
    while relay.runners:
        await asyncio.sleep(0)
    assert sorted(done) == list(range(7))


async def test_a_runner_that_is_cancelled_leaves_the_rest_to_the_next():
    done = []

    async def work(item):
        if item == 0:
            asyncio.current_task().cancel()
            await asyncio.sleep(0)
        done.append(item)

    relay = Relay(work, 1)
    for item in range(3):
        relay.put(item)
    while relay.runners:
        await asyncio.sleep(0)
    assert done == [1, 2]


async def test_cleared_it_forgets_cancels_and_can_be_used_again():
    done = []

    async def work(item):
        if item == "slow":
            await asyncio.Event().wait()
        done.append(item)

    relay = Relay(work, 1)
    relay.put("slow")
    await asyncio.sleep(0)
    relay.put("never")
    relay.clear()
    while relay.runners:
        await asyncio.sleep(0)
    relay.put("unbegun")
    relay.clear()
    while relay.runners:
        await asyncio.sleep(0)
    relay.put("new")
    while relay.runners:
        await asyncio.sleep(0)
    assert done == ["new"]
