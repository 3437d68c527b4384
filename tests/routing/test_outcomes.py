"""What legacy decides later: joined once with the request it was decided on, or told why not."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import random

import msgspec
import pytest

from stranglerfig.acl.mapping.mapping import load_mapping
from stranglerfig.config import Listen
from stranglerfig.errors import ConfigError, StoreUnavailable
from stranglerfig.model import Delivery, Record, Route, Stage
from stranglerfig.route_settings import Guardrail
from stranglerfig.routing.adjudication.golden import Golden
from stranglerfig.routing.deciding import takers
from stranglerfig.routing.endpoint import Endpoint
from stranglerfig.routing.guardrails.evidence import gather
from stranglerfig.routing.observed import load_observed
from stranglerfig.settings import Outcome
from stranglerfig.store import Store
from stranglerfig.store.outcomes import OutcomeCounts, outcome_counts
from stranglerfig.store.sweep import Sweep
from stranglerfig.telemetry import Counters
from stranglerfig.tests.stores import either_store

DECISION = """
operation = "ticket.triage@1"
from = { kind = "row", columns = ["ticket", "category", "priority", "score", "state"] }
ignore = { ticket = "joined by it", state = "a condition reads it" }
reply = [
  { src = "category", dst = "category", as = "text" },
  { src = "priority", dst = "priority", as = "text" },
  { src = "score",    dst = "score",    as = "decimal(2)" },
]
"""
T0 = 1_700_000_000.0


class Table:
    def __init__(self):
        self.route = Route(endpoint="triage", stage=Stage.SHADOW, revision="r1")

    def current(self, endpoint):
        assert endpoint == "triage"
        return self.route


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    return either_store(request, tmp_path / "fig.db")


@pytest.fixture
def open_store(url):
    """Open the store once more, as another bridge would."""
    opened = []

    def make():
        store = Store(url, patience=5.0)
        store.open()
        opened.append(store)
        return store

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def store(open_store):
    return open_store()


@pytest.fixture
def table():
    return Table()


@pytest.fixture
def event(endpoint, replacement, example, tmp_path):
    """Tickets are asked about as they are opened, and decided in another table."""
    (tmp_path / "decided.toml").write_text(DECISION)
    outcome = Outcome(
        source="decisions",
        mapping="decided.toml",
        key="ticket",
        match="number",
        when={"state": ("final", "closed")},
        within=60.0,
    )
    settings = msgspec.structs.replace(
        endpoint.config,
        listen=Listen(source="tickets"),
        legacy="",
        mapping="acl/ticket_row.toml",
        outcome=outcome,
    )
    mapping = load_mapping(example / settings.mapping, endpoint.operation, example)
    return Endpoint(
        config=settings,
        operation=endpoint.operation,
        mapping=mapping,
        replacement=replacement,
        observed=load_observed(settings, endpoint.operation, mapping, tmp_path),
        time_limit=2.0,
    )


@pytest.fixture
def counters():
    return Counters()


@pytest.fixture
def by_source(event, table, store, counters):
    return takers([event], table, store, counters)


async def settle(settlement):
    raise AssertionError("the bridge settles, nobody else")


def ticket(number="7", *, at=T0, position=None, attempt=1, text="refund please", **row):
    record = Record(
        source="tickets",
        position=position or f"t{number}@{at}",
        kind="row",
        key="C-1",
        body=json.dumps(
            {
                "id": number,
                "customer": "C-1",
                "channel": "M",
                "text": f"{text} {number}",
                "category": None,
                "priority": None,
                "score": None,
                "opened": "20261123",
                "status": "O",
                **row,
            }
        ).encode(),
        headers=(("op", "insert"),),
        captured_at=at,
    )
    return Delivery(record=record, settle=settle, attempt=attempt)


def decision(
    number="7",
    category="quote",
    *,
    at=T0 + 5,
    position=None,
    attempt=1,
    op="insert",
    before=None,
    **row,
):
    values = {
        "ticket": number,
        "category": category,
        "priority": "low",
        "score": "0.90",
        "state": "final",
        **row,
    }
    headers = [("op", op)]
    if before is not None:
        headers.append(("before", json.dumps({**values, **before})))
    record = Record(
        source="decisions",
        position=position or f"d{number}@{at}",
        kind="row",
        key=f"row of {number}",
        body=json.dumps(values).encode(),
        headers=tuple(headers),
        captured_at=at,
    )
    return Delivery(record=record, settle=settle, attempt=attempt)


@pytest.fixture
def feed(by_source):
    """Have deliveries taken, as the bridge does, and wait until they are durable."""

    async def take(*deliveries):
        for one in deliveries:
            taken = await by_source[one.record.source].begin(one)
            await taken.durable
            assert taken.settlement.outcome == "done"

    return take


async def at_last(taker, one):
    """Have it come again while the store is not to be had, as the bridge does."""
    while True:
        with contextlib.suppress(StoreUnavailable):
            taken = await taker.begin(one)
            await taken.durable
            return taken.settlement.outcome
        await asyncio.sleep(0.05)


def read(store, kind):
    assert store.journal.flush(10)
    return [entry.line for entry in store.journal.read(kinds=[kind])]


def states(store):
    return [line.data["state"] for line in read(store, "outcome")]


def counts(store):
    found = outcome_counts(store.database, "triage")
    return {name: value for name, value in msgspec.structs.asdict(found).items() if value}


async def test_a_request_waits_and_is_compared_with_what_legacy_decides(feed, store, counters):
    await feed(ticket())
    assert counts(store) == {"waiting": 1}
    assert read(store, "comparison") == []
    await feed(decision(category="refund"))
    (seen,) = read(store, "comparison")
    assert seen.data["legacy"] == {"category": "refund"}
    assert seen.data["replacement"] == {"category": "quote"}
    assert (seen.data["winner"], seen.revision) == ("open", "r1")
    (line,) = read(store, "outcome")
    (request,) = read(store, "request")
    assert (line.data["state"], line.data["seconds"]) == ("joined", 5.0)
    assert line.request_id == request.request_id == seen.request_id
    assert counts(store) == {"joined": 1}
    assert counters.snapshot()["outcomes", "triage", "joined"] == 1


async def test_an_outcome_before_its_request_is_kept_and_joined_when_it_comes(feed, store):
    await feed(decision())
    assert counts(store) == {"early": 1}
    await feed(ticket())
    assert counts(store) == {"joined": 1}
    (seen,) = read(store, "comparison")
    assert seen.data["winner"] == "both"
    assert states(store) == ["early", "joined"]


async def test_a_request_after_the_outcome_was_recorded_is_not_joined_with_it(feed, store):
    await feed(decision(at=T0 - 1), ticket(at=T0))
    assert counts(store) == {"early": 1, "waiting": 1}
    assert read(store, "comparison") == []
    await feed(decision(at=T0 + 1, category="refund"))
    (seen,) = read(store, "comparison")
    assert seen.data["legacy"] == {"category": "refund"}


async def test_of_two_requests_the_oldest_that_waits_is_joined(feed, store):
    first, second = ticket(at=T0, position="one"), ticket(at=T0 + 1, position="two", text="again")
    await feed(second, first, decision(at=T0 + 5))
    line = read(store, "outcome")[-1]
    assert line.data["seconds"] == 5.0
    assert counts(store) == {"joined": 1, "waiting": 1}
    await feed(decision(at=T0 + 6))
    assert counts(store) == {"joined": 2}


async def test_a_late_outcome_is_counted_and_is_no_evidence(feed, store):
    await feed(ticket(), decision(at=T0 + 61))
    assert counts(store) == {"late": 1}
    assert read(store, "comparison") == []
    assert states(store) == ["late"]


async def test_what_legacy_recorded_in_time_is_in_time_however_late_it_reaches_us(feed, store):
    await feed(ticket())
    assert Sweep(store.database).run({"triage": 60.0}, T0 + 1000) == {("triage", "missing"): 1}
    assert counts(store) == {"missing": 1}
    await feed(decision(at=T0 + 59))
    assert counts(store) == {"joined": 1}
    assert states(store) == ["missing", "joined"]


async def test_what_does_not_come_is_missing_once_whoever_looks(feed, store, open_store):
    await feed(ticket("1"), ticket("2"), ticket("3", at=T0 + 500))
    sweeps = [Sweep(open_store().database) for _ in range(3)]
    found = await asyncio.gather(
        *(asyncio.to_thread(one.run, {"triage": 60.0}, T0 + 100) for one in sweeps)
    )
    assert sum(one.get(("triage", "missing"), 0) for one in found) == 2
    assert counts(store) == {"missing": 2, "waiting": 1}
    assert [line.data["key"] for line in read(store, "outcome")] == ["1", "2"]
    assert sweeps[0].run({"triage": 60.0}, T0 + 100) == {}


async def test_an_outcome_that_nobody_asked_about_is_told(feed, store):
    await feed(decision())
    assert Sweep(store.database).run({"triage": 60.0}, T0 + 66) == {("triage", "unasked"): 1}
    assert counts(store) == {"unasked": 1}
    assert states(store) == ["early", "unasked"]


@pytest.mark.parametrize("agrees", [True, False])
async def test_a_second_outcome_is_a_duplicate_that_agrees_or_not(feed, store, agrees):
    await feed(ticket(), decision(), decision(category="quote" if agrees else "refund", at=T0 + 9))
    assert counts(store) == {"joined": 1, "duplicate": 1}
    line = read(store, "outcome")[-1]
    assert (line.data["state"], line.data["agrees"]) == ("duplicate", agrees)
    assert len(read(store, "comparison")) == 1


async def test_redeliveries_leave_nothing_twice_and_nobody_is_asked(feed, store, replacement):
    for attempt in (1, 2, 3):
        await feed(ticket(attempt=attempt))
        await feed(decision(attempt=attempt))
    assert len(replacement.asked) == 1
    assert counts(store) == {"joined": 1}
    for kind in ("request", "comparison", "outcome"):
        assert len(read(store, kind)) == 1


@pytest.mark.parametrize(
    "undecided",
    [
        {"state": "draft"},
        {"state": None},
        {"category": None},
        {"priority": None, "op": "update"},
        {"op": "delete"},
        {"op": "update", "before": {"ticket": "8"}},
    ],
)
async def test_what_is_not_decided_or_not_anew_is_no_outcome(feed, store, counters, undecided):
    await feed(ticket(), decision(**undecided))
    assert counts(store) == {"waiting": 1}
    assert read(store, "outcome") == []
    assert counters.snapshot()["outcomes", "triage", "undecided"] == 1


async def test_an_update_that_decides_is_an_outcome(feed, store):
    await feed(ticket(), decision(op="update", before={"category": None, "state": "draft"}))
    assert counts(store) == {"joined": 1}


async def test_a_decision_that_the_mapping_refuses_is_dead_whole(by_source, store):
    given = decision(score="much")
    taken = await by_source["decisions"].begin(given)
    await taken.durable
    assert taken.settlement.outcome == "dead"
    (kept,) = store.dead_letters.read()
    assert kept.letter.record.body == given.record.body
    assert "score" in taken.settlement.reason
    assert (kept.letter.endpoint, kept.letter.chain[0]["error"]) == ("triage", "MappingError")


async def test_an_abstention_takes_its_outcome_and_is_no_evidence(feed, store, replacement):
    replacement.status = "abstained"
    await feed(ticket())
    assert counts(store) == {"waiting": 1}
    await feed(decision())
    assert counts(store) == {"abstained": 1}
    assert read(store, "comparison") == []


async def test_golden_labels_decide_though_the_input_is_gone(event, table, store):
    labels = {("refund please 7",): {"category": "quote"}}
    golden = Golden(("text",), labels)
    event = dataclasses.replace(event, golden=golden)
    taking = takers([event], table, store)
    for one in (ticket(), decision(category="refund")):
        await (await taking[one.record.source].begin(one)).durable
    (seen,) = read(store, "comparison")
    assert (seen.data["winner"], seen.data["by"]) == ("replacement", "golden")
    assert "refund please" not in json.dumps(seen.data)


@pytest.mark.parametrize("fields", [{"stage": Stage.LEGACY}, {"killed": True}])
async def test_where_nobody_is_asked_outcomes_are_not_kept(feed, store, table, fields):
    table.route = msgspec.structs.replace(table.route, **fields)
    await feed(ticket(), decision())
    assert counts(store) == {}
    assert read(store, "outcome") == []


async def test_a_request_from_before_a_rollback_is_still_joined(feed, store, table):
    await feed(ticket())
    table.route = msgspec.structs.replace(table.route, stage=Stage.LEGACY)
    await feed(decision())
    assert counts(store) == {"joined": 1}


async def test_without_a_key_nothing_is_joined(feed, store):
    await feed(ticket(id=None), decision(ticket=None))
    assert counts(store) == {}
    assert states(store) == ["unkeyed", "unkeyed"]


async def test_bridges_that_race_join_each_pair_once(event, table, open_store):
    bridges = [takers([event], table, open_store()) for _ in range(3)]
    # Every delivery goes to two bridges, all at once, in no order.
    work = [(one, n) for n in range(30) for one in (ticket(str(n + 1)), decision(str(n + 1)))]
    jobs = [(one, bridge) for one, n in work for bridge in (n % 3, (n + 1) % 3)]
    random.Random(7).shuffle(jobs)

    async def take(one, bridge):
        return await at_last(bridges[bridge][one.record.source], one)

    assert set(await asyncio.gather(*(take(*job) for job in jobs))) == {"done"}
    store = open_store()
    assert counts(store) == {"joined": 30}
    joined = [line.request_id for line in read(store, "outcome") if line.data["state"] == "joined"]
    assert len(joined) == len(set(joined)) == 30
    assert len(read(store, "comparison")) == len(read(store, "request")) == 30


async def test_one_request_and_many_outcomes_at_once(event, table, open_store):
    bridges = [takers([event], table, open_store()) for _ in range(2)]
    given = [ticket(), *(decision(at=T0 + n) for n in range(1, 9))]

    async def take(one, bridge):
        await at_last(bridge[one.record.source], one)

    await asyncio.gather(*(take(one, bridges[at % 2]) for at, one in enumerate(given)))
    found = counts(open_store())
    assert found["joined"] == 1
    assert found.get("duplicate", 0) + found.get("early", 0) == 7


async def test_the_guardrail_passes_on_observed_outcomes(event, table, store, feed):
    guardrail = Guardrail(samples=20, margin=0.2, stay=False)
    settings = msgspec.structs.replace(event.config, guardrail=guardrail)
    assert gather(store, settings, table.route).verdict.outcome == "hold"
    for number in range(1, 41):
        await feed(ticket(str(number)), decision(str(number)))
    found = gather(store, settings, table.route)
    assert (found.counts.both, found.verdict.outcome) == (40, "pass")
    assert outcome_counts(store.database, "triage") == OutcomeCounts(joined=40)


async def test_one_source_may_carry_requests_and_outcomes(event, table, store, example):
    outcome = Outcome(source="tickets", when={"status": "D"})
    settings = msgspec.structs.replace(event.config, outcome=outcome)
    observed = load_observed(settings, event.operation, event.mapping, example)
    both = dataclasses.replace(event, config=settings, observed=observed)
    taking = takers([both], table, store)
    assert taking.keys() == {"tickets"}
    opened, closed = ticket(), ticket(at=T0 + 3, category="C10", priority="3", score="0.90")
    image = json.loads(closed.record.body) | {"status": "D"}
    record = msgspec.structs.replace(
        closed.record,
        body=json.dumps(image).encode(),
        headers=(("op", "update"), ("before", opened.record.body.decode())),
    )
    for one in (opened, msgspec.structs.replace(closed, record=record)):
        await (await taking["tickets"].begin(one)).durable
    assert counts(store) == {"joined": 1}
    assert len(read(store, "request")) == 1
    (seen,) = read(store, "comparison")
    assert seen.data["winner"] == "both"


async def test_one_record_may_be_both(event, table, store, example):
    outcome = Outcome(source="tickets", when={"status": "*"})
    settings = msgspec.structs.replace(event.config, outcome=outcome)
    observed = load_observed(settings, event.operation, event.mapping, example)
    both = dataclasses.replace(event, config=settings, observed=observed)
    taking = takers([both], table, store)
    one = ticket(category="C10", priority="3", score="0.90")
    await (await taking["tickets"].begin(one)).durable
    assert counts(store) == {"joined": 1}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"key": "id"}, "no such place"),
        ({"when": {"status": "D"}}, "no such place"),
        ({"match": "ticket"}, "no such field"),
        ({"within": 0.0}, "no window"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_runs(event, tmp_path, change, says):
    outcome = msgspec.structs.replace(event.config.outcome, **change)
    settings = msgspec.structs.replace(event.config, outcome=outcome)
    with pytest.raises(ConfigError, match=says):
        load_observed(settings, event.operation, event.mapping, tmp_path)


async def test_every_process_looks_for_what_is_overdue(event, store, feed, counters):
    from stranglerfig.routing.overdue import Overdue

    await feed(ticket("1"), decision("2"))
    overdue = Overdue([event], store, counters)
    assert not await overdue.look()
    assert counts(store) == {"missing": 1, "unasked": 1}
    found = counters.snapshot()
    assert found["outcomes", "triage", "missing"] == found["outcomes", "triage", "unasked"] == 1
