"""What all guardrails come to, and the order in which they decide."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.guardrail_settings import Guardrail, Latency, Metric, Stay
from stranglerfig.model import Stage, Verdict
from stranglerfig.routing.guardrails.combine import combined, judge_all
from stranglerfig.routing.guardrails.errors import Went
from stranglerfig.routing.guardrails.figures import Figures
from stranglerfig.routing.guardrails.metric import Reading
from stranglerfig.routing.guardrails.rung import Rung
from stranglerfig.store.evidence import Counts

CANARY = Rung(Stage.CANARY, 10.0, 4)
GOOD = {
    "rung": CANARY,
    "counts": Counts(both=300),
    "went": [Went(0.1, 1, 9)],
    "keys": (100, 900),
    "answered": 1_000,
    "seconds": 3_600.0,
}
HARM = {"went": [Went(0.1, 60, 40)]}
ASKEW = {"keys": (500, 500)}
METRIC = Metric(name="m", source="s", query="q", max=1)


def verdict(bounds=None, **figures):
    found = Figures(**{**GOOD, **figures})
    return combined(judge_all(found, bounds or Guardrail()), found.counts.total)


def test_all_passing_pass() -> None:
    found = verdict()
    assert (found.outcome, found.guardrail, found.figures["pairs"]) == ("pass", "all", 300)


def test_a_run_that_ends_before_any_measurement_is_a_hold_and_never_a_pass() -> None:
    for stage in Stage:
        figures = Figures(rung=Rung(stage, 10.0, 1), seconds=1e9)
        bounds = Guardrail(samples=0, latency=True, mismatch=True, budget={"calls": 5})
        found = judge_all(figures, bounds)
        assert combined(found, 0).outcome == "hold"
        assert "pass" not in {one.outcome for one in found if one.guardrail != "breaker"}


def test_without_a_least_stay_the_rungs_before_must_do_and_nothing_still_never_passes() -> None:
    short = Guardrail(stay=False)
    empty = {"went": (), "keys": (0, 0), "answered": 0, "seconds": 0.0}
    assert verdict(short, **empty).outcome == "pass"
    assert verdict(short, **{**empty, "went": GOOD["went"]}).outcome == "pass"
    assert verdict(short, **empty, counts=Counts()).outcome == "hold"
    assert verdict(Guardrail(stay=False, paired=False), **empty).outcome == "hold"
    assert verdict(short, **{**empty, **HARM}).outcome == "fail"


def test_with_everything_switched_off_nothing_passes() -> None:
    off = Guardrail(paired=False, errors=False, ratio=False, breaker=False, stay=False)
    assert judge_all(Figures(**GOOD), off) == ()
    assert verdict(off).outcome == "hold"


def test_the_order_is_kill_breaker_statistics_sample_ratio() -> None:
    everything = {**HARM, **ASKEW, "failures": 9, "counts": Counts(legacy=50)}
    killed = verdict(killed=True, **everything)
    assert (killed.outcome, killed.guardrail) == ("hold", "kill")
    assert verdict(**everything).guardrail == "breaker"
    assert verdict(**{**everything, "failures": 0}).guardrail == "paired"
    assert verdict(**HARM, **ASKEW).guardrail == "errors"
    assert verdict(**ASKEW).guardrail == "sample ratio"


def test_a_sample_ratio_that_is_askew_does_not_hide_harm() -> None:
    found = verdict(**HARM, **ASKEW)
    assert (found.outcome, found.guardrail) == ("fail", "errors")
    assert "more goes wrong" in found.reason


def test_a_failure_comes_before_an_error_and_an_error_before_a_hold() -> None:
    bounds = Guardrail(metrics=(METRIC,))
    down = {"readings": {"m": [Reading(error="down")]}}
    assert verdict(bounds, **down, **HARM).outcome == "fail"
    assert verdict(bounds, **down, seconds=0.0).outcome == "error"
    assert verdict(bounds, seconds=0.0, readings={"m": [Reading(0.0)]}).outcome == "hold"


def test_what_is_missing_is_all_that_is_missing() -> None:
    found = verdict(Guardrail(latency=Latency()), seconds=0.0, answered=1)
    assert "timed" in found.missing
    assert "99 more requests on this rung and 600 s more" in found.missing


@pytest.mark.parametrize("stage", [Stage.LEGACY, Stage.SHADOW])
def test_where_nobody_is_served_by_the_replacement_there_is_nothing_to_break(stage) -> None:
    names = {one.guardrail for one in judge_all(Figures(rung=Rung(stage, 0.0, 1)), Guardrail())}
    assert names == {"paired", "stay"}


def test_live_has_no_share_to_look_at() -> None:
    found = judge_all(Figures(rung=Rung(Stage.LIVE, 0.0, 1)), Guardrail())
    assert {one.guardrail for one in found} == {"breaker", "paired", "stay"}


@pytest.mark.parametrize("name", ["paired", "errors", "ratio", "breaker", "stay"])
def test_each_can_be_switched_off(name) -> None:
    title = {"ratio": "sample ratio"}.get(name, name)
    on = {one.guardrail for one in judge_all(Figures(**GOOD), Guardrail())}
    off = {one.guardrail for one in judge_all(Figures(**GOOD), Guardrail(**{name: False}))}
    assert on - off == {title}


outcomes = st.sampled_from(["pass", "fail", "hold", "error"])


@given(st.lists(outcomes, max_size=8))
def test_only_what_all_pass_passes_and_whatever_fails_fails(names) -> None:
    verdicts = [Verdict(outcome=one, guardrail=str(at), reason="r") for at, one in enumerate(names)]
    found = combined(verdicts, 1).outcome
    assert (found == "pass") == (set(names) == {"pass"})
    assert (found == "fail") == ("fail" in names)
    if "error" in names:
        assert found in ("fail", "error")


@given(
    st.builds(Counts, both=st.integers(0, 500), legacy=st.integers(0, 30), open=st.integers(0, 30)),
    st.integers(0, 10),
    st.integers(0, 500),
    st.floats(0, 1e5),
)
def test_more_time_and_more_agreement_never_turn_a_pass_into_less(
    counts, failures, answered, seconds
) -> None:
    bounds = Guardrail(stay=Stay(seconds=60, requests=20))
    now = verdict(bounds, counts=counts, failures=failures, answered=answered, seconds=seconds)
    later = verdict(
        bounds,
        counts=Counts(both=counts.both + 50, legacy=counts.legacy, open=counts.open),
        failures=failures,
        answered=answered + 50,
        seconds=seconds + 50,
    )
    rank = {"fail": 0, "hold": 1, "pass": 2}
    assert rank[later.outcome] >= rank[now.outcome]
