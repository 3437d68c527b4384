"""Events: taken once, compared beside what legacy decided, dead where the mapping refuses."""

from __future__ import annotations

import json
import sqlite3
import time

import msgspec
import pytest

from stranglerfig.acl.mapping.mapping import load_mapping
from stranglerfig.config import Listen
from stranglerfig.errors import ReplacementUnavailable, StoreUnavailable
from stranglerfig.model import Delivery, Record, Route, Stage
from stranglerfig.routing.endpoint import Endpoint
from stranglerfig.routing.events import Events
from stranglerfig.routing.guardrails.observations import Observations
from stranglerfig.routing.guardrails.rung import Rung
from stranglerfig.routing.ledger import Ledger
from stranglerfig.store.measures import Place

ROW = {
    "id": "7",
    "customer": "C-1",
    "channel": "M",
    "text": "refund please",
    "category": "C05",
    "priority": "2",
    "score": "0.67",
    "opened": "20261123",
    "status": "O",
}


class Table:
    def __init__(self):
        self.route = Route(endpoint="triage", stage=Stage.SHADOW, revision="r1")

    def current(self, endpoint):
        assert endpoint == "triage"
        return self.route


@pytest.fixture
def table():
    return Table()


@pytest.fixture
def event(endpoint, replacement, example):
    """The endpoint as an event: its record is a row, and nobody waits."""
    settings = msgspec.structs.replace(
        endpoint.config, listen=Listen(source="tickets"), legacy="", mapping="acl/ticket_row.toml"
    )
    mapping = load_mapping(example / settings.mapping, endpoint.operation, example)
    return Endpoint(
        config=settings,
        operation=endpoint.operation,
        mapping=mapping,
        replacement=replacement,
        time_limit=0.2,
    )


@pytest.fixture
def events(event, table, store):
    return Events(event, table, Ledger(store))


@pytest.fixture
def delivery():
    async def settle(settlement):
        raise AssertionError("the bridge settles, nobody else")

    def make(position="p1", attempt=1, **row):
        record = Record(
            source="tickets",
            position=position,
            kind="row",
            key="C-1",
            body=json.dumps({**ROW, **row}).encode(),
            headers=(("op", "insert"), ("table", "tickets"), ("kinds", "i" + "t" * 8)),
        )
        return Delivery(record=record, settle=settle, attempt=attempt)

    return make


def read(store, kind):
    assert store.journal.flush(10)
    return [entry.line for entry in store.journal.read(kinds=[kind])]


async def test_journals_the_replacements_answer_beside_legacys(events, store, delivery):
    settlement = await events.take(delivery())
    assert settlement.outcome == "done"
    (line,) = read(store, "request")
    assert (line.data["served_by"], line.data["key"]) == ("legacy", "C-1")
    (seen,) = read(store, "comparison")
    assert seen.data["legacy"] == {"category": "refund"}
    assert seen.data["replacement"] == {"category": "quote"}
    assert store.inbox.seen("triage", "p1")


async def test_a_redelivery_is_done_and_leaves_nothing_twice(events, store, delivery):
    for attempt in (1, 2, 3):
        assert (await events.take(delivery(attempt=attempt))).outcome == "done"
    assert len(read(store, "request")) == len(read(store, "comparison")) == 1


@pytest.mark.parametrize("fields", [{"stage": Stage.LEGACY}, {"killed": True}])
async def test_at_legacy_and_killed_the_replacement_is_not_asked(
    events, table, store, delivery, replacement, fields
):
    table.route = msgspec.structs.replace(table.route, **fields)
    assert (await events.take(delivery())).outcome == "done"
    assert replacement.asked == []
    assert len(read(store, "request")) == 1
    assert read(store, "comparison") == []


@pytest.mark.parametrize("row", [{"channel": "X"}, {"opened": "20261399"}, {"id": "seven"}])
async def test_what_the_mapping_refuses_is_dead_whole_and_at_once(events, store, delivery, row):
    given = delivery(attempt=2, **row)
    settlement = await events.take(given)
    assert settlement.outcome == "dead"
    assert next(iter(row)) in settlement.reason
    (kept,) = store.dead_letters.read()
    assert kept.letter.record.body == given.record.body
    assert (kept.letter.attempts, kept.letter.position) == (2, "p1")
    assert store.inbox.seen("triage", "p1") is None, "it may be replayed when it is mended"
    assert read(store, "request") == []


async def test_a_replacement_that_is_gone_has_it_come_again(events, store, delivery, replacement):
    replacement.raises = ReplacementUnavailable("no model")
    with pytest.raises(ReplacementUnavailable):
        await events.take(delivery())
    assert read(store, "request") == []
    replacement.raises = None
    assert (await events.take(delivery(attempt=2))).outcome == "done"
    assert len(read(store, "request")) == 1


async def test_an_abstention_is_done_and_told(events, store, delivery, replacement):
    replacement.status = "abstained"
    assert (await events.take(delivery())).outcome == "done"
    assert [line.data["reason"] for line in read(store, "shadow")] == ["abstained"]
    assert len(read(store, "request")) == 1


async def test_a_store_that_cannot_be_written_has_it_come_again(
    events, store, delivery, file, monkeypatch
):
    monkeypatch.setattr("stranglerfig.routing.ledger._PATIENCE", 0.1)
    held = sqlite3.connect(file, isolation_level=None)
    held.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(StoreUnavailable):
            await events.take(delivery())
    finally:
        held.close()
    assert read(store, "request") == []
    monkeypatch.undo()
    assert (await events.take(delivery(attempt=2))).outcome == "done"


async def test_what_the_bridge_gives_up_is_kept_whole(events, store, delivery):
    given = delivery(attempt=16)
    await events.bury(given, "gave up after 16 attempts")
    (kept,) = store.dead_letters.read()
    assert kept.letter.reason == "gave up after 16 attempts"
    assert kept.letter.record.body == given.record.body


async def test_once_legacy_is_retired_the_replacement_decides_alone(events, store, table, delivery):
    table.route = msgspec.structs.replace(table.route, stage=Stage.RETIRED)
    assert (await events.take(delivery())).outcome == "done"
    (line,) = read(store, "request")
    assert (line.data["decided"], line.data["served_by"]) == ("replacement", "replacement")
    assert line.data["answer"] == {"category": "quote", "priority": "low", "score": "0.99"}
    assert read(store, "comparison") == []
    assert store.inbox.seen("triage", "p1")


async def test_an_abstention_with_legacy_retired_is_kept_for_a_person(
    events, store, table, delivery, replacement
):
    table.route = msgspec.structs.replace(table.route, stage=Stage.RETIRED)
    replacement.status = "abstained"
    assert (await events.take(delivery())).outcome == "dead"
    (kept,) = store.dead_letters.read()
    assert "retired" in kept.letter.reason
    assert read(store, "request") == []


async def test_what_is_begun_is_durable_when_it_says_so(events, store, delivery):
    begun = [await events.begin(delivery(position=f"p{at}")) for at in range(50)]
    assert all([await one.durable for one in begun])
    assert {one.settlement.outcome for one in begun} == {"done"}
    assert not await (await events.begin(delivery(position="p7"))).durable
    assert len(read(store, "request")) == 50


async def test_guardrails_hear_what_it_was_asked_and_where_it_failed(
    event, table, store, delivery, replacement
):
    observations = Observations(store.measures)
    observations.follow([event.config])
    told = Events(event, table, Ledger(store, observations=observations))
    table.route = Route(endpoint="triage", stage=Stage.SHADOW, revision="r1", since=1)
    await told.take(delivery())
    replacement.raises = ReplacementUnavailable("is down")
    for attempt in (1, 2, 3):  # it comes again until it is taken
        with pytest.raises(ReplacementUnavailable):
            await told.take(delivery("p2", attempt=attempt))
    await observations.flush()
    place = Place("triage", "r1", Rung.of(table.route).label)
    found = store.measures.read(place, since=1, now=time.time(), seconds=60.0)
    assert found.sums["asked", "replacement"][0] == 1
    # Nobody knows how often legacy fails there, so no statistic counts it; the breaker does.
    assert (found.recent, found.failed) == (1, {})
