import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.model import Route, Side, Stage, Step
from stranglerfig.routing.bucket import inside
from stranglerfig.routing.router import decide
from stranglerfig.routing.stages import ladder, next_step, position


@pytest.mark.parametrize(
    ("stage", "side", "compare"),
    [
        (Stage.LEGACY, Side.LEGACY, False),
        (Stage.SHADOW, Side.LEGACY, True),
        (Stage.LIVE, Side.REPLACEMENT, True),
        (Stage.RETIRED, Side.REPLACEMENT, False),
    ],
)
def test_a_stage_decides(stage: Stage, side: Side, compare: bool) -> None:
    decision = decide(Route(endpoint="e", stage=stage), "key")
    assert (decision.side, decision.compare, decision.rule) == (side, compare, "stage")


@given(st.sampled_from(Stage), st.floats(0, 100), st.booleans(), st.text())
def test_a_killed_route_goes_to_legacy_whatever_else(
    stage: Stage, percent: float, paused: bool, key: str
) -> None:
    route = Route(endpoint="e", stage=stage, percent=percent, paused=paused, killed=True)
    decision = decide(route, key)
    assert (decision.side, decision.compare, decision.rule) == (Side.LEGACY, False, "killed")


@given(st.floats(0, 100), st.text())
def test_a_canary_is_sticky_by_key_and_always_compared(percent: float, key: str) -> None:
    route = Route(endpoint="e", stage=Stage.CANARY, percent=percent, salt="s")
    decision = decide(route, key)
    assert (decision.side is Side.REPLACEMENT) == inside("s", key, percent)
    assert decision.compare
    assert decision == decide(route, key)


def test_the_ladder_rises_rung_by_rung() -> None:
    rungs = ladder((10, 50))
    assert [position(rung) for rung in rungs] == sorted(position(rung) for rung in rungs)
    route = Route(endpoint="e")
    seen = []
    while (step := next_step(route, rungs)) is not None:
        seen.append(step)
        route = Route(endpoint="e", stage=step.stage, percent=step.percent)
    assert seen == list(rungs[1:])


def test_a_percent_between_two_rungs_goes_to_the_next_one() -> None:
    route = Route(endpoint="e", stage=Stage.CANARY, percent=20)
    assert next_step(route, ladder((10, 50))) == Step(stage=Stage.CANARY, percent=50)
