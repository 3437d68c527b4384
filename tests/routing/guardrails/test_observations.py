"""What a process measures: what counts as what, and that it reaches the store once."""

from __future__ import annotations

import asyncio
import time

import msgspec
import pytest

from stranglerfig.guardrail_settings import Guardrail, Ratio
from stranglerfig.model import Record, Request, Route, Side, Stage
from stranglerfig.routing.exchange import Exchange
from stranglerfig.routing.guardrails.observations import Observations
from stranglerfig.routing.guardrails.rung import Rung
from stranglerfig.store.measures import Place

ROUTE = Route(endpoint="triage", stage=Stage.CANARY, percent=10.0, revision="r1", since=2)
PLACE = Place("triage", "r1", Rung.of(ROUTE).label)


@pytest.fixture
def seen(store, settings):
    observations = Observations(store.measures)
    observations.follow([msgspec.structs.replace(settings, guardrail=Guardrail())])
    return observations


def exchange(
    key="C-1", side=Side.REPLACEMENT, fallback="", text="refund", rule="percent", route=ROUTE
):
    record = Record(source="desk", position="1", kind="soap", body=b"")
    request = Request(
        id="1", operation="o", version=1, source="desk", key=key, payload={"text": text}
    )
    made = Exchange(record, route, route.revision)
    made.request, made.decided, made.fallback, made.rule = request, side, fallback, rule
    return made


def read(store, place=PLACE):
    return store.measures.read(place, since=2, now=time.time(), seconds=60.0)


async def test_answers_are_timed_by_the_side_that_was_decided_on(seen, store):
    seen.answered(exchange(side=Side.LEGACY), Side.LEGACY, "ok")
    for _ in range(3):
        seen.answered(exchange(), Side.REPLACEMENT, "ok")
    await seen.flush()
    sums = read(store).sums
    assert (sums["ms", "legacy"][0], sums["ms", "replacement"][0]) == (1, 3)
    assert read(store).failed == {}


@pytest.mark.parametrize("reason", ["deadline", "unavailable", "contract", "raised", "error"])
async def test_a_fallback_is_a_failure_of_the_replacement_and_no_answer_of_legacy(
    seen, store, reason
):
    seen.answered(exchange(fallback=reason), Side.LEGACY, "ok")
    await seen.flush()
    found = read(store)
    assert found.failed == {(PLACE.rung, "replacement"): 1}
    assert ("ms", "legacy") not in found.sums


@pytest.mark.parametrize("reason", ["abstained", "store", "input"])
async def test_what_is_not_the_replacement_s_fault_is_no_failure(seen, store, reason):
    seen.answered(exchange(fallback=reason), Side.LEGACY, "ok")
    await seen.flush()
    assert (read(store).failed, read(store).recent) == ({}, 0)


@pytest.mark.parametrize("status", ["fault", "error"])
async def test_legacy_that_raises_or_faults_leaves_its_evidence(seen, store, status):
    seen.answered(exchange(side=Side.LEGACY), Side.LEGACY, status)
    await seen.flush()
    assert read(store).failed == {(PLACE.rung, "legacy"): 1}


async def test_retries_of_one_poisoned_request_are_one_observation_in_every_process(seen, store):
    other = Observations(store.measures)
    for observations in (seen, other, seen):
        for _ in range(20):
            observations.answered(exchange(fallback="raised"), Side.LEGACY, "ok")
        await observations.flush()
    found = read(store)
    assert (found.recent, found.failed) == (1, {(PLACE.rung, "replacement"): 1})


async def test_another_request_of_the_key_trips_the_breaker_and_moves_no_statistic(seen, store):
    for number in range(6):
        seen.answered(exchange(fallback="raised", text=str(number)), Side.LEGACY, "ok")
    await seen.flush()
    found = read(store)
    assert (found.recent, found.failed) == (6, {(PLACE.rung, "replacement"): 1})


async def test_what_a_pin_or_a_rule_decided_is_no_draw(seen, store):
    seen.answered(exchange(rule="pin", fallback="raised"), Side.LEGACY, "ok")
    seen.answered(exchange(rule="pin"), Side.REPLACEMENT, "ok")
    await seen.flush()
    found = read(store)
    assert (found.failed, found.keys, found.recent) == ({}, {}, 1)


async def test_a_key_is_drawn_once_however_often_it_comes(seen, store):
    for number in range(30):
        side = Side.REPLACEMENT if number % 3 == 0 else Side.LEGACY
        seen.answered(exchange(key=str(number % 6), side=side), side, "ok")
        if number % 10 == 0:
            await seen.flush()
    await seen.flush()
    assert read(store).keys == {"replacement": 2, "legacy": 4}


async def test_no_more_keys_are_kept_than_are_looked_at(seen, store, settings):
    bounds = Guardrail(ratio=Ratio(keys=5))
    seen.follow([msgspec.structs.replace(settings, guardrail=bounds)])
    for number in range(50):
        seen.answered(exchange(key=str(number)), Side.REPLACEMENT, "ok")
    await seen.flush()
    assert read(store).keys == {"replacement": 5}


async def test_usage_calls_and_times_are_summed(seen, store):
    seen.used(ROUTE, {"tokens": 10.0, "cost": 0.5})
    seen.used(ROUTE, {"tokens": 5.0}, shadow=True)
    for _ in range(4):
        seen.timed(ROUTE, replacement=2.0, legacy=1.0)
    await seen.flush()
    found = read(store)
    assert found.spent == {"tokens": 15.0, "cost": 0.5, "calls": 2.0}
    assert found.sums["asked", "replacement"][0] == 1
    assert found.sums["step:16", ""][0] == 4


async def test_a_rung_that_is_left_is_written_as_what_it_was(seen, store):
    later = msgspec.structs.replace(ROUTE, percent=50.0, since=3)
    seen.answered(exchange(), Side.REPLACEMENT, "ok")
    seen.answered(exchange(route=later), Side.REPLACEMENT, "ok")
    seen.answered(exchange(), Side.REPLACEMENT, "ok")  # it was under way
    await seen.flush()
    other = PLACE._replace(rung=Rung.of(later).label)
    counts = [read(store, place).sums["ms", "replacement"][0] for place in (PLACE, other)]
    assert counts == [2, 1]


async def test_a_change_that_stays_on_the_rung_goes_on_counting_there(seen, store):
    paused = msgspec.structs.replace(ROUTE, paused=True, version=9)
    for route in (ROUTE, paused):
        seen.answered(exchange(route=route), Side.REPLACEMENT, "ok")
    await seen.flush()
    assert read(store).sums["ms", "replacement"][0] == 2
    assert read(store).keys == {"replacement": 1}


async def test_while_the_store_is_lost_it_waits_and_is_counted_once(seen, store, file):
    away = file.with_name("away.db")
    seen.answered(exchange(fallback="raised"), Side.LEGACY, "ok")
    file.rename(away)
    await seen.flush()
    seen.answered(exchange(), Side.REPLACEMENT, "ok")
    await seen.flush()
    away.rename(file)
    await seen.flush()
    await seen.flush()
    found = read(store)
    assert (found.recent, found.sums["ms", "replacement"][0]) == (1, 1)
    assert found.keys == {"replacement": 1}


async def test_a_flood_of_failures_is_bounded_and_counted(seen):
    for number in range(5_100):
        seen.answered(exchange(fallback="raised", text=str(number)), Side.LEGACY, "ok")
    assert seen.dropped == 100


async def test_it_writes_by_itself_until_it_is_cancelled(seen, store, until):
    task = asyncio.create_task(seen.run(0.01))
    seen.answered(exchange(), Side.REPLACEMENT, "ok")
    await until(lambda: read(store).sums)
    seen.used(ROUTE, {"tokens": 3.0})
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert read(store).spent["tokens"] == 3


async def test_without_a_store_it_forgets():
    observations = Observations()
    observations.answered(exchange(), Side.REPLACEMENT, "ok")
    observations.failed(exchange(), "raised")
    await observations.flush()
    assert observations.dropped == 0
