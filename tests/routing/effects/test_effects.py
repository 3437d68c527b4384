"""From a reply's intents and a table's rows to evidence, on a real store. Nothing is executed."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses

import msgspec
import pytest

from stranglerfig.acl.mapping.mapping import load_mapping
from stranglerfig.config import Listen
from stranglerfig.model import Delivery, Intent, Record, Route, Stage
from stranglerfig.routing.deciding import takers
from stranglerfig.routing.effects.intents import told
from stranglerfig.routing.effects.scales import Scales
from stranglerfig.routing.shadow import Pair, Shadow
from stranglerfig.store.outbox import Outbox
from stranglerfig.store.write import Write
from stranglerfig.telemetry import Counters

LATE = 1e9


class Table:
    def __init__(self):
        self.route = Route(endpoint="triage", stage=Stage.SHADOW, revision="r1", salt="s")

    def current(self, endpoint):
        assert endpoint == "triage"
        return self.route


@pytest.fixture
def table():
    return Table()


@pytest.fixture
def counters():
    return Counters()


@pytest.fixture
def take(ready, table, store, counters):
    taking = takers([ready], table, store, counters)["refunds"]

    async def take(delivery):
        taken = await taking.begin(delivery)
        await taken.durable
        return taken.settlement.outcome

    return take


@pytest.fixture
def tell(ready, store, asked, replied, counters):
    """Have a request answered in shadow with these intents."""

    def tell(*intents, status="ok", awaits=True, **fields):
        request = asked(ready, **fields)
        reply = replied(request, *intents, status=status)
        found = told(ready, request, reply, "r1", counters, awaits=awaits)
        store.journal.append(Write(effects=found.effects))
        assert store.journal.flush(10)
        return found.shown

    return tell


@pytest.fixture
def weighed(ready, store, counters):
    async def look(now=LATE):
        await Scales([ready], store, counters).look(now)
        return [entry.line.data for entry in store.journal.read(kinds=["comparison"])]

    return look


def states(counters):
    return {key[3]: n for key, n in counters.snapshot().items() if key[0] == "effects"}


async def test_the_same_on_both_sides_is_an_agreement(take, tell, weighed, refund, booked, store):
    tell(refund("5.00"))
    assert await take(booked("5.00")) == "done"
    (seen,) = await weighed()
    assert (seen["winner"], seen["by"], seen["differs"]) == ("both", "agreement", [])
    assert store.evidence.counts("triage", "r1").both == 1


async def test_legacys_may_reach_us_first(take, tell, weighed, refund, booked):
    await take(booked("5.00"))
    tell(refund("5.00"))
    assert (await weighed())[0]["winner"] == "both"


@pytest.mark.parametrize(
    ("intents", "rows", "state", "differs"),
    [
        (["5.00"], ["6.00"], "different", ["refund.amount"]),
        ([], ["6.00"], "missing", ["-refund"]),
        (["5.00"], [], "extra", ["+refund"]),
    ],
)
async def test_a_difference_is_evidence(
    take, tell, weighed, refund, booked, store, counters, intents, rows, state, differs
):
    tell(*map(refund, intents))
    for row in rows:
        await take(booked(row))
    (seen,) = await weighed()
    assert (seen["winner"], seen["differs"]) == ("open", differs)
    assert states(counters)[state] == 1
    counts = store.evidence.counts("triage", "r1")
    assert (counts.open, counts.total) == (1, 1)


async def test_each_is_weighed_once_however_many_look(take, tell, ready, store, refund, booked):
    tell(refund("5.00"))
    await take(booked("5.00"))
    counted = [Counters() for _ in range(4)]
    await asyncio.gather(*(Scales([ready], store, one).look(LATE) for one in counted))
    await asyncio.gather(*(Scales([ready], store, one).look(LATE) for one in counted))
    assert sum(states(one).get("same", 0) for one in counted) == 1
    assert len(list(store.journal.read(kinds=["comparison"]))) == 1


async def test_many_requests_of_one_key_are_all_weighed(tell, weighed, refund):
    for number in range(5):
        tell(refund("5.00"), position=str(number), at=100.0 + 100 * number)
    assert len(await weighed()) == 5


async def test_a_row_that_comes_again_is_one_effect(take, tell, weighed, refund, booked, counters):
    tell(refund("5.00"))
    for attempt in (1, 2, 3):
        await take(booked("5.00", attempt=attempt))
    assert (await weighed())[0]["differs"] == []
    assert counters.snapshot()["duplicates", "triage/refund"] == 2


@pytest.mark.parametrize("row", [{"state": "P"}, {"op": "update"}, {"op": "delete"}])
async def test_what_is_no_effect_leaves_nothing(take, weighed, tell, booked, row):
    assert await take(booked("5.00", **row)) == "done"
    tell()
    assert (await weighed())[0]["winner"] == "both"


async def test_a_row_that_the_mapping_refuses_is_dead_and_whole(take, booked, store):
    assert await take(booked("five")) == "dead"
    (kept,) = store.dead_letters.read()
    assert b"five" in kept.letter.record.body


@pytest.mark.parametrize("route", [{"stage": Stage.LEGACY}, {"killed": True}])
async def test_where_nobody_is_asked_beside_legacy_nothing_is_kept(
    take, tell, weighed, booked, table, route
):
    table.route = msgspec.structs.replace(table.route, **route)
    await take(booked("5.00"))
    tell()
    assert (await weighed())[0]["winner"] == "both"


@pytest.mark.parametrize("how", [{"status": "abstained"}, {"awaits": False}])
async def test_who_said_nothing_or_did_it_itself_is_not_weighed(
    tell, weighed, take, booked, refund, how
):
    tell(refund("5.00"), **how)
    await take(booked("5.00"))
    assert await weighed() == []


async def test_intents_that_nobody_can_weigh_are_told_of(tell, refund, counters):
    unknown = Intent(kind="mail", payload={"to": "somebody@example.com"})
    unfit = Intent(kind="refund", payload={"customer": "C-1"})
    shown = tell(unknown, unfit, refund("5.00", note="to Mrs Miller"))
    assert "no [endpoint.triage.effects] names it" in shown[0]["error"]
    assert "amount" in shown[1]["error"]
    assert shown[2]["payload"]["amount"] is not None
    assert "somebody" not in str(shown), "what no contract knows is not journalled"
    assert "Miller" not in str(shown)
    assert states(counters) == {"undeclared": 1, "unfit": 1, "intent": 1}


async def test_a_reply_cannot_flood_the_journal(tell, refund):
    shown = tell(*[refund("1.00")] * 150)
    assert len(shown) == 101
    assert "50 more" in shown[-1]["error"]


async def test_the_shadow_of_a_call_tells_what_it_would_do(
    ready, store, asked, legacy, replacement, counters, refund, weighed, take, booked
):
    plain = replacement.answer

    async def answer(request, revision):
        assert request.shadow
        reply = await plain(request, revision)
        return msgspec.structs.replace(reply, intents=(refund("5.00"),))

    replacement.answer = answer
    shadow = Shadow(store.journal, counters)
    task = asyncio.create_task(shadow.run())
    request = asked(ready)
    shadow.offer(
        Pair(
            endpoint=ready,
            request=request,
            revision="r1",
            legacy=await legacy(request.record, LATE * 2),
        )
    )
    await shadow.drain()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert store.journal.flush(10)
    (line,) = [entry.line for entry in store.journal.read(kinds=["intent"])]
    assert line.data["intents"][0]["kind"] == "refund"
    await take(booked("5.00"))
    assert [one["by"] for one in await weighed()] == ["none", "agreement"]


async def test_the_shadow_of_a_write_says_that_it_would_have_written(
    ready, store, asked, legacy, counters
):
    operation = msgspec.structs.replace(ready.operation, effect="compensable")
    writes = dataclasses.replace(ready, operation=operation)
    shadow = Shadow(store.journal, counters)
    task = asyncio.create_task(shadow.run())
    request = asked(writes)
    record = await legacy(request.record, LATE * 2)
    shadow.offer(Pair(endpoint=writes, request=request, revision="r1", legacy=record))
    await shadow.drain()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert store.journal.flush(10)
    (line,) = [entry.line for entry in store.journal.read(kinds=["intent"])]
    assert line.data["would"] == "compensable"


@pytest.mark.parametrize("stage", [Stage.SHADOW, Stage.LIVE])
async def test_an_event_tells_too_and_only_in_shadow_is_it_weighed(
    load, rules, example, endpoint, store, table, counters, replacement, refund, stage, weighed
):
    table.route = msgspec.structs.replace(table.route, stage=stage)
    plain = replacement.answer

    async def answer(request, revision):
        assert request.shadow is (stage is Stage.SHADOW)
        reply = await plain(request, revision)
        return msgspec.structs.replace(reply, intents=(refund("5.00"),))

    replacement.answer = answer
    settings = msgspec.structs.replace(
        endpoint.config, listen=Listen(source="tickets"), legacy="", send="decisions"
    )
    mapping = load_mapping(example / "acl/ticket_row.toml", endpoint.operation, example)
    event = dataclasses.replace(load(settings, refund=rules), mapping=mapping)
    body = (
        b'{"id":"7","customer":"C-1","channel":"M","text":"t","category":"C05","priority":"2",'
        b'"score":"0.67","opened":"20261123","status":"O"}'
    )
    record = Record(
        source="tickets", position="p", kind="row", body=body, headers=(("op", "insert"),)
    )

    async def settle(_):
        raise AssertionError

    taking = takers([event], table, store, counters)["tickets"]
    taken = await taking.begin(Delivery(record=record, settle=settle))
    await taken.durable
    assert store.journal.flush(10)
    (line,) = [entry.line.data for entry in store.journal.read(kinds=["request"])]
    assert line["intents" if stage is Stage.SHADOW else "effects"][0]["kind"] == "refund"
    outgoing = Outbox(store.database).claim("decisions", "t", now=2e9, lease=1.0, limit=10)
    assert len(outgoing) == (0 if stage is Stage.SHADOW else 1)
    seen = [one for one in await weighed(1e12) if one["differs"] == ["+refund"]]
    assert len(seen) == (1 if stage is Stage.SHADOW else 0)
