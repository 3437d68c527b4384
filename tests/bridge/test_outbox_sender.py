"""The way out: order per key, poison that blocks its own key only, doubt that is never guessed."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest

from stranglerfig.adapters.memory_sink import MemorySink
from stranglerfig.bridge import Backoff
from stranglerfig.bridge.outbox import Sender, SenderLimits
from stranglerfig.errors import InDoubt, LegacyError, LegacyUnavailable
from stranglerfig.model import Outgoing
from stranglerfig.store import Store, Write
from stranglerfig.store.messages import Messages
from stranglerfig.store.outbox import Outbox, Waiting, send
from stranglerfig.telemetry import Counters
from stranglerfig.tests.stores import store_file

QUICK = Backoff(first=0.002, longest=0.01)
LIMITS = SenderLimits(batch=10, lease=5.0, poll=0.01, attempts=3, backoff=QUICK, reopen=QUICK)


@pytest.fixture
def store(tmp_path):
    url = store_file(tmp_path / "fig.db")
    store = Store(url, patience=5.0)
    store.open()
    yield store
    store.close()


@pytest.fixture
def outbox(store):
    return Outbox(store.database)


@pytest.fixture
def sink():
    return MemorySink("there")


@pytest.fixture
def put(store):
    async def write(*idents, key="k"):
        for ident in idents:
            one = Outgoing(destination="there", message_id=ident, key=key, body=ident.encode())
            await store.journal.commit(Write(effects=(send(one, time.time()),)))

    return write


@pytest.fixture
async def running():
    """Run senders until the test ends."""
    stops = []

    def start(sender):
        stop = asyncio.Event()
        stops.append((stop, asyncio.create_task(sender.run(stop))))
        return stop

    yield start
    for stop, task in stops:
        stop.set()
        await asyncio.wait_for(task, 60)


def make(sink, outbox, counters=None, **limits):
    import msgspec

    return Sender(sink, outbox, limits=msgspec.structs.replace(LIMITS, **limits), counters=counters)


async def until(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to be"
        await asyncio.sleep(0.005)


def got(sink):
    return [one.message_id for one in sink.got]


async def test_what_waits_leaves_in_order_and_is_done(sink, outbox, put, running):
    counters = Counters()
    await put(*"abc")
    sender = make(sink, outbox, counters)
    running(sender)
    await until(lambda: sender.status().sent == 3)
    await put(*"de")
    sender.nudge()
    await until(lambda: sender.status().sent == 5)
    assert got(sink) == list("abcde")
    assert outbox.waiting() == {}
    assert counters.snapshot()["outgoing", "there", "sent"] == 5
    assert sender.status().state == "flowing"


async def test_a_system_that_is_down_costs_no_attempts_and_loses_nothing(
    sink, outbox, put, running
):
    await put(*"abc")
    tries = 0

    def down(messages):
        nonlocal tries
        tries += 1
        if tries < 20:
            raise LegacyUnavailable("is down", place="there")

    sink.before = down
    sender = make(sink, outbox)
    running(sender)
    await until(lambda: sender.status().sent == 3)
    assert got(sink) == list("abc")
    assert sender.status().held == 0


async def test_a_poison_message_blocks_its_own_key_only_and_is_held(
    sink, outbox, put, running, store
):
    await put("a", "poison", "c")
    await put("x", "y", "z", key="other")
    sink.before = lambda messages: _refuse(messages, "poison")
    sender = make(sink, outbox)
    running(sender)
    await until(lambda: sender.status().held == 1)
    await until(lambda: sender.status().sent == 4)
    assert sorted(got(sink)) == ["a", "x", "y", "z"]
    assert [one for one in got(sink) if one in "xyz"] == ["x", "y", "z"]
    waiting = outbox.waiting()["there"]
    assert (waiting.unsent, waiting.held) == (2, 1)
    (line,) = [entry.line for entry in store.journal.read(kinds=["held"])]
    assert line.data["attempts"] == 3
    assert "refuses" in line.data["error"]
    sink.before = None
    messages = Messages(store.database)
    (held,) = messages.read(time.time(), states=["held"])
    assert (held.message.message_id, messages.behind(held)) == ("poison", 1)
    said = {"who": "ada", "why": "mended", "now": time.time()}
    assert messages.decide([held.id], "release", **said) == [held.id]
    await until(lambda: sender.status().sent == 6)
    assert got(sink)[-2:] == ["poison", "c"]


async def test_what_is_dropped_is_never_sent_and_those_behind_it_follow(
    sink, outbox, put, running, store
):
    await put("a", "poison", "c")
    sink.before = lambda messages: _refuse(messages, "poison")
    sender = make(sink, outbox)
    running(sender)
    await until(lambda: sender.status().held == 1)
    messages = Messages(store.database)
    (held,) = messages.read(time.time(), states=["held"])
    said = {"who": "ada", "why": "it had arrived", "now": time.time()}
    assert messages.decide([held.id], "drop", **said) == [held.id]
    sink.before = None
    await until(lambda: sender.status().sent == 2)
    assert got(sink) == ["a", "c"]
    assert messages.decide([held.id], "release", **said) == [], "it is for good"


async def test_what_is_in_doubt_is_sent_again_where_the_sink_tells_repeats(
    sink, outbox, put, running
):
    await put(*"abc")
    doubts = iter([True, True])
    sink.after = lambda _: _doubt(next(doubts, False))
    sender = make(sink, outbox)
    running(sender)
    await until(lambda: sender.status().sent == 3)
    assert sorted(got(sink)) == list("abc")
    assert sender.status().held == 0


async def test_what_is_in_doubt_is_held_where_it_does_not(outbox, put, running):
    sink = MemorySink("there", once=False)
    sizes = []
    sink.before = lambda messages: sizes.append(len(messages))
    await put("a", "b")
    await put("x", key="other")
    doubts = iter([True])
    sink.after = lambda _: _doubt(next(doubts, False))
    sender = make(sink, outbox)
    running(sender)
    await until(lambda: sender.status().sent == 1)
    await until(lambda: sender.status().held == 1)
    assert got(sink) == ["a", "x"], "b stays behind a, which may have come"
    assert set(sizes) == {1}
    waiting = outbox.waiting()["there"]
    assert (waiting.unsent, waiting.held) == (2, 1)


@pytest.mark.parametrize("once", [True, False])
async def test_a_bridge_that_died_while_sending_leaves_it_in_doubt(outbox, put, running, once):
    sink = MemorySink("there", once=once)
    await put("a")
    outbox.claim("there", "the dead one", now=time.time() - 100, lease=1.0, limit=1)
    sender = make(sink, outbox)
    running(sender)
    await until(lambda: sender.status().sent + sender.status().held == 1)
    assert got(sink) == (["a"] if once else [])


async def test_leases_are_renewed_while_a_sink_is_slow(sink, outbox, put, running):
    await put("a")
    gate = asyncio.Event()
    plain = sink.send

    async def slow(messages):
        await gate.wait()
        await plain(messages)

    sink.send = slow
    sender = make(sink, outbox, lease=0.2)
    other = make(MemorySink("there"), outbox, lease=0.2)
    running(sender)
    await until(lambda: sender.status().in_flight == 1)
    running(other)
    begun = time.time()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), 0.5)
    assert time.time() - begun > 0.4
    gate.set()
    await until(lambda: sender.status().sent == 1)
    assert other.status().sent == 0


async def test_two_bridges_send_everything_once_in_order(sink, outbox, put, running):
    for n in range(60):
        await put(f"{n:02}", key=f"k{n % 4}")
    senders = [make(sink, outbox, batch=5) for _ in range(2)]
    for one in senders:
        running(one)
    await until(lambda: sum(one.status().sent for one in senders) == 60)
    assert len(got(sink)) == 60
    for key in range(4):
        mine = [one.message_id for one in sink.got if one.key == f"k{key}"]
        assert mine == sorted(mine)
    assert outbox.waiting().get("there", Waiting()).unsent == 0


async def test_stopping_finishes_what_is_being_sent(sink, outbox, put, running):
    await put(*"abc")
    gate, entered = asyncio.Event(), asyncio.Event()
    plain = sink.send

    async def slow(messages):
        entered.set()
        await gate.wait()
        await plain(messages)

    sink.send = slow
    sender = make(sink, outbox)
    stop = running(sender)
    await entered.wait()
    stop.set()
    gate.set()
    await until(lambda: sender.status().state == "stopped")
    assert sender.status().sent == 3
    assert outbox.waiting() == {}


def _refuse(messages, poison):
    if any(one.message_id == poison for one in messages):
        raise LegacyError("refuses a row", place="there")


def _doubt(doubt):
    if doubt:
        raise InDoubt("no answer came", place="there")
