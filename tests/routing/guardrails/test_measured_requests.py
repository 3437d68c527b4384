"""What the dispatcher, the shadow and the events tell the guardrails of real requests."""

from __future__ import annotations

import dataclasses
import time

import msgspec
import pytest

from stranglerfig.errors import ReplacementUnavailable
from stranglerfig.guardrail_settings import Guardrail
from stranglerfig.model import Route, Stage
from stranglerfig.routing.dispatch import Dispatcher
from stranglerfig.routing.guardrails.observations import Observations
from stranglerfig.routing.guardrails.rung import Rung
from stranglerfig.routing.shadow import Pair, compared
from stranglerfig.store.measures import Place
from stranglerfig.telemetry import Counters


class Table:
    def __init__(self, stage, percent=0.0):
        self.route = Route(
            endpoint="triage", stage=stage, percent=percent, revision="r1", salt="s", since=1
        )

    def current(self, endpoint):
        assert endpoint == "triage"
        return self.route


class Offers:
    def __init__(self):
        self.pairs = []

    def offer(self, pair):
        self.pairs.append(pair)


@pytest.fixture
def seen(store, settings):
    observations = Observations(store.measures)
    observations.follow([msgspec.structs.replace(settings, guardrail=Guardrail())])
    return observations


@pytest.fixture
def measured(store, seen):
    async def read(table):
        await seen.flush()
        place = Place("triage", "r1", Rung.of(table.route).label)
        return store.measures.read(place, since=1, now=time.time(), seconds=60.0)

    return read


@pytest.fixture
def serving(endpoint, store, seen):
    def make(table, offers=None):
        offers = offers or Offers()
        return Dispatcher(endpoint, table, store.journal, offers, Counters(), seen)

    return make


async def test_a_live_answer_and_its_usage_are_measured(serving, measured, call, replacement):
    table = Table(Stage.LIVE)
    await serving(table).serve(call())
    found = await measured(table)
    assert found.sums["ms", "replacement"][0] == 1
    assert found.spent["calls"] == 1
    assert (found.failed, found.recent) == ({}, 0)


async def test_a_fallback_is_a_failure_and_its_retries_are_none(
    serving, measured, call, replacement
):
    table = Table(Stage.LIVE)
    replacement.raises = ReplacementUnavailable("is down")
    for position in range(6):
        await serving(table).serve(call(position=str(position)))
    assert (await measured(table)).recent == 1
    for position in range(4):
        await serving(table).serve(call(text=f"another {position}", position=f"b{position}"))
    assert (await measured(table)).recent == 5


async def test_abstaining_is_no_failure(serving, measured, call, replacement):
    table = Table(Stage.LIVE)
    replacement.status = "abstained"
    await serving(table).serve(call())
    found = await measured(table)
    assert (found.recent, found.sums["abstained", "replacement"][0]) == (0, 1)


async def test_a_canary_draws_its_keys(serving, measured, call):
    table = Table(Stage.CANARY, 50.0)
    for number in range(20):
        await serving(table).serve(call(customer=f"C-{number % 10}", position=str(number)))
    found = await measured(table)
    assert sum(found.keys.values()) == 10
    assert found.sums["ms", "legacy"][0] + found.sums["ms", "replacement"][0] == 20


async def test_legacy_that_fails_on_its_own_keys_is_measured_too(serving, measured, call, legacy):
    table, legacy.down = Table(Stage.CANARY, 1e-9), True
    with pytest.raises(Exception, match="is down"):
        await serving(table).serve(call())
    found = await measured(table)
    assert found.failed == {(Rung.of(table.route).label, "legacy"): 1}


@pytest.mark.parametrize("stage", [Stage.SHADOW, Stage.LIVE])
async def test_both_sides_times_are_compared_whoever_served(serving, measured, call, seen, stage):
    table, offers = Table(stage), Offers()
    await serving(table, offers).serve(call())
    (pair,) = offers.pairs
    assert pair.took > 0
    await compared(pair, seen)
    found = await measured(table)
    steps = [name for name, _ in found.sums if name.startswith("step:")]
    assert len(steps) == 1
    assert found.sums["asked", "replacement"][0] == 1 if stage is Stage.SHADOW else True
    assert found.spent["calls"] == 1


async def test_a_shadow_that_fails_is_no_failure_of_the_rung(
    endpoint, call, seen, measured, replacement
):
    table = Table(Stage.SHADOW)
    replacement.raises = ReplacementUnavailable("is down")
    request = endpoint.request(call())
    pair = Pair(endpoint=endpoint, request=request, revision="r1", route=table.route, took=0.1)
    await compared(dataclasses.replace(pair, legacy=call()), seen)
    assert (await measured(table)).recent == 0
