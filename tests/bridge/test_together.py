"""Deliveries whose outcomes become durable together, and that are settled together."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from stranglerfig.adapters.memory import MemorySource
from stranglerfig.bridge import Backoff, Bridge, Limits, Retries
from stranglerfig.errors import Conflict, LegacyError
from stranglerfig.model import Record, Settlement
from stranglerfig.routing.bundle import Bundle, Share
from stranglerfig.routing.taken import Taken

DONE = Settlement(outcome="done")
QUICK = Limits(
    wait=0.02,
    drain=0.1,
    retries=Retries(attempts=3, backoff=Backoff(first=0.002, longest=0.01)),
    stand_still=Backoff(first=0.002, longest=0.01),
)


class Together(MemorySource):
    """A source that notes how many it settles at once, and fails or waits as it is told."""

    def __init__(self, records):
        super().__init__("m", records)
        self.at_once = []
        self.fails = []
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def settle_all(self, ends):
        self.at_once.append(len(ends))
        await self.goes_on.wait()
        if self.fails:
            raise self.fails.pop()
        return await super().settle_all(ends)


class Desk:
    """Takes all that is in hand into one bundle, which the test makes durable."""

    def __init__(self, keys):
        records = [
            Record(source="m", position=str(at), kind="r", body=b"", key=key)
            for at, key in enumerate(keys)
        ]
        self.source = Together(records)
        self.taken = []
        self.bundle = None
        self.stop = asyncio.Event()
        self.bridge = Bridge({"m": self.source}, {"m": self.take}, limits=QUICK)

    async def take(self, delivery):
        if self.bundle is None:
            self.bundle = Bundle(asyncio.get_running_loop().create_future())
        self.bundle.contents.append(delivery)
        self.taken.append(delivery.record.position)
        return Taken(DONE, Share(self.bundle, len(self.bundle.contents) - 1))

    def durable(self, *outcomes):
        bundle, self.bundle = self.bundle, None
        bundle.outcomes.set_result(list(outcomes) or [True] * len(bundle.contents))

    async def until(self, condition):
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.001)


@pytest.fixture
async def desk():
    running = []

    def start(*keys):
        desk = Desk(keys)
        running.append((desk, asyncio.create_task(desk.bridge.run(desk.stop))))
        return desk

    yield start
    for one, task in running:
        one.stop.set()
        async with asyncio.timeout(10):
            await task


async def test_none_is_settled_before_all_of_its_bundle_are_durable(desk):
    desk = desk(*"abcde")
    await desk.until(lambda: len(desk.taken) == 5)
    assert desk.source.done == 0
    desk.durable()
    await desk.until(lambda: desk.source.done == 5)
    assert desk.source.at_once == [5]
    assert desk.bridge.status().sources["m"].done == 5


async def test_the_next_of_a_key_follows_one_that_was_settled_with_others(desk):
    desk = desk(*"aab")
    await desk.until(lambda: len(desk.taken) == 2)
    assert desk.taken == ["0", "2"]
    desk.durable()
    await desk.until(lambda: desk.taken == ["0", "2", "1"])
    desk.durable()
    await desk.until(lambda: desk.source.done == 3)


async def test_one_that_is_refused_fails_alone(desk):
    desk = desk(*"abc")
    await desk.until(lambda: len(desk.taken) == 3)
    desk.durable(True, Conflict("came with other bytes"), False)
    await desk.until(lambda: desk.source.done == 2)
    await desk.until(lambda: [one.position for one, _ in desk.source.dead] == ["1"])


async def test_a_bundle_that_was_not_written_comes_again_whole(desk):
    desk = desk(*"abc")
    await desk.until(lambda: len(desk.taken) == 3)
    desk.bundle.outcomes.set_exception(ZeroDivisionError())
    desk.bundle = None
    await desk.until(lambda: len(desk.taken) == 6)
    desk.durable()
    await desk.until(lambda: desk.source.done == 3)


async def test_what_its_source_cannot_be_told_of_is_no_longer_in_hand(desk):
    desk = desk(*"ab")
    desk.source.fails.append(LegacyError("gone"))
    await desk.until(lambda: len(desk.taken) == 2)
    desk.durable()
    status = lambda: desk.bridge.status().sources["m"]  # noqa: E731
    await desk.until(lambda: status().unsettled == 2)
    assert status().in_flight == 0
    assert desk.source.done == 0


async def test_what_is_being_settled_at_the_end_is_waited_for_and_then_cut_off(desk):
    desk = desk(*"ab")
    desk.source.goes_on.clear()
    await desk.until(lambda: len(desk.taken) == 2)
    desk.durable()
    await desk.until(lambda: desk.source.at_once == [2])
    desk.stop.set()
    await desk.until(lambda: desk.bridge.status().sources["m"].state == "stopped")
    assert desk.source.done == 0
    await desk.source.open()
    again = await desk.source.receive(5, 0.0)
    assert [one.attempt for one in again] == [2, 2]


async def test_who_stands_around_a_settlement_is_called_for_each():
    source = MemorySource("m", [Record(source="m", position="1", kind="r", body=b"")])
    await source.open()
    (delivery,) = await source.receive(1, 0.0)
    seen = []

    async def around(settlement):
        seen.append(settlement.outcome)
        await delivery.settle(settlement)

    wrapped = msgspec.structs.replace(delivery, settle=around)
    assert await source.settle_all([(wrapped, DONE)]) == [None]
    assert (seen, source.done) == (["done"], 1)
