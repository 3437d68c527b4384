"""Outages: of the store, of the replacement, of a source's shape. They cost no delivery anything."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable

import pytest

from stranglerfig.adapters.memory import MemorySource
from stranglerfig.bridge import Backoff, Bridge, Limits, Retries
from stranglerfig.errors import (
    CircuitOpen,
    DeadlineExceeded,
    InputError,
    LegacyError,
    ReplacementError,
    ReplacementUnavailable,
    SchemaDrift,
    StoreUnavailable,
)
from stranglerfig.model import Delivery, Lag, Record, Settlement
from stranglerfig.telemetry import Counters

DONE = Settlement(outcome="done")
LIMITS = Limits(
    in_flight=64,
    at_once=16,
    wait=0.01,
    drain=5.0,
    retries=Retries(attempts=3, backoff=Backoff(first=0.001, longest=0.002)),
    stand_still=Backoff(first=0.001, longest=0.004),
)


def records(count: int, key: Callable[[int], str] = lambda _: "") -> list[Record]:
    return [
        Record(source="m", position=f"p{at}", kind="row", body=b"", key=key(at))
        for at in range(count)
    ]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.001)


class Desk:
    """A bridge over one source, and what its ``take`` is to do."""

    def __init__(self, source: MemorySource, work, **options) -> None:
        self.source = source
        self.attempts: Counter[str] = Counter()
        self.buried: list[tuple[str, str]] = []
        self.stop = asyncio.Event()

        async def take(delivery: Delivery) -> Settlement:
            self.attempts[delivery.record.position] = delivery.attempt
            return await work(delivery) or DONE

        async def bury(delivery: Delivery, reason: str, cause=None) -> None:
            self.buried.append((delivery.record.position, reason))

        options.setdefault("limits", LIMITS)
        self.bridge = Bridge({"m": source}, {"m": take}, bury=bury, **options)

    @property
    def status(self):
        return self.bridge.status().sources["m"]

    async def __aenter__(self):
        self.task = asyncio.create_task(self.bridge.run(self.stop))
        return self

    async def __aexit__(self, *_):
        self.stop.set()
        async with asyncio.timeout(60):
            await self.task


@pytest.mark.parametrize(
    "error",
    [
        ReplacementUnavailable("no worker"),
        CircuitOpen("open"),
        StoreUnavailable("disk full"),
        DeadlineExceeded("hangs"),
        ReplacementError("raises, whatever it is asked"),
        ZeroDivisionError("a bug in every one"),
    ],
)
async def test_an_outage_of_hours_buries_nothing(error):
    """The night has many more tries than any delivery has attempts."""
    source, down, asked = MemorySource("m", records(1_000)), True, 0

    async def work(_):
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        if down:
            raise error

    async with Desk(source, work) as desk:
        await until(lambda: desk.status.state == "waiting")
        await until(lambda: asked > 100)
        status = desk.status
        assert type(error).__name__ in status.trouble
        assert (status.dead, source.done, status.received <= 2 * 64) == (0, 0, True)
        assert not desk.bridge.status().ready
        assert desk.bridge.status().stuck(time.monotonic() + 1_000, 10.0) == []
        down = False
        await until(lambda: source.done == 1_000)
        assert desk.status.state == "flowing"
    assert desk.buried == []
    # But for those by which it was seen that all of them fail.
    assert sum(attempt > 1 for attempt in desk.attempts.values()) <= 16
    assert max(desk.attempts.values()) <= 3


async def test_what_refuses_its_input_meanwhile_is_dead_and_does_not_look_like_an_end():
    source, down = MemorySource("m", records(300)), True

    async def work(delivery):
        if int(delivery.record.position[1:]) % 3 == 0:
            raise InputError("cannot be read")
        if down:
            raise ReplacementUnavailable("no worker")

    async with Desk(source, work) as desk:
        await until(lambda: len(desk.buried) >= 20)
        await until(lambda: desk.status.held > 30)
        down = False
        await until(lambda: source.done == 200)
    assert {reason for _, reason in desk.buried} == {"InputError: cannot be read"}
    assert set(desk.attempts.values()) == {1}


async def test_one_that_kills_its_worker_is_given_up_and_its_neighbours_flow():
    """Whoever is with it in the worker fails as it does: it is found by being tried alone."""
    source, busy, deaths = MemorySource("m", records(200)), set(), 0

    async def work(delivery):
        nonlocal deaths
        died = asyncio.Event() if not busy else next(iter(busy))[1]
        me = (delivery.record.position, died)
        busy.add(me)
        try:
            if delivery.record.position == "p50":
                await asyncio.sleep(0)
                deaths += 1
                died.set()
            elif not died.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(died.wait(), 0.003)
            if died.is_set():
                raise ReplacementUnavailable("its worker has just ended")
        finally:
            busy.discard(me)

    async with Desk(source, work) as desk:
        await until(lambda: source.done == 199 and len(desk.buried) == 1)
    assert desk.buried[0][0] == "p50"
    assert "gave up after 3 attempts: ReplacementUnavailable" in desk.buried[0][1]
    assert {at: n for at, n in desk.attempts.items() if n > 1} == {"p50": 3}
    assert deaths < 40


async def test_one_that_always_fails_among_others_is_dead_after_its_attempts():
    source = MemorySource("m", records(300))

    async def work(delivery):
        await asyncio.sleep(0)
        if delivery.record.position == "p7":
            raise ReplacementError("not this one")

    async with Desk(source, work) as desk:
        await until(lambda: source.done == 299 and len(desk.buried) == 1)
    assert desk.buried == [("p7", "gave up after 3 attempts: ReplacementError: not this one")]


async def test_order_holds_through_an_outage():
    source, down, done = MemorySource("m", records(200, lambda at: str(at % 7))), True, []

    async def work(delivery):
        await asyncio.sleep(0)
        if down:
            raise ReplacementUnavailable("no worker")
        done.append((delivery.record.key, int(delivery.record.position[1:])))

    async with Desk(source, work) as desk:
        await until(lambda: desk.status.held == 7)
        down = False
        await until(lambda: source.done == 200)
    assert len(done) == 200
    for key in map(str, range(7)):
        of_key = [at for one, at in done if one == key]
        assert of_key == sorted(of_key)


class Watched(MemorySource):
    """Counts how often it is asked, and says what waits in it."""

    asked = 0

    async def receive(self, limit, timeout):
        self.asked += 1
        return await super().receive(limit, timeout)

    async def lag(self):
        return Lag(pending=7, oldest=3.5)


async def test_while_the_store_is_lost_nothing_is_asked_for_begun_or_settled():
    source, there = Watched("m", records(500)), True
    begun = 0

    async def work(_):
        nonlocal begun
        begun += 1
        if not there:
            raise StoreUnavailable("locked")
        if begun == 100:
            await until(lambda: not there)
            raise StoreUnavailable("locked")

    async with Desk(source, work, writable=lambda: there) as desk:
        await until(lambda: begun >= 100)
        there = False
        await until(lambda: desk.status.held > 0)
        await until(lambda: desk.status.state == "waiting")
        assert "waiting for the store" in desk.status.trouble
        asked, begun_then, done = source.asked, begun, source.done
        await asyncio.sleep(0.2)
        assert (source.asked, begun, source.done) == (asked, begun_then, done)
        there = True
        await until(lambda: source.done == 500)
        assert desk.status.state == "flowing"
    assert desk.buried == []
    assert set(desk.attempts.values()) == {1}


async def test_a_stop_in_an_outage_waits_for_nothing_and_gives_all_back():
    source = MemorySource("m", records(100))

    async def work(_):
        raise ReplacementUnavailable("no worker")

    begun = time.monotonic()
    async with Desk(source, work) as desk:
        await until(lambda: desk.status.held > 10)
    assert time.monotonic() - begun < 4, "the drain time is for what can end"
    assert source.done == 0
    await source.open()
    assert len(await source.receive(1_000, 0.0)) == 100


async def test_a_taken_one_whose_source_says_fresh_is_not_fresh_when_it_is_taken_again():
    fresh = []

    class Fresh(MemorySource):
        async def receive(self, limit, timeout):
            given = await super().receive(limit, timeout)
            return [
                Delivery(record=one.record, settle=one.settle, attempt=one.attempt, fresh=True)
                for one in given
            ]

    source = Fresh("m", records(1))

    async def work(delivery):
        fresh.append(delivery.fresh)
        if len(fresh) == 1:
            raise StoreUnavailable("in doubt")

    async with Desk(source, work):
        await until(lambda: source.done == 1)
    assert fresh == [True, False]


async def test_a_source_of_another_shape_pauses_is_told_once_and_flows_again(monkeypatch):
    monkeypatch.setattr("stranglerfig.bridge.lane._DRIFT_SECONDS", 0.002)
    source, opened = MemorySource("m", records(20)), 0
    drifted, was_opened = True, source.open

    async def open_() -> None:
        nonlocal opened
        opened += 1
        await was_opened()
        if drifted:
            raise SchemaDrift("column 'amount' is gone", place="claims")

    async def work(_): ...

    source.open = open_  # type: ignore[method-assign]
    async with Desk(source, work) as desk:
        await until(lambda: opened > 5)
        assert desk.status.state == "paused"
        assert desk.status.trouble == "SchemaDrift: claims: column 'amount' is gone"
        drifted = False
        await until(lambda: source.done == 20)
        assert desk.status.state == "flowing"


@pytest.mark.parametrize("park", [False, True])
async def test_a_retry_of_one_key_leaves_the_others_alone(park):
    retries = Retries(attempts=50, backoff=Backoff(first=0.02, longest=0.02), park=park)
    source, settled = MemorySource("m", records(40, lambda at: str(at % 4))), []
    down = True

    async def work(delivery):
        if delivery.record.key == "0" and down:
            raise ReplacementError("not now")

    limits = Limits(in_flight=64, at_once=16, wait=0.01, retries=retries)
    async with Desk(source, work, limits=limits) as desk:
        await until(lambda: source.done == 30)
        await until(lambda: desk.status.retried > 2)
        assert desk.status.parked == (desk.status.retried if park else 0)
        down = False
        await until(lambda: source.done == 40)
    assert settled == []


@pytest.mark.parametrize("blocks", [False, True])
async def test_what_is_dead_blocks_its_key_where_the_source_wants_it(blocks):
    heard = []

    class Ear(MemorySource):
        async def receive(self, limit, timeout):
            given = await super().receive(limit, timeout)
            return [Delivery(record=one.record, settle=self._settle_of(one)) for one in given]

        def _settle_of(self, one):
            async def settle(settlement):
                heard.append(settlement)
                await one.settle(settlement)

            return settle

    source = Ear("m", records(3))

    async def work(delivery):
        if delivery.record.position == "p1":
            raise InputError("cannot be read")
        if delivery.record.position == "p2":
            return Settlement(outcome="dead", reason="its endpoint says so")
        return DONE

    retries = Retries(attempts=3, blocks=blocks)
    async with Desk(source, work, limits=Limits(wait=0.01, retries=retries)):
        await until(lambda: len(heard) == 3)
    assert {one.blocks for one in heard if one.outcome == "dead"} == {blocks}
    assert {one.blocks for one in heard if one.outcome == "done"} == {False}


async def test_the_status_tells_the_rate_the_lag_and_the_last_progress():
    source, counters = Watched("m", records(500)), Counters()

    async def work(_): ...

    async with Desk(source, work, counters=counters) as desk:
        before = desk.status.progress
        await until(lambda: source.done == 500)
        await until(lambda: desk.status.lag is not None)
        status = desk.status
        assert status.lag == Lag(pending=7, oldest=3.5)
        assert status.per_second_10 == pytest.approx(status.per_second_60, rel=0.5)
        assert status.per_second_10 > 10
        assert before < status.progress <= time.monotonic()
    assert counters.snapshot()["deliveries", "m", "done"] == 500


async def test_what_is_in_hand_and_does_not_move_is_stuck():
    source = MemorySource("m", records(1))

    async def work(_):
        await asyncio.Event().wait()

    limits = Limits(wait=0.01, drain=0.01)
    async with Desk(source, work, limits=limits) as desk:
        await until(lambda: desk.status.in_flight == 1)
        now = time.monotonic()
        assert desk.bridge.status().stuck(now, 120.0) == []
        await until(lambda: desk.status.oldest > 0.02)
        assert desk.bridge.status().stuck(now + 121.0, 0.02) == ["m"]


async def test_what_waits_is_asked_for_while_a_source_stands_still(monkeypatch):
    monkeypatch.setattr("stranglerfig.bridge.lane._SAMPLE_SECONDS", 0.001)
    source = Watched("m", [])

    async def open_() -> None:
        raise LegacyError("a trigger is gone")

    async def work(_): ...

    source.open = open_  # type: ignore[method-assign]
    async with Desk(source, work) as desk:
        await until(lambda: desk.status.lag is not None)
        assert desk.status.state == "broken"
