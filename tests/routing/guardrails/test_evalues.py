"""What is shown of each guardrail's test, and at what it fails."""

from __future__ import annotations

import pytest

from stranglerfig.guardrail_settings import Guardrail
from stranglerfig.model import Stage
from stranglerfig.routing.guardrails.combine import judge_all
from stranglerfig.routing.guardrails.errors import Went
from stranglerfig.routing.guardrails.evalues import e_values
from stranglerfig.routing.guardrails.figures import Figures
from stranglerfig.routing.guardrails.rung import Rung
from stranglerfig.routing.guardrails.watch import Watch
from stranglerfig.store.evidence import Counts
from stranglerfig.telemetry import GAUGE_LABELS, Counters

GOOD = {
    "rung": Rung(Stage.CANARY, 10.0, 4),
    "went": [Went(0.1, 1, 9)],
    "keys": (100, 900),
    "answered": 1_000,
    "seconds": 3_600.0,
    "steps": {1: 40, -1: 40},
}


@pytest.mark.parametrize(
    ("legacy_only", "failed"),
    [(0, set()), (3, set()), (60, {"paired", "mismatch"})],
)
def test_what_fails_stands_at_what_it_needs_and_nothing_else_does(legacy_only, failed):
    """By the very verdicts: a gauge and a guardrail never say two things."""
    counts = Counts(both=200, legacy=legacy_only)
    bounds = Guardrail(mismatch=True, latency=True, budget={"calls": 5})
    verdicts = judge_all(Figures(**GOOD, counts=counts), bounds)
    found = e_values("triage", verdicts)
    names = {name for _, _, name in found}
    assert names == {"paired", "mismatch", "errors", "latency", "sample ratio"}
    over = {
        name
        for name in names
        if found["e_value", "triage", name] >= found["e_value_needed", "triage", name]
    }
    assert over == failed
    assert over == {one.guardrail for one in verdicts if one.outcome == "fail"} & names
    assert {key[0] for key in found} == set(GAUGE_LABELS)


async def test_the_watch_shows_them_and_takes_them_back_with_the_route(operator, put, observe):
    counters = Counters()
    watch = Watch([operator], counters)
    put("shadow", revision="new.digest")
    observe("new.digest", both=20, legacy=2)
    await watch.look(operator)
    shown = counters.snapshot()
    assert shown["e_value", "triage", "paired"] > 0
    assert shown["e_value_needed", "triage", "paired"] == 100
    put("legacy")
    await watch.look(operator)
    assert counters.snapshot() == {}
