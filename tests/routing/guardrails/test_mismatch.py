import random

from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.guardrail_settings import Mismatch
from stranglerfig.routing.guardrails.mismatch import judge
from stranglerfig.store.evidence import Counts

BOUNDS = Mismatch()


def test_it_decides_where_the_published_figures_say() -> None:
    assert judge(Counts(both=196), BOUNDS).outcome == "hold"
    assert judge(Counts(both=197), BOUNDS).outcome == "pass"
    assert judge(Counts(open=3), BOUNDS).outcome == "hold"
    assert judge(Counts(open=4), BOUNDS).outcome == "fail"


def test_what_is_to_the_replacement_s_credit_is_no_mismatch() -> None:
    assert judge(Counts(both=100, replacement=100), BOUNDS).outcome == "pass"
    assert judge(Counts(both=100, legacy=2, open=2), BOUNDS).figures["mismatches"] == 4


def test_nothing_is_a_hold_that_says_what_is_missing() -> None:
    verdict = judge(Counts(), BOUNDS)
    assert (verdict.outcome, verdict.figures["more_pairs"]) == ("hold", 197)
    assert "197 more requests" in verdict.missing


@given(st.integers(0, 600), st.integers(0, 20))
def test_what_is_missing_is_what_brings_a_pass(both: int, wrong: int) -> None:
    verdict = judge(Counts(both=both, open=wrong), BOUNDS)
    if verdict.outcome == "hold":
        more = int(verdict.figures["more_pairs"])
        assert judge(Counts(both=both + more, open=wrong), BOUNDS).outcome == "pass"
        assert judge(Counts(both=both + more - 1, open=wrong), BOUNDS).outcome == "hold"


@given(st.integers(0, 600), st.integers(0, 20))
def test_a_mismatch_more_never_makes_a_verdict_better(both: int, wrong: int) -> None:
    order = ["fail", "hold", "pass"]
    now = judge(Counts(both=both, open=wrong), BOUNDS).outcome
    assert order.index(judge(Counts(both=both, open=wrong + 1), BOUNDS).outcome) <= order.index(now)
    assert order.index(judge(Counts(both=both + 1, open=wrong), BOUNDS).outcome) >= order.index(now)


def test_a_good_one_is_seldom_failed_and_a_bad_one_nearly_always() -> None:
    chance, found = random.Random(4), {0.005: 0, 0.02: 0}
    for rate in found:
        for _ in range(300):
            both = wrong = 0
            outcome = "hold"
            while outcome == "hold":
                both, wrong = (both, wrong + 1) if chance.random() < rate else (both + 1, wrong)
                outcome = judge(Counts(both=both, open=wrong), BOUNDS).outcome
            found[rate] += outcome == "fail"
    assert found[0.005] <= 9
    assert found[0.02] >= 270
