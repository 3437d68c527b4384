"""A difference that stands open is decided by what legacy records later, once and whatever is first."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json

import msgspec
import pytest

from stranglerfig.model import Delivery, Record, Route, Stage
from stranglerfig.routing.adjudication.golden import Golden
from stranglerfig.routing.deciding import takers
from stranglerfig.routing.later import Later
from stranglerfig.routing.ledger import Ledger
from stranglerfig.routing.observed import load_observed
from stranglerfig.routing.shadow import Pair, Shadow
from stranglerfig.settings import Outcome
from stranglerfig.store.outcomes import outcome_counts
from stranglerfig.telemetry import Counters

DECISION = """
operation = "ticket.triage@1"
from = { kind = "row", columns = ["customer", "category", "priority", "score"] }
ignore = { customer = "joined by it" }
reply = [
  { src = "category", dst = "category", as = "text" },
  { src = "priority", dst = "priority", as = "text" },
  { src = "score",    dst = "score",    as = "decimal(2)" },
]
"""
T0 = 1_700_000_000.0


class Table:
    def current(self, endpoint):
        return Route(endpoint=endpoint, stage=Stage.SHADOW, revision="r1")


@pytest.fixture
def served(endpoint, tmp_path):
    """A facade's endpoint, whose cases are decided in a table later."""
    (tmp_path / "decided.toml").write_text(DECISION)
    outcome = Outcome(
        source="decisions", mapping="decided.toml", key="customer", match="customer", within=60
    )
    settings = msgspec.structs.replace(endpoint.config, outcome=outcome)
    observed = load_observed(settings, endpoint.operation, endpoint.mapping, tmp_path)
    return dataclasses.replace(endpoint, config=settings, observed=observed)


@pytest.fixture
def differ(store, served, legacy, call):
    """Put a case through the shadow; legacy says refund, the replacement quote."""

    async def run(customer="C-1", *, at=T0, endpoint=None):
        counters = Counters()
        later = Later(Ledger(store, counters))
        shadow = Shadow(store.journal, counters, later=later)
        task = asyncio.create_task(shadow.run())
        record = msgspec.structs.replace(
            call(customer, text=f"refund {customer}", position=customer), captured_at=at
        )
        answer = await legacy(record, 1e12)
        endpoint = endpoint or served
        request = endpoint.request(record)
        shadow.offer(Pair(endpoint=endpoint, request=request, revision="r1", legacy=answer))
        await shadow.drain()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert store.journal.flush(10)

    return run


@pytest.fixture
def decide(store, served):
    async def take(category, customer="C-1", *, at=T0 + 5, position=""):
        values = {"customer": customer, "category": category, "priority": "low", "score": "0.90"}
        record = Record(
            source="decisions",
            position=position or f"d{customer}@{at}",
            kind="row",
            body=json.dumps(values).encode(),
            headers=(("op", "insert"),),
            captured_at=at,
        )

        async def settle(settlement):
            raise AssertionError("the bridge settles, nobody else")

        by_source = takers([served], Table(), store, Counters())
        taken = await by_source["decisions"].begin(Delivery(record=record, settle=settle))
        await taken.durable

    return take


def counts(store):
    found = store.evidence.counts("triage", "r1")
    return {name: n for name in found.__struct_fields__ if (n := getattr(found, name))}


def adjudications(store):
    return [e.line.data for e in store.journal.read(kinds=["adjudication"])]


@pytest.mark.parametrize(
    ("category", "winner"),
    [("quote", "replacement"), ("refund", "legacy"), ("complaint", "neither")],
)
async def test_what_legacy_records_later_says_who_was_right(
    store, differ, decide, category, winner
):
    await differ()
    assert counts(store) == {"open": 1}
    await decide(category)
    assert counts(store) == {winner: 1}
    (told,) = adjudications(store)
    assert (told["by"], told["winner"]) == ("outcome", winner)
    store.evidence.rebuild()
    assert counts(store) == {winner: 1}


async def test_an_outcome_that_came_first_decides_as_well(store, differ, decide):
    await decide("quote")
    await differ()
    assert counts(store) == {"replacement": 1}


async def test_an_outcome_that_is_late_or_of_another_case_decides_nothing(store, differ, decide):
    await differ()
    await decide("quote", "C-2")
    await decide("quote", at=T0 + 61)
    assert counts(store) == {"open": 1}
    found = outcome_counts(store.database, "triage")
    assert (found.late, found.early) == (1, 1)


async def test_one_outcome_is_one_decision_however_often_it_comes(store, differ, decide):
    await differ()
    for _ in range(3):
        await decide("quote", position="same")
    assert len(adjudications(store)) == 1


async def test_what_a_label_decides_waits_for_nothing(store, differ, served, decide):
    golden = Golden(("text",), {("refund C-1",): {"category": "refund"}})
    await differ(endpoint=dataclasses.replace(served, golden=golden))
    assert counts(store) == {"legacy": 1}
    await decide("quote")
    assert counts(store) == {"legacy": 1}


async def test_where_outcomes_are_not_asked_for_none_is_waited_for(store, differ, served):
    order = msgspec.structs.replace(served.config.adjudication, order=("golden", "people"))
    config = msgspec.structs.replace(served.config, adjudication=order)
    await differ(endpoint=dataclasses.replace(served, config=config))
    assert outcome_counts(store.database, "triage").waiting == 0
    assert counts(store) == {"open": 1}
