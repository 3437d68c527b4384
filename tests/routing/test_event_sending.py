"""Events whose decisions are sent: an intent in shadow, a message where the replacement decides."""

from __future__ import annotations

import dataclasses
import json

import msgspec
import pytest

from stranglerfig.acl.mapping.mapping import load_mapping
from stranglerfig.answer_settings import ShadowRules
from stranglerfig.config import Listen
from stranglerfig.errors import ConfigError, ReplacementUnavailable, RouteError
from stranglerfig.guardrail_settings import Guardrail
from stranglerfig.model import Delivery, Record, Route, Stage, Step, request_id
from stranglerfig.routing.deciding import takers
from stranglerfig.routing.endpoint import Endpoint
from stranglerfig.routing.guardrails.observations import Observations
from stranglerfig.routing.observed import load_observed
from stranglerfig.routing.operator import Operator
from stranglerfig.settings import Outcome
from stranglerfig.store.outbox import Outbox
from stranglerfig.store.outcomes import outcome_counts
from stranglerfig.telemetry import Counters

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
        self.route = Route(endpoint="triage", stage=Stage.LIVE, revision="r1", salt="s")

    def current(self, endpoint):
        assert endpoint == "triage"
        return self.route


@pytest.fixture
def table():
    return Table()


@pytest.fixture
def event(endpoint, replacement, example):
    settings = msgspec.structs.replace(
        endpoint.config,
        listen=Listen(source="tickets"),
        legacy="",
        mapping="acl/ticket_row.toml",
        send="decisions",
    )
    mapping = load_mapping(example / settings.mapping, endpoint.operation, example)
    return Endpoint(
        config=settings,
        operation=endpoint.operation,
        mapping=mapping,
        replacement=replacement,
        time_limit=2.0,
    )


@pytest.fixture
def counters():
    return Counters()


@pytest.fixture
def take(event, table, store, counters):
    taking = takers([event], table, store, counters)

    async def take(delivery, by=taking):
        taken = await by["tickets"].begin(delivery)
        await taken.durable
        return taken.settlement.outcome

    return take


async def settle(settlement):
    raise AssertionError("the bridge settles, nobody else")


def row(position="p1", *, op="insert", at=0.0, attempt=1, fresh=False, **fields):
    record = Record(
        source="tickets",
        position=position,
        kind="row",
        key="C-1",
        body=json.dumps({**ROW, **fields}).encode(),
        headers=(("op", op),),
        captured_at=at,
    )
    return Delivery(record=record, settle=settle, attempt=attempt, fresh=fresh)


def leaving(store):
    return [
        one.message
        for one in Outbox(store.database).claim("decisions", "test", now=2e9, lease=1.0, limit=1000)
    ]


def requests(store):
    assert store.journal.flush(10)
    return [entry.line.data for entry in store.journal.read(kinds=["request"])]


async def test_where_the_replacement_decides_its_decision_leaves_in_legacys_words(take, store):
    assert await take(row()) == "done"
    (sent,) = leaving(store)
    assert sent.message_id == request_id("tickets", "p1")
    assert sent.key == "C-1"
    assert json.loads(sent.body) == {**ROW, "category": "C10", "priority": "3", "score": "0.99"}
    assert dict(sent.headers)["revision"] == "r1"
    (line,) = requests(store)
    assert (line["decided"], line["served_by"]) == ("replacement", "replacement")
    assert line["sent"] == {
        "to": "decisions",
        "message_id": sent.message_id,
        "bytes": len(sent.body),
    }


async def test_the_sender_is_told_as_soon_as_there_is_something(event, table, store):
    told = []
    taking = takers([event], table, store, sent=told.append)["tickets"]
    for attempt in (1, 2):
        await (await taking.begin(row(attempt=attempt, fresh=True))).durable
    await (await taking.begin(row("p2", text="another"))).durable
    assert told == ["decisions", "decisions"]


async def test_however_often_it_comes_it_is_decided_and_sent_once(take, store, replacement):
    for attempt in (1, 2, 3):
        assert await take(row(attempt=attempt)) == "done"
    assert len(replacement.asked) == len(leaving(store)) == len(requests(store)) == 1


async def test_in_shadow_it_is_an_intent_and_nothing_leaves(take, store, table):
    table.route = msgspec.structs.replace(table.route, stage=Stage.SHADOW)
    await take(row())
    assert leaving(store) == []
    (line,) = requests(store)
    assert (line["decided"], line["served_by"]) == ("legacy", "legacy")
    assert line["intent"]["to"] == "decisions"
    assert "sent" not in line


async def test_an_intent_that_could_not_be_sent_is_seen_in_shadow(take, store, table, replacement):
    table.route = msgspec.structs.replace(table.route, stage=Stage.SHADOW)
    replacement.payload = {**replacement.payload, "category": "no code of legacy's"}
    await take(row())
    (line,) = requests(store)
    assert "category" in line["intent"]["error"]


@pytest.mark.parametrize("fields", [{"stage": Stage.LEGACY}, {"killed": True}])
async def test_at_legacy_nothing_is_asked_or_sent(take, store, table, replacement, fields):
    table.route = msgspec.structs.replace(table.route, **fields)
    await take(row())
    assert (leaving(store), replacement.asked) == ([], [])


async def test_a_canary_sends_for_its_keys_only_and_compares_all(take, store, table):
    table.route = msgspec.structs.replace(table.route, stage=Stage.CANARY, percent=50.0)
    for number in range(40):
        await take(row(f"p{number}", customer=f"C-{number}", text=f"text {number}"))
    lines = requests(store)
    sent = {line["key"] for line in lines if "sent" in line}
    assert 5 < len(sent) < 35
    assert {one.key for one in leaving(store)} == sent
    assert {line["key"] for line in lines if "intent" in line} == {
        f"C-{n}" for n in range(40)
    } - sent
    assert len(list(store.journal.read(kinds=["comparison"]))) == 40


async def test_not_being_sure_leaves_it_to_legacy(take, store, replacement, counters):
    replacement.status = "abstained"
    await take(row())
    assert leaving(store) == []
    (line,) = requests(store)
    assert (line["served_by"], line["fallback"]) == ("legacy", "abstained")
    assert counters.snapshot()["fallbacks", "triage", "abstained"] == 1


async def test_once_legacy_is_retired_every_decision_leaves(take, store, table):
    table.route = msgspec.structs.replace(table.route, stage=Stage.RETIRED)
    await take(row())
    assert len(leaving(store)) == 1
    (line,) = requests(store)
    assert "answer" not in line


async def test_what_legacys_words_cannot_say_is_dead_and_not_sent(take, store, replacement):
    replacement.payload = {**replacement.payload, "category": "no code of legacy's"}
    assert await take(row()) == "dead"
    assert leaving(store) == []
    assert store.dead_letters.count() == 1


async def test_an_echo_is_no_evidence(event, table, store, example, take):
    outcome = Outcome(source="decided", when={"status": "D"}, within=60.0)
    settings = msgspec.structs.replace(event.config, outcome=outcome)
    observed = load_observed(settings, event.operation, event.mapping, example)
    taking = takers([dataclasses.replace(event, config=settings, observed=observed)], table, store)
    await take(row(at=100.0), taking)
    taken = await taking["decided"].begin(row("d1", at=101.0, status="D"))
    await taken.durable
    counts = outcome_counts(store.database, "triage")
    assert (counts.echoed, counts.joined) == (1, 0)
    assert list(store.journal.read(kinds=["comparison"])) == []


# What was taken before, and what is given up.


async def test_the_same_id_with_another_body_is_quarantined_whole(
    take, store, replacement, counters
):
    await take(row())
    assert await take(row(text="another text")) == "dead"
    (kept,) = store.dead_letters.read()
    assert kept.letter.reason.startswith("quarantined: ")
    assert b"another text" in kept.letter.record.body
    assert kept.letter.chain[0]["error"] == "Conflict"
    assert len(replacement.asked) == 1
    assert counters.snapshot()["quarantined", "triage"] == 1


async def test_a_fresh_delivery_is_not_looked_up_and_still_taken_once(
    event, table, store, counters
):
    taking = takers([event], table, store, counters)["tickets"]
    first = await taking.begin(row(fresh=True))
    assert await first.durable
    again = await taking.begin(row(fresh=True))
    assert not await again.durable
    assert len(leaving(store)) == 1
    assert counters.snapshot()["duplicates", "triage"] == 1


async def test_many_that_come_again_are_looked_up_together(event, table, store, replacement):
    taking = takers([event], table, store)["tickets"]
    deliveries = [row(f"p{n}", text=f"text {n}") for n in range(100)]
    for one in [await taking.begin(one) for one in deliveries]:
        await one.durable
    reads = []
    plain = taking._ledger._known._read
    taking._ledger._known._read = lambda keys: reads.append(len(keys)) or plain(keys)
    import asyncio

    taken = await asyncio.gather(*(taking.begin(one) for one in deliveries))
    assert not any([await one.durable for one in taken])
    assert (sum(reads), len(reads) <= 3, len(replacement.asked)) == (100, True, 100)


async def test_the_mark_holds_what_it_came_to(take, store):
    from stranglerfig.store.known import Known

    await take(row())
    mark = Known(store.database).read([("triage", "p1")])["triage", "p1"]
    result = json.loads(mark.result)
    assert (result["outcome"], result["decided"]) == ("done", "replacement")
    assert result["sent"]["to"] == "decisions"


async def test_what_is_buried_holds_every_cause_and_version(event, table, store):
    taking = takers([event], table, store)["tickets"]
    error = ReplacementUnavailable("has no worker", place="replacement.model")
    error.__cause__ = OSError("the pipe broke")
    await taking.bury(row(attempt=16), "gave up after 16 attempts", error)
    (kept,) = store.dead_letters.read()
    letter = kept.letter
    assert (letter.reason, letter.endpoint) == ("gave up after 16 attempts", "triage")
    assert [one["error"] for one in letter.chain] == ["ReplacementUnavailable", "OSError"]
    assert letter.chain[1]["message"] == "the pipe broke"
    assert letter.versions["revision"] == "r1"
    assert letter.versions["mapping"] == event.mapping.digest
    assert letter.versions.keys() >= {"stranglerfig", "operation"}


async def test_what_is_written_with_every_record_is_written_once(event, table, store):
    from sqlalchemy import select

    from stranglerfig.store.effects import Effect
    from stranglerfig.store.tables import captured

    def also(record):
        return [Effect("capture", (record.source, record.key, 5, record.captured_at))]

    taking = takers([event], table, store, also=also)["tickets"]
    await (await taking.begin(row(at=1.0))).durable
    await (await taking.begin(row("p2", at=2.0, op="delete"))).durable
    # An old one that comes again must not put back what was there before.
    await (await taking.begin(row(at=1.0, fresh=True))).durable
    with store.engine.connect() as connection:
        assert connection.execute(select(captured)).all() == [("tickets", "C-1", 5, 2.0)]


async def test_it_is_written_with_the_dead_too_or_reconciling_would_find_them_missed(
    event, table, store
):
    from sqlalchemy import select

    from stranglerfig.store.effects import Effect
    from stranglerfig.store.tables import captured

    def also(record):
        return [Effect("capture", (record.source, record.position, 5, record.captured_at))]

    taking = takers([event], table, store, also=also)["tickets"]
    await (await taking.begin(row("refused", channel="X"))).durable
    await taking.bury(row("given-up"), "gave up after 16 attempts")
    with store.engine.connect() as connection:
        rows = connection.execute(select(captured.c.key)).scalars().all()
    assert rows == ["given-up", "refused"]
    assert [kept.letter.position for kept in store.dead_letters.read()] == ["refused", "given-up"]


# Several at one source, and how far it may go.


async def test_one_source_feeds_several_and_each_has_its_own_mark(event, table, store, replacement):
    class Both:
        def current(self, name):
            return msgspec.structs.replace(table.route, endpoint=name)

    class Gone:
        async def answer(self, *_):
            raise ReplacementUnavailable("no model")

    other = dataclasses.replace(
        event,
        config=msgspec.structs.replace(event.config, name="other", send=""),
        replacement=Gone(),
    )
    taking = takers([event, other], Both(), store)["tickets"]
    assert taking.endpoints == ("triage", "other")
    with pytest.raises(ReplacementUnavailable):
        await taking.begin(row())
    assert len(leaving(store)) == 1
    await taking.bury(row(), "gave up", ReplacementUnavailable("no model"))
    assert [kept.letter.endpoint for kept in store.dead_letters.read()] == ["other"]
    repaired = dataclasses.replace(other, replacement=replacement)
    taking = takers([event, repaired], Both(), store)["tickets"]
    taken = await taking.begin(row(attempt=2))
    await taken.durable
    assert taken.settlement.outcome == "done"
    assert {entry.line.endpoint for entry in store.journal.read(kinds=["request"])} == {
        "triage",
        "other",
    }
    assert len(replacement.asked) == 2


def test_two_of_one_source_cannot_send_to_one_place(event, table, store):
    other = dataclasses.replace(event, config=msgspec.structs.replace(event.config, name="other"))
    with pytest.raises(ConfigError, match="ids would be the same"):
        takers([event, other], table, store)


@pytest.mark.parametrize(
    ("operation", "op", "asked"),
    [
        ("", "insert", True),
        ("", "update", True),
        ("insert", "insert", True),
        ("insert", "read", True),
        ("insert", "update", False),
        ("insert, update", "update", True),
        ("update", "reconcile", False),
    ],
)
async def test_the_operations_that_are_requests_are_named(
    event, table, store, replacement, operation, op, asked
):
    listen = Listen(source="tickets", operation=operation)
    named = dataclasses.replace(event, config=msgspec.structs.replace(event.config, listen=listen))
    taken = await takers([named], table, store)["tickets"].begin(row(op=op))
    assert await taken.durable
    assert bool(replacement.asked) == asked


@pytest.mark.parametrize(
    ("send", "effect", "says"),
    [
        ("", "read", "is an event"),
        ("decisions", "compensable", "effect"),
        ("decisions", "irreversible", "effect"),
    ],
)
def test_an_event_goes_beyond_shadow_only_where_its_decisions_can_be_sent(
    event, store, put, send, effect, says
):
    put("shadow")
    settings = msgspec.structs.replace(event.config, send=send)
    operator = Operator(store, settings, effect=effect, newest=lambda: "r1", who="me")
    with pytest.raises(RouteError, match=says):
        operator.advance(Step(stage=Stage.CANARY, percent=10.0), force=True)


@pytest.mark.parametrize("effect", ["read", "idempotent"])
def test_an_event_whose_decisions_are_sent_may_go_all_the_way(event, store, put, observe, effect):
    put("shadow")
    observe(both=200)
    operator = Operator(store, event.config, effect=effect, newest=lambda: "r1", who="me")
    assert operator.advance().stage is Stage.CANARY
    assert operator.advance(Step(stage=Stage.LIVE)).stage is Stage.LIVE


# In shadow.


@pytest.mark.parametrize("stage", [Stage.SHADOW, Stage.LIVE])
async def test_in_shadow_the_replacement_is_told_so(take, table, replacement, stage):
    table.route = msgspec.structs.replace(table.route, stage=stage)
    await take(row())
    ((request, _),) = replacement.asked
    assert request.shadow is (stage is Stage.SHADOW)


@pytest.mark.parametrize("bound", ["sample", "calls", "acts"])
async def test_an_event_is_taken_also_where_the_shadow_is_not_asked(
    event, table, store, counters, replacement, bound
):
    table.route = msgspec.structs.replace(table.route, stage=Stage.SHADOW)
    rules = {"sample": ShadowRules(sample=0.0), "calls": ShadowRules(calls=0)}
    settings = msgspec.structs.replace(event.config, shadow=rules.get(bound, ShadowRules()))
    operation = msgspec.structs.replace(event.operation, effect="idempotent")
    bounded = dataclasses.replace(event, config=settings, operation=operation, acts=bound == "acts")
    observations = Observations(store.measures)
    observations.follow([settings])
    await observations.flush()
    taking = takers([bounded], table, store, counters, observations=observations)
    taken = await taking["tickets"].begin(row())
    assert await taken.durable
    assert (taken.settlement.outcome, replacement.asked) == ("done", [])
    (line,) = requests(store)
    assert line["shadow"] == bound
    assert counters.snapshot()["shadow_dropped", "triage", bound] == 1


async def test_a_canary_is_drawn_the_same_where_the_shadow_is_sampled(
    event, table, store, counters
):
    """Else the sample would look like an unfair draw."""
    table.route = msgspec.structs.replace(table.route, stage=Stage.CANARY, percent=50.0)
    settings = msgspec.structs.replace(
        event.config, shadow=ShadowRules(sample=0.0), guardrail=Guardrail()
    )
    observations = Observations(store.measures)
    observations.follow([settings])
    bounded = dataclasses.replace(event, config=settings)
    taking = takers([bounded], table, store, counters, observations=observations)["tickets"]
    for number in range(40):
        taken = await taking.begin(row(f"p{number}", customer=f"C-{number}"))
        await taken.durable
    (cell,) = observations._cells.values()
    assert {side for _, side in cell.fresh} == {"legacy", "replacement"}
    assert len(cell.fresh) == 40
