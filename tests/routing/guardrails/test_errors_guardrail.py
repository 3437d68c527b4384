from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.guardrail_settings import Errors
from stranglerfig.routing.guardrails.errors import Went, judge

BOUNDS = Errors()


def test_errors_by_the_share_pass_and_many_more_fail() -> None:
    assert judge([Went(0.1, 10, 90)], 500, BOUNDS).outcome == "pass"
    verdict = judge([Went(0.1, 30, 70)], 500, BOUNDS)
    assert verdict.outcome == "fail"
    assert "30 of 100 errors are the replacement's, by its share 10.0" in verdict.reason


def test_a_rung_that_ends_before_any_measurement_holds_and_never_passes() -> None:
    verdict = judge([], 0, BOUNDS)
    assert verdict.outcome == "hold"
    assert verdict.missing


def test_fewer_errors_than_by_the_share_never_fail() -> None:
    assert judge([Went(0.5, 0, 10_000)], 10, BOUNDS).outcome == "pass"


def test_what_several_rungs_hint_at_together_is_seen() -> None:
    one = Went(0.05, 5, 27)
    assert judge([one], 10, BOUNDS).outcome == "pass"
    assert judge([one, one, one, one], 10, BOUNDS).outcome == "fail"


def test_live_has_nothing_to_be_held_against() -> None:
    assert judge([Went(1.0, 500, 0)], 10, BOUNDS).figures["e_value"] == 1


@given(
    st.lists(st.tuples(st.sampled_from([0.01, 0.1, 0.5]), st.integers(0, 40), st.integers(0, 40)))
)
def test_an_error_more_of_the_replacement_never_makes_it_look_better(given_) -> None:
    rungs = [Went(*one) for one in given_]
    before = judge(rungs, 10, BOUNDS)
    after = judge(
        [*rungs[:-1], rungs[-1]._replace(replacement=rungs[-1].replacement + 1)] if rungs else [],
        10,
        BOUNDS,
    )
    assert after.figures["e_value"] >= before.figures["e_value"] * (1 - 1e-9)
    assert before.outcome in ("pass", "fail")
