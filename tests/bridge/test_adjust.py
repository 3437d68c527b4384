"""Other bounds for a source that flows: kept to from then on, and nothing is drained for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from stranglerfig.adapters.memory import MemorySource
from stranglerfig.bridge import Backoff, Bridge, Gate, Limits, Retries
from stranglerfig.errors import FigError, StoreUnavailable
from stranglerfig.model import Delivery, Record, Settlement

DONE = Settlement(outcome="done")
QUICK = Backoff(first=0.001, longest=0.002)


def limits(**given) -> Limits:
    given = {"retries": Retries(attempts=16, backoff=QUICK), "stand_still": QUICK} | given
    return Limits(wait=0.01, drain=5.0, **given)


def records(count: int) -> list[Record]:
    return [Record(source="m", position=f"p{at}", kind="row", body=b"") for at in range(count)]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)


class Desk:
    """A bridge over one source whose ``take`` waits for ``go``; counts what is begun at once."""

    def __init__(self, count: int, first: Limits, **options) -> None:
        self.source = MemorySource("m", records(count))
        self.go, self.stop = asyncio.Event(), asyncio.Event()
        self.error: FigError | None = None
        self.busy = self.most = 0
        self.buried: list[str] = []
        options.setdefault("bury", self.bury)
        self.bridge = Bridge({"m": self.source}, {"m": self.take}, limits=first, **options)

    async def take(self, _: Delivery) -> Settlement:
        if self.error is not None:
            raise self.error
        self.busy += 1
        self.most = max(self.most, self.busy)
        try:
            await self.go.wait()
            await asyncio.sleep(0)
        finally:
            self.busy -= 1
        return DONE

    async def bury(self, _: Delivery, reason: str, __: BaseException | None = None) -> None:
        self.buried.append(reason)

    @property
    def status(self):
        return self.bridge.status().sources["m"]

    async def __aenter__(self):
        self.task = asyncio.create_task(self.bridge.run(self.stop))
        return self

    async def __aexit__(self, *_):
        self.go.set()
        self.stop.set()
        async with asyncio.timeout(10):
            await self.task


async def test_more_at_once_begins_more_of_what_is_in_hand():
    async with Desk(40, limits(at_once=2, in_flight=20)) as desk:
        await until(lambda: (desk.busy, desk.status.in_flight) == (2, 20))
        desk.bridge.adjust({"m": limits(at_once=7, in_flight=30)})
        await until(lambda: (desk.busy, desk.status.in_flight) == (7, 30))
        assert desk.status.received == 30, "nothing was given back, or came twice"
        desk.go.set()
        await until(lambda: desk.source.done == 40)
    assert desk.most == 7


async def test_less_at_once_lets_what_is_begun_go_on_and_begins_no_more():
    async with Desk(200, limits(at_once=9, in_flight=50)) as desk:
        await until(lambda: (desk.busy, desk.status.in_flight) == (9, 50))
        desk.bridge.adjust({"m": limits(at_once=2, in_flight=4)})
        for _ in range(50):
            await asyncio.sleep(0)
        assert (desk.busy, desk.status.received) == (9, 50)
        desk.go.set()
        await until(lambda: desk.source.done >= 60)
        desk.go.clear()
        await until(lambda: desk.busy == 2)
        desk.most = 0
        desk.go.set()
        await until(lambda: desk.source.done == 200)
    assert 1 <= desk.most <= 2
    assert desk.status.received == 200


async def test_other_retries_hold_for_what_is_in_hand():
    async with Desk(3, limits(retries=Retries(attempts=10_000, backoff=QUICK))) as desk:
        desk.error = FigError("refused")
        await until(lambda: desk.status.retried > 30)
        assert desk.buried == []
        desk.bridge.adjust({"m": limits(retries=Retries(attempts=5, backoff=QUICK))})
        await until(lambda: len(desk.buried) == 3)
        await until(lambda: desk.status.in_flight == 0)
    assert [reason for _, reason in desk.source.dead] == desk.buried


@pytest.mark.parametrize("most", [1, 3, 40])
async def test_what_stands_still_comes_up_to_the_new_bounds(most):
    async with Desk(100, limits(at_once=8, in_flight=64)) as desk:
        desk.error = StoreUnavailable("gone")
        await until(lambda: desk.status.state == "waiting")
        desk.bridge.adjust({"m": limits(at_once=most, in_flight=64)})
        for _ in range(20):
            await asyncio.sleep(0)
        assert desk.status.state == "waiting", "other bounds end no outage"
        desk.error = None
        desk.go.set()
        await until(lambda: desk.source.done > 60)
        desk.go.clear()
        await until(lambda: desk.status.received == 100)
        await until(lambda: desk.busy == min(most, desk.status.in_flight))
        desk.go.set()
        await until(lambda: desk.source.done == 100)
    assert desk.most <= most
    assert desk.buried == []


async def test_one_at_once_stays_one_after_an_outage():
    async with Desk(100, limits(at_once=1)) as desk:
        desk.error = StoreUnavailable("gone")
        await until(lambda: desk.status.state == "waiting")
        desk.error = None
        desk.go.set()
        await until(lambda: desk.source.done == 100)
    assert desk.most == 1


async def test_another_share_is_seen_by_those_who_share():
    gate = Gate(8)
    other = Desk(1, limits(share=2), gates={"m": (gate,)})
    async with Desk(1, limits(share=1), gates={"m": (gate,)}) as desk:
        assert gate.largest_share == 2
        desk.bridge.adjust({"m": limits(share=5)})
        assert gate.largest_share == 5
        desk.bridge.adjust({"m": limits(share=1)})
        assert gate.largest_share == 2
    assert other.busy == 0
