"""Breaker, budget, sample ratio, stay and metrics: what each says of its counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.guardrail_settings import Breaker, Metric, Ratio, Stay
from stranglerfig.routing.guardrails import breaker, budget, metric, ratio, stay
from stranglerfig.routing.guardrails.metric import Reading

DOWN, NONE = Reading(error="is down"), Reading()
LOAD = Metric(name="load", source="db", query="select 1", max=10.0, times=2)


def test_the_breaker_trips_at_its_number() -> None:
    outcomes = [breaker.judge(failures, Breaker()).outcome for failures in range(7)]
    assert outcomes == ["pass"] * 5 + ["fail"] * 2


def test_a_budget_fails_above_and_passes_at_its_end() -> None:
    assert budget.judge({"tokens": 100.0}, {"tokens": 100}).outcome == "pass"
    verdict = budget.judge({"tokens": 101.0, "cost": 1.0}, {"tokens": 100, "cost": 2})
    assert verdict.outcome == "fail"
    assert "tokens" in verdict.reason.partition(":")[0]
    assert "cost" not in verdict.reason.partition(":")[0]


def test_what_no_reply_tells_of_is_not_within_its_budget() -> None:
    verdict = budget.judge({"tokens": 1.0}, {"tokens": 100, "cost": 2})
    assert verdict.outcome == "hold"
    assert "cost" in verdict.missing


def test_the_sample_ratio_takes_both_ways_and_holds_on_nothing() -> None:
    bounds = Ratio()
    assert ratio.judge(0, 0, 0.1, bounds).outcome == "hold"
    assert ratio.judge(100, 900, 0.1, bounds).outcome == "pass"
    assert ratio.judge(200, 900, 0.1, bounds).outcome == "fail"
    assert ratio.judge(20, 900, 0.1, bounds).outcome == "fail"


@given(st.integers(0, 2000), st.sampled_from([0.01, 0.1, 0.5]))
def test_keys_by_the_share_are_never_a_mismatch(keys: int, share: float) -> None:
    mine = round(keys * share)
    assert ratio.judge(mine, keys - mine, share, Ratio()).outcome != "fail"


def test_a_stay_needs_time_and_requests_both() -> None:
    bounds = Stay(seconds=60, requests=10)
    assert stay.judge(60, 10, bounds).outcome == "pass"
    for seconds, requests, missing in [
        (1e9, 0, "10 more requests on this rung"),
        (0, 10**6, "60 s more on this rung"),
        (59.5, 9, "1 more requests on this rung and 1 s more on this rung"),
    ]:
        verdict = stay.judge(seconds, requests, bounds)
        assert (verdict.outcome, verdict.missing) == ("hold", missing)


@given(st.floats(0, 1e6), st.integers(0, 10**6))
def test_a_stay_never_fails(seconds: float, requests: int) -> None:
    assert stay.judge(seconds, requests, Stay()).outcome in ("pass", "hold")


@pytest.mark.parametrize(
    ("readings", "outcome"),
    [
        ([], "hold"),
        ([NONE], "hold"),
        ([Reading(10.0)], "pass"),
        ([Reading(10.1)], "hold"),
        ([Reading(10.1), Reading(10.1)], "fail"),
        ([Reading(11.0), Reading(9.0), Reading(11.0)], "hold"),
        ([Reading(11.0), NONE, Reading(11.0)], "hold"),
        ([Reading(11.0), DOWN, Reading(11.0)], "hold"),
        ([Reading(11.0), Reading(11.0), DOWN], "error"),
        ([DOWN, Reading(1.0)], "pass"),
    ],
)
def test_a_metric_by_its_last_readings(readings, outcome) -> None:
    assert metric.judge(LOAD, readings).outcome == outcome


def test_errors_in_a_row_are_counted_and_are_no_measurements() -> None:
    verdict = metric.judge(LOAD, [Reading(1.0), DOWN, DOWN])
    assert (verdict.outcome, verdict.figures["errors"]) == ("error", 2)


def test_a_metric_says_its_range() -> None:
    least = Metric(name="free", source="db", query="q", min=5.0)
    both = Metric(name="mid", source="db", query="q", min=5.0, max=6.0)
    assert "at least 5" in metric.judge(least, [Reading(4.0)]).reason
    assert "between 5 and 6" in metric.judge(both, [Reading(5.5)]).reason
    assert "at most 10" in metric.judge(LOAD, [Reading(4.0)]).reason
