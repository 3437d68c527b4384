"""Deliveries whose outcome becomes durable after ``take`` returned."""

from __future__ import annotations

import asyncio

import pytest

from stranglerfig.adapters.memory import MemorySource
from stranglerfig.bridge import Backoff, Bridge, Limits, Retries
from stranglerfig.errors import StoreUnavailable
from stranglerfig.model import Record, Settlement
from stranglerfig.routing.taken import Taken

DONE = Settlement(outcome="done")
QUICK = Limits(
    in_flight=1_000,
    wait=0.02,
    drain=0.1,
    retries=Retries(attempts=3, backoff=Backoff(first=0.002, longest=0.01)),
    stand_still=Backoff(first=0.002, longest=0.01),
)


class Desk:
    """Takes at once, and lets the test say when each outcome is durable."""

    def __init__(self, count, key=""):
        self.source = MemorySource(
            "m",
            [
                Record(source="m", position=str(at), kind="r", body=b"", key=key)
                for at in range(count)
            ],
        )
        self.taken = []
        self.stop = asyncio.Event()
        self.bridge = Bridge({"m": self.source}, {"m": self.take}, limits=QUICK)

    async def take(self, delivery):
        future = asyncio.get_running_loop().create_future()
        self.taken.append((delivery, future))
        return Taken(DONE, future)

    async def until(self, condition):
        async with asyncio.timeout(60):
            while not condition():
                await asyncio.sleep(0.001)


@pytest.fixture
async def desk():
    running = []

    def start(*arguments):
        desk = Desk(*arguments)
        running.append((desk, asyncio.create_task(desk.bridge.run(desk.stop))))
        return desk

    yield start
    for one, task in running:
        one.stop.set()
        async with asyncio.timeout(60):
            await task


async def test_who_is_quick_has_more_in_hand_and_never_more_than_the_bound(desk):
    desk = desk(40_000)
    most = 0

    def many_in_hand():
        nonlocal most
        for _, durable in desk.taken:
            durable.set_result(True)
        desk.taken.clear()
        most = max(most, desk.bridge.status().sources["m"].in_flight)
        return most > 512

    await desk.until(many_in_hand)
    await desk.until(lambda: many_in_hand() and desk.source.done == 40_000)
    assert 512 < most <= QUICK.in_flight


async def test_many_are_taken_and_none_is_settled_before_it_is_durable(desk):
    desk = desk(600)
    await desk.until(lambda: len(desk.taken) == 512)
    assert desk.source.done == 0
    for _, durable in desk.taken[:300]:
        durable.set_result(True)
    await desk.until(lambda: desk.source.done == 300)
    await desk.until(lambda: len(desk.taken) == 600)
    for _, durable in desk.taken[300:]:
        durable.set_result(True)
    await desk.until(lambda: desk.source.done == 600)


async def test_the_next_of_a_key_is_taken_when_the_one_before_is_durable(desk):
    desk = desk(3, "one key")
    for at in range(3):
        await desk.until(lambda at=at: len(desk.taken) == at + 1)
        delivery, durable = desk.taken[at]
        assert delivery.record.position == str(at)
        assert desk.source.done == at
        durable.set_result(True)
    await desk.until(lambda: desk.source.done == 3)


@pytest.mark.parametrize("error", [StoreUnavailable("locked"), ZeroDivisionError(), None])
async def test_what_did_not_become_durable_comes_again(desk, error):
    desk = desk(1)
    await desk.until(lambda: len(desk.taken) == 1)
    durable = desk.taken[0][1]
    durable.cancel() if error is None else durable.set_exception(error)
    await desk.until(lambda: len(desk.taken) == 2)
    delivery, durable = desk.taken[1]
    # What the store could not take stays in hand; all else goes back to its source.
    assert delivery.attempt == (1 if isinstance(error, StoreUnavailable) else 2)
    assert not delivery.fresh
    durable.set_result(True)
    await desk.until(lambda: desk.source.done == 1)
    assert desk.source.dead == []


async def test_an_outcome_that_is_durable_after_the_drain_settles_nothing(desk):
    desk = desk(1)
    await desk.until(lambda: len(desk.taken) == 1)
    desk.stop.set()
    await desk.until(lambda: desk.bridge.status().sources["m"].state == "stopped")
    desk.taken[0][1].set_result(True)
    for _ in range(5):
        await asyncio.sleep(0)
    assert desk.source.done == 0
    await desk.source.open()
    (again,) = await desk.source.receive(5, 0.0)
    assert again.attempt == 2
