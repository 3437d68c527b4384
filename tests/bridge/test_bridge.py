"""The bridge on sources in memory: what it settles, when, in what order, and how it fails."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from stranglerfig.adapters.memory import MemorySource
from stranglerfig.bridge import Backoff, Bridge, Limits, Retries
from stranglerfig.errors import (
    ConfigError,
    FigError,
    InputError,
    LegacyUnavailable,
    StoreError,
    StoreUnavailable,
)
from stranglerfig.model import Delivery, Record, Settlement
from stranglerfig.telemetry import Counters, log

DONE = Settlement(outcome="done")
QUICK = Limits(
    wait=0.02,
    drain=5.0,
    retries=Retries(attempts=3, backoff=Backoff(first=0.002, longest=0.01)),
    reopen=Backoff(first=0.002, longest=0.01),
    stand_still=Backoff(first=0.002, longest=0.01),
)


def limits(**changed: object) -> Limits:
    fields = {name: getattr(QUICK, name) for name in QUICK.__struct_fields__}
    return Limits(**{**fields, **changed})  # type: ignore[arg-type]


def records(count: int, key: Callable[[int], str] = lambda _: "") -> list[Record]:
    return [
        Record(source="m", position=f"p{at}", kind="row", body=b"", key=key(at))
        for at in range(count)
    ]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.002)


@contextlib.asynccontextmanager
async def running(bridge: Bridge):
    stop = asyncio.Event()
    task = asyncio.create_task(bridge.run(stop))
    try:
        yield stop
    finally:
        stop.set()
        async with asyncio.timeout(60):
            await task


@pytest.fixture
def warnings_logged():
    said: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda line: said.append(line.getMessage())  # type: ignore[method-assign]
    log.addHandler(handler)
    yield said
    log.removeHandler(handler)


async def test_everything_is_brought_to_its_end_and_counted():
    first, second = MemorySource("a", records(500)), MemorySource("b", records(300, str))
    taken: Counter[str] = Counter()

    def take(name):
        async def take(_: Delivery) -> Settlement:
            taken[name] += 1
            await asyncio.sleep(0)
            return DONE

        return take

    counters = Counters()
    sources = {"a": first, "b": second}
    takes = {"a": take("a"), "b": take("b")}
    bridge = Bridge(sources, takes, limits=QUICK, counters=counters)
    assert [source.state for source in bridge.status().sources.values()] == ["starting"] * 2
    async with running(bridge):
        await until(lambda: first.done + second.done == 800)
        assert bridge.status().ready
    assert taken == {"a": 500, "b": 300}
    status = bridge.status().sources["a"]
    assert (status.received, status.done, status.in_flight) == (500, 500, 0)
    assert status.state == "stopped"
    assert counters.snapshot()["deliveries", "b", "done"] == 300


async def test_nothing_is_settled_before_take_returned():
    source = MemorySource("m", records(3))
    gate = asyncio.Event()

    async def take(_: Delivery) -> Settlement:
        await gate.wait()
        return DONE

    bridge = Bridge({"m": source}, {"m": take}, limits=QUICK)
    async with running(bridge):
        await until(lambda: bridge.status().sources["m"].in_flight == 3)
        await asyncio.sleep(0.05)
        status = bridge.status().sources["m"]
        assert (source.done, status.in_flight) == (0, 3)
        assert status.oldest >= 0.04
        gate.set()
        await until(lambda: source.done == 3)


async def test_refused_input_is_buried_first_and_then_dead():
    source = MemorySource("m", records(1))
    buried = []

    async def take(_: Delivery) -> Settlement:
        raise InputError("cannot be read", place="row 1")

    async def bury(delivery: Delivery, reason: str, cause: BaseException | None = None) -> None:
        assert source.dead == []
        buried.append((delivery.record.position, reason, type(cause)))

    async with running(Bridge({"m": source}, {"m": take}, limits=QUICK, bury=bury)):
        await until(lambda: bool(source.dead))
    assert buried == [("p0", "InputError: row 1: cannot be read", InputError)]
    assert source.dead[0][1] == "InputError: row 1: cannot be read"


@pytest.mark.parametrize("fault", [StoreUnavailable("full"), StoreError("no"), OSError("bug")])
async def test_what_cannot_be_buried_is_not_given_up(fault):
    source = MemorySource("m", records(1))
    trouble = [fault] * 6

    async def take(_: Delivery) -> Settlement:
        raise InputError("cannot be read")

    async def bury(*_: object) -> None:
        if trouble:
            raise trouble.pop()

    bridge = Bridge({"m": source}, {"m": take}, limits=QUICK, bury=bury)
    async with running(bridge):
        await until(lambda: bool(source.dead))
    assert trouble == []
    held = isinstance(fault, StoreUnavailable)
    assert bridge.status().sources["m"].retried == (0 if held else 6)


async def test_other_errors_are_tried_again_and_then_given_up():
    source = MemorySource("m", records(2, lambda _: "one key"))
    attempts: list[tuple[str, int]] = []

    async def take(delivery: Delivery) -> Settlement:
        attempts.append((delivery.record.position, delivery.attempt))
        if delivery.record.position == "p0":
            raise LegacyUnavailable("down")
        return DONE

    bridge = Bridge({"m": source}, {"m": take}, limits=QUICK)
    async with running(bridge):
        await until(lambda: source.done == 1)
    assert attempts == [("p0", 1), ("p0", 2), ("p0", 3), ("p1", 1)]
    assert source.dead[0][1] == "gave up after 3 attempts: LegacyUnavailable: down"
    status = bridge.status().sources["m"]
    assert (status.done, status.retried, status.dead) == (1, 2, 1)


async def test_what_take_settles_is_what_the_source_hears():
    source = MemorySource("m", records(3))

    async def take(delivery: Delivery) -> Settlement:
        if delivery.record.position == "p1":
            return Settlement(outcome="dead", reason="quarantined")
        if delivery.record.position == "p2" and delivery.attempt < 5:
            return Settlement(outcome="retry", delay=0.0)
        return DONE

    many = limits(retries=Retries(attempts=5))
    async with running(Bridge({"m": source}, {"m": take}, limits=many)):
        await until(lambda: source.done == 2)
    assert [reason for _, reason in source.dead] == ["quarantined"]


@pytest.mark.parametrize("fault", [asyncio.CancelledError(), ZeroDivisionError(), None])
async def test_a_faulty_take_loses_nothing(fault):
    source = MemorySource("m", records(1))

    async def take(delivery: Delivery) -> Settlement:
        if delivery.attempt == 1:
            if fault is None:
                return None  # type: ignore[return-value]
            raise fault
        return DONE

    async with running(Bridge({"m": source}, {"m": take}, limits=QUICK)):
        await until(lambda: source.done == 1)


async def test_no_more_in_hand_than_allowed_and_none_asked_for_beyond():
    source = MemorySource("m", records(400, lambda at: str(at % 50)))
    asked: list[int] = []
    receive = source.receive
    hand = most = 0

    async def watched(limit: int, timeout: float) -> Sequence[Delivery]:
        asked.append(limit + hand)
        return await receive(limit, timeout)

    async def take(_: Delivery) -> Settlement:
        nonlocal hand, most
        hand += 1
        most = max(most, hand)
        await asyncio.sleep(0.001)
        hand -= 1
        return DONE

    source.receive = watched  # type: ignore[method-assign]
    async with running(Bridge({"m": source}, {"m": take}, limits=limits(in_flight=8))):
        await until(lambda: source.done == 400)
    assert most == 8
    assert max(asked) <= 8


class Loose:
    """A source that hands out several of one key at once, as a queue does."""

    name = "loose"

    def __init__(self, keys: str) -> None:
        self.waiting = [
            Record(source="q", position=str(at), kind="m", body=b"", key=key)
            for at, key in enumerate(keys)
        ]
        self.settled: list[tuple[str, str]] = []

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def receive(self, limit: int, timeout: float) -> Sequence[Delivery]:  # noqa: ARG002
        taken, self.waiting = self.waiting[:limit], self.waiting[limit:]
        return [self._delivery(record) for record in taken]

    def _delivery(self, record: Record) -> Delivery:
        async def settle(settlement: Settlement) -> None:
            await asyncio.sleep(0)
            self.settled.append((record.position, settlement.outcome))
            if settlement.outcome == "retry":
                self.waiting.append(record)
                self.waiting.sort(key=lambda record: int(record.position))

        return Delivery(record=record, settle=settle)


async def test_one_of_a_key_at_a_time_and_none_overtakes_a_retry():
    source = Loose("aabab" + "c" * 5)
    tried: list[str] = []
    busy: set[str] = set()

    async def take(delivery: Delivery) -> Settlement:
        key, position = delivery.record.key, delivery.record.position
        assert key not in busy
        busy.add(key)
        await asyncio.sleep(0.001)
        busy.remove(key)
        tried.append(position)
        if position == "1" and tried.count("1") < 3:
            raise LegacyUnavailable("down")
        return DONE

    bridge = Bridge({"q": source}, {"q": take}, limits=QUICK)
    async with running(bridge):
        await until(lambda: sum(outcome == "done" for _, outcome in source.settled) == 10)
        await until(lambda: bridge.status().sources["q"].in_flight == 0)
    done = [position for position, outcome in source.settled if outcome == "done"]
    for positions in (["0", "1", "3"], ["2", "4"], ["5", "6", "7", "8", "9"]):
        assert [position for position in done if position in positions] == positions
    assert tried.count("3") == 1


async def test_a_slow_key_holds_nobody_else_up():
    source = MemorySource("m", records(60, lambda at: "slow" if at % 30 == 0 else str(at)))
    gate = asyncio.Event()

    async def take(delivery: Delivery) -> Settlement:
        if delivery.record.key == "slow":
            await gate.wait()
        return DONE

    async with running(Bridge({"m": source}, {"m": take}, limits=limits(in_flight=4))):
        await until(lambda: source.done == 58)
        gate.set()
        await until(lambda: source.done == 60)


class Flaky(MemorySource):
    """Fails as it is told to."""

    def __init__(self, count: int) -> None:
        super().__init__("flaky", records(count))
        self.opened = 0
        self.faults: list[Exception | None] = []

    async def open(self) -> None:
        self.opened += 1
        await super().open()

    async def receive(self, limit: int, timeout: float) -> Sequence[Delivery]:
        if self.faults and (fault := self.faults.pop(0)) is not None:
            raise fault
        return await super().receive(min(limit, 10), timeout)


async def test_a_failing_source_is_opened_again_and_told_once(warnings_logged):
    source = Flaky(100)
    source.faults = [None, *[LegacyUnavailable("gone")] * 4, None, RuntimeError("a bug"), None]

    async def take(_: Delivery) -> Settlement:
        return DONE

    bridge = Bridge({"flaky": source}, {"flaky": take}, limits=QUICK)
    async with running(bridge):
        await until(lambda: source.done == 100)
        assert bridge.status().sources["flaky"].state == "flowing"
    assert source.opened == 6
    assert [line.split(";")[0] for line in warnings_logged] == [
        "flaky: LegacyUnavailable: gone",
        "flaky: RuntimeError: a bug",
    ]


async def test_a_source_that_is_not_there_is_waited_for():
    source = MemorySource("m", records(1))
    there = False
    was_opened = source.open

    async def absent() -> None:
        if not there:
            raise LegacyUnavailable("cannot be opened", place="legacy.db")
        await was_opened()

    async def take(_: Delivery) -> Settlement:
        return DONE

    source.open = absent  # type: ignore[method-assign]
    bridge = Bridge({"m": source}, {"m": take}, limits=QUICK)
    async with running(bridge):
        await until(lambda: bridge.status().sources["m"].state == "broken")
        assert "legacy.db" in bridge.status().sources["m"].trouble
        assert not bridge.status().ready
        there = True
        await until(lambda: source.done == 1)
        assert bridge.status().ready


async def test_work_in_hand_is_finished_before_a_source_is_opened_again():
    source = Flaky(1)
    gate = asyncio.Event()
    attempts = []

    async def take(delivery: Delivery) -> Settlement:
        attempts.append(delivery.attempt)
        await gate.wait()
        return DONE

    bridge = Bridge({"flaky": source}, {"flaky": take}, limits=QUICK)
    async with running(bridge):
        await until(lambda: bool(attempts))
        source.faults = [LegacyUnavailable("gone")]
        await until(lambda: bridge.status().sources["flaky"].state == "broken")
        assert source.opened == 1
        gate.set()
        await until(lambda: source.done == 1)
        await until(lambda: source.opened == 2)
    assert attempts == [1]


async def test_what_the_source_cannot_be_told_is_counted_and_the_rest_goes_on(warnings_logged):
    source = MemorySource("m", records(3))

    async def take(delivery: Delivery) -> Settlement:
        if delivery.record.position == "p1":
            await delivery.settle(DONE)  # so that the bridge's own settlement is refused
        return DONE

    bridge = Bridge({"m": source}, {"m": take}, limits=QUICK)
    async with running(bridge):
        await until(lambda: bridge.status().sources["m"].unsettled == 1)
        await until(lambda: source.done == 3)
    assert "p1 could not be settled" in warnings_logged[0]


async def test_stop_finishes_what_is_in_hand_and_takes_no_more():
    source = MemorySource("m", records(1_000))
    gate = asyncio.Event()

    async def take(_: Delivery) -> Settlement:
        await gate.wait()
        return DONE

    bridge = Bridge({"m": source}, {"m": take}, limits=limits(in_flight=100))
    async with running(bridge) as stop:
        await until(lambda: bridge.status().sources["m"].in_flight == 100)
        stop.set()
        await until(lambda: bridge.status().sources["m"].state == "draining")
        gate.set()
    assert source.done == 100
    assert bridge.status().sources["m"].received == 100


async def test_what_the_drain_time_cuts_off_comes_again():
    source = MemorySource("m", records(5))
    begun: list[str] = []

    async def take(delivery: Delivery) -> Settlement:
        begun.append(delivery.record.position)
        if delivery.record.position == "p3" and delivery.attempt == 1:
            await asyncio.Event().wait()
        return DONE

    bridge = Bridge({"m": source}, {"m": take}, limits=limits(drain=0.05))
    async with running(bridge):
        await until(lambda: len(begun) == 5)
    assert source.done == 4
    async with running(Bridge({"m": source}, {"m": take}, limits=QUICK)):
        await until(lambda: source.done == 5)
    assert begun.count("p3") == 2


async def test_a_source_that_hangs_cannot_keep_the_bridge(monkeypatch):
    monkeypatch.setattr("stranglerfig.bridge.bridge._GRACE", 0.05)
    source = MemorySource("m", records(1))

    async def hangs(*_: object) -> Sequence[Delivery]:
        await asyncio.Event().wait()
        return []

    async def take(_: Delivery) -> Settlement:
        return DONE

    source.receive = hangs  # type: ignore[method-assign]
    async with running(Bridge({"m": source}, {"m": take}, limits=limits(drain=0.05))):
        pass


async def test_a_cancelled_bridge_closes_its_sources():
    source = MemorySource("m", records(1))

    async def take(_: Delivery) -> Settlement:
        await asyncio.Event().wait()
        return DONE

    bridge = Bridge({"m": source}, {"m": take}, limits=QUICK)
    task = asyncio.create_task(bridge.run(asyncio.Event()))
    await until(lambda: bridge.status().sources["m"].in_flight == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(FigError, match="not open"):
        await source.receive(1, 0.0)
    assert source.done == 0


async def test_a_source_without_a_take_is_a_mistake():
    with pytest.raises(ConfigError, match="nothing takes") as caught:
        Bridge({"orphan": MemorySource("orphan")}, {})
    assert caught.value.place == "legacy.orphan"
