from stranglerfig.guardrail_settings import Guardrail
from stranglerfig.routing.guardrails.paired import judge
from stranglerfig.store.evidence import Counts

BOUNDS = Guardrail(alpha=0.01, margin=0.05, samples=50)


def test_no_evidence_holds_and_says_what_is_missing() -> None:
    verdict = judge(Counts(), BOUNDS)
    assert verdict.outcome == "hold"
    assert "50 more requests" in verdict.missing


def test_a_worse_replacement_fails_even_before_the_least_number_of_samples() -> None:
    verdict = judge(Counts(legacy=9), BOUNDS)
    assert verdict.outcome == "fail"
    assert verdict.figures["e_worse"] >= verdict.figures["needed"] == 100


def test_a_better_replacement_passes_only_with_enough_samples() -> None:
    assert judge(Counts(both=20, replacement=20), BOUNDS).outcome == "hold"
    assert judge(Counts(both=25, replacement=25), BOUNDS).outcome == "pass"


def test_agreement_alone_passes_in_time() -> None:
    held = judge(Counts(both=60), BOUNDS)
    assert held.outcome == "hold"
    assert "about" in held.missing
    assert judge(Counts(both=200), BOUNDS).outcome == "pass"


def test_differences_that_nobody_adjudicated_never_fail_and_count_against_a_pass() -> None:
    assert judge(Counts(both=10, open=40), BOUNDS).outcome == "hold"
    verdict = judge(Counts(both=300, open=60), BOUNDS)
    assert verdict.outcome == "hold"
    assert "golden labels for the 60 differences" in verdict.missing


def test_failing_comes_before_passing() -> None:
    # Worse beyond doubt, yet within the margin: a verdict must not be both.
    verdict = judge(Counts(both=20_000, legacy=300, replacement=150), BOUNDS)
    assert verdict.outcome == "fail"


def test_neither_right_is_a_pair_that_speaks_for_nobody() -> None:
    assert judge(Counts(both=50, neither=150), BOUNDS).outcome == "pass"
