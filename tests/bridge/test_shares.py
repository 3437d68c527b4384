"""Sources beside each other, and what is new beside history: nobody starves anybody."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

import pytest

from stranglerfig.bridge import Bridge, Gate, Limits
from stranglerfig.bridge.gate import for_history
from stranglerfig.bridge.relay import Relay
from stranglerfig.errors import FigError
from stranglerfig.model import Delivery, Record, Settlement

DONE = Settlement(outcome="done")


class Backlog:
    """A source that hands out what is new before history, as a capture table does."""

    def __init__(self, name: str, history: int = 0) -> None:
        self.name = name
        self.new: deque[Record] = deque()
        self.history = deque(self.record(f"old {at}") for at in range(history))
        self.done = 0
        self.most = 0

    def record(self, position: str) -> Record:
        return Record(source=self.name, position=position, kind="row", body=b"")

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def receive(self, limit: int, timeout: float) -> Sequence[Delivery]:  # noqa: ARG002
        if not self.new and not self.history:
            await asyncio.sleep(0.001)
        assert limit > 0
        self.most = max(self.most, limit)
        given = []
        while len(given) < limit and (self.new or self.history):
            old = not self.new
            record = (self.history if old else self.new).popleft()
            given.append(Delivery(record=record, settle=self.settle, backfill=old))
        return given

    async def settle(self, settlement: Settlement) -> None:
        assert settlement.outcome == "done"
        self.done += 1


class Watched:
    """Runs a bridge, and notes in which order deliveries are begun."""

    def __init__(self, sources, work, **options) -> None:
        self.begun: list[str] = []
        self.stop = asyncio.Event()

        async def take(delivery: Delivery) -> Settlement:
            self.begun.append(f"{delivery.record.source}: {delivery.record.position}")
            await work(delivery)
            return DONE

        named = {source.name: source for source in sources}
        options.setdefault("limits", Limits(in_flight=64, at_once=32, wait=0.01, drain=0.05))
        self.bridge = Bridge(named, dict.fromkeys(named, take), **options)

    async def __aenter__(self):
        self.task = asyncio.create_task(self.bridge.run(self.stop))
        return self

    async def __aexit__(self, *_):
        self.stop.set()
        async with asyncio.timeout(60):
            await self.task


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0)


async def nothing(_):
    pass


async def short(_):
    await asyncio.sleep(0.001)


@pytest.mark.parametrize("work", [nothing, short])
async def test_one_new_delivery_is_not_behind_100_000_of_history(work):
    source = Backlog("m", history=100_000)
    async with Watched([source], work) as watched:
        await until(lambda: len(watched.begun) > 500)
        at = len(watched.begun)
        source.new.append(source.record("new"))
        await until(lambda: "m: new" in watched.begun)
        overtaken = watched.begun.index("m: new") - at
        # What was in hand already may be begun first, and no more than that.
        assert overtaken <= 2 * 64
        assert len(source.history) > 50_000


async def test_new_deliveries_find_a_place_while_history_takes_long():
    source, gate = Backlog("m", history=1_000), asyncio.Event()

    async def work(delivery):
        if delivery.backfill:
            await gate.wait()

    async with Watched([source], work, limits=Limits(in_flight=64, at_once=16, drain=0.05)) as it:
        await until(lambda: len(it.begun) == for_history(16))
        await until(lambda: it.bridge.status().sources["m"].in_flight == 64)
        gate.set()
        await until(lambda: len(it.begun) > 200)
        gate.clear()
        await until(lambda: it.bridge.status().sources["m"].in_flight == 64)
    # All of its places are never history's.
    assert for_history(16) == 14
    assert for_history(1) == 1


async def test_history_is_not_starved_by_new_deliveries_without_end():
    source = Backlog("m", history=50)
    source.new.extend(source.record(f"new {at}") for at in range(10))
    first_old = Delivery(record=source.history[0], settle=source.settle, backfill=True)

    async def work(delivery):
        source.new.append(source.record("and one more"))  # so that there is always one

    async with Watched([source], work) as watched:
        # It is in hand, and something new always is as well.
        await until(lambda: len(watched.begun) > 100)
        hand = watched.bridge._lanes["m"]._hand
        hand.begin([first_old])
        at = len(watched.begun)
        await until(lambda: "m: old 0" in watched.begun)
        assert watched.begun.index("m: old 0") - at <= 64


async def test_of_history_and_new_in_a_relay_every_ninth_is_history():
    begun = []

    async def work(item):
        begun.append(item)

    relay = Relay(work, 4)
    for at in range(40):
        relay.put(("old", at), history=True)
    for at in range(40):
        relay.put(("new", at))
    await until(lambda: len(begun) == 80)
    kinds = [kind for kind, _ in begun[:45]]
    assert kinds == (["new"] * 8 + ["old"]) * 5
    assert [at for kind, at in begun if kind == "old"] == list(range(40))


async def test_sources_with_work_that_never_waits_take_turns_by_their_share():
    """The loop is what they compete for; each has its spells of it."""
    rich, poor = Backlog("rich"), Backlog("poor")
    for source in (rich, poor):
        source.new.extend(source.record(str(at)) for at in range(20_000))
    limits = {
        "rich": Limits(in_flight=4_000, share=4, wait=0.01, drain=0.05),
        "poor": Limits(in_flight=4_000, share=1, wait=0.01, drain=0.05),
    }

    async def work(_: Delivery) -> None:
        sum(range(1_000))

    gate = Gate(1_000)
    gates = {"rich": (gate,), "poor": (gate,)}
    async with Watched([rich, poor], work, limits=limits, gates=gates) as watched:
        await until(lambda: len(watched.begun) >= 15_000)
        ours = sum(one.startswith("rich") for one in watched.begun[5_000:15_000])
    assert ours > 6_000


async def test_a_scarce_place_goes_to_the_source_that_has_the_fewest_for_its_share():
    gate = Gate(12)
    rich, poor = Backlog("rich"), Backlog("poor")
    for source in (rich, poor):
        source.new.extend(source.record(str(at)) for at in range(5_000))
    busy = {"rich": 0, "poor": 0}
    seen = []

    async def work(delivery):
        name = delivery.record.source
        busy[name] += 1
        assert sum(busy.values()) <= 12
        seen.append(dict(busy))
        await asyncio.sleep(0.01)
        busy[name] -= 1

    limits = {"rich": Limits(share=3, wait=0.01), "poor": Limits(share=1, wait=0.01)}
    gates = {"rich": (gate,), "poor": (gate,)}
    async with Watched([rich, poor], work, limits=limits, gates=gates):
        await until(lambda: len(seen) > 360)
        # Only what was seen while the places were scarce, and both had something to do.
        late = [one for one in seen[60:] if sum(one.values()) == 12]
    assert len(late) > 20
    rich_had, poor_had = (sum(one[name] for one in late) for name in ("rich", "poor"))
    assert rich_had > 2.5 * poor_had > 0
    assert {one["poor"] for one in late} == {3}
    assert gate.busy == 0


async def test_a_slow_source_does_not_hold_up_a_quick_one():
    gate, slow, quick = Gate(4), Backlog("slow"), Backlog("quick")
    slow.new.extend(slow.record(str(at)) for at in range(1_000))

    async def work(delivery):
        if delivery.record.source == "slow":
            await asyncio.sleep(0.02)

    gates = {"slow": (gate,), "quick": (gate,)}
    async with Watched([slow, quick], work, gates=gates) as watched:
        await until(lambda: gate.busy == 4)
        quick.new.extend(quick.record(str(at)) for at in range(500))
        await until(lambda: quick.done == 500)
        assert sum(one.startswith("slow") for one in watched.begun) < 100


async def test_an_endpoints_bound_holds_across_the_sources_that_feed_it():
    shared, whole = Gate(3), Gate(100)
    sources = [Backlog(name) for name in ("a", "b", "c")]
    for source in sources:
        source.new.extend(source.record(str(at)) for at in range(60))
    busy = most = other = 0

    async def work(delivery):
        nonlocal busy, most, other
        if delivery.record.source == "c":
            other += 1
            return
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(0.001)
        busy -= 1

    gates = {"a": (whole, shared), "b": (whole, shared), "c": (whole,)}
    async with Watched(sources, work, gates=gates):
        await until(lambda: all(source.done == 60 for source in sources))
    assert (most, other) == (3, 60)
    assert (shared.busy, whole.busy, whole.history) == (0, 0, 0)


async def test_places_come_back_whatever_ends_the_work():
    gate = Gate(8)
    source = Backlog("m", history=40)
    calls = 0

    async def work(delivery):
        nonlocal calls
        calls += 1
        if calls % 3 == 0:
            raise FigError("no")
        if calls % 3 == 1:
            await asyncio.Event().wait()

    stop = asyncio.Event()
    bridge = Bridge(
        {"m": source},
        {"m": work},
        limits=Limits(in_flight=8, at_once=8, wait=0.01, drain=0.01),
        gates={"m": (gate,)},
    )
    source.settle = _ignored  # type: ignore[method-assign]
    task = asyncio.create_task(bridge.run(stop))
    await until(lambda: calls >= 6)
    stop.set()
    async with asyncio.timeout(60):
        await task
    assert (gate.busy, gate.history) == (0, 0)


async def _ignored(_: Settlement) -> None: ...
