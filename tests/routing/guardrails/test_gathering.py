"""The evidence as it is read from a store: rungs, climbs and the combined verdict."""

from __future__ import annotations

import msgspec
import pytest

from stranglerfig.guardrail_settings import Guardrail, Stay
from stranglerfig.model import Stage
from stranglerfig.routing.guardrails.evidence import Gathering, gather
from stranglerfig.routing.guardrails.rung import Rung
from stranglerfig.store.measures import Failure, Place, Sampled, Sum

NOW = 1_900_000_000.0


@pytest.fixture
def guarded(settings):
    bounds = Guardrail(stay=Stay(seconds=0, requests=10))
    return msgspec.structs.replace(settings, guardrail=bounds)


@pytest.fixture
def measure(store, monkeypatch):
    monkeypatch.setattr("stranglerfig.routing.guardrails.evidence.time.time", lambda: NOW)

    def add(route, replacement=0, legacy=0, at=NOW, answered=0, name="f", keys=(0, 0)):
        place = Place(route.endpoint, route.revision, Rung.of(route).label)
        failures = [
            Failure(place, f"{name}{side}{n}", side, f"{name}{side}{n}", "raised")
            for side, count in (("replacement", replacement), ("legacy", legacy))
            for n in range(count)
        ]
        sums = [Sum(place, "ms", "replacement", answered, 1.0, 1.0)] if answered else []
        drawn = [Sampled(place, f"r{n}", "replacement") for n in range(keys[0])]
        drawn += [Sampled(place, f"l{n}", "legacy") for n in range(keys[1])]
        store.measures.add(at, sums, failures, drawn)

    return add


def test_all_that_is_measured_comes_to_one_verdict(store, guarded, put, observe, measure):
    route = put("canary", percent=10.0)
    observe("r1", both=300)
    assert gather(store, guarded, route).verdict.outcome == "hold"
    measure(route, 1, 9, answered=20, keys=(10, 90))
    found = gather(store, guarded, route)
    assert found.verdict.outcome == "pass"
    names = [one.guardrail for one in found.verdicts]
    assert names == ["breaker", "paired", "errors", "sample ratio", "stay"]
    assert found.of("errors").figures["legacy"] == 9
    assert found.of("latency") is None
    assert msgspec.json.encode(found.snapshot())


def test_five_failures_in_a_minute_trip_the_breaker_and_older_ones_do_not(
    store, guarded, put, measure
):
    route = put("canary", percent=10.0)
    measure(route, 4, at=NOW - 10, name="a")
    measure(route, 4, at=NOW - 90, name="b")
    assert gather(store, guarded, route).of("breaker").outcome == "pass"
    measure(route, 1, at=NOW, name="c")
    found = gather(store, guarded, route)
    assert (found.verdict.outcome, found.verdict.guardrail) == ("fail", "breaker")


def test_old_failures_do_not_fail_a_route_that_comes_back_to_the_rung(store, guarded, put, measure):
    """A counter that never decays fails a long migration on old noise."""
    first = put("canary", percent=10.0)
    measure(first, 60, 40, at=NOW - 5)
    gathering = Gathering(store, guarded)
    assert gathering(first).verdict.outcome == "fail"
    put("shadow")
    again = put("canary", percent=10.0)
    found = gathering(again)
    assert (found.of("breaker").figures["failures"], found.of("errors").figures["e_value"]) == (
        0,
        1,
    )


def test_errors_of_the_rungs_of_one_climb_are_multiplied(store, guarded, put, measure):
    gathering = Gathering(store, guarded)
    rungs = [put("canary", percent=percent) for percent in (1.0, 5.0, 10.0)]
    e_values = []
    for route in rungs:
        measure(route, 6, 20, at=NOW - 1000)
        e_values.append(gathering(route).of("errors").figures["e_value"])
    assert e_values[0] < e_values[1] < e_values[2]
    assert gathering(rungs[-1]).of("errors").figures["replacement"] == 18


def test_a_new_revision_starts_at_zero(store, guarded, put, observe, measure):
    route = put("canary", percent=10.0)
    observe("r1", legacy=30)
    measure(route, 60, 40, answered=500)
    assert gather(store, guarded, route).verdict.outcome == "fail"
    newer = put("canary", percent=10.0, revision="r2")
    found = gather(store, guarded, newer)
    assert (found.counts.total, found.verdict.outcome) == (0, "hold")
    assert found.of("stay").figures["requests"] == 0


def test_in_shadow_what_it_was_asked_is_what_it_answered(store, guarded, put, measure):
    route = put("shadow")
    place = Place("triage", "r1", Rung.of(route).label)
    store.measures.add(NOW, [Sum(place, "asked", "replacement", 12, 0.0, 0.0)])
    assert gather(store, guarded, route).of("stay").outcome == "pass"


def test_a_killed_route_is_judged_by_nobody(store, guarded, put, observe):
    route = put("live", killed=True)
    observe("r1", legacy=30)
    found = gather(store, guarded, route)
    assert (found.verdict.outcome, found.verdict.guardrail) == ("hold", "kill")


def test_at_legacy_nothing_is_read_and_nothing_passes(store, guarded, put, observe):
    route = put(Stage.LEGACY)
    observe("r1", both=300)
    assert gather(store, guarded, route).verdict.outcome == "hold"
