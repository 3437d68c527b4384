import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.guardrail_settings import Latency
from stranglerfig.routing.guardrails.betting import log_e_above, log_e_below
from stranglerfig.routing.guardrails.latency import MOST, STEPS, interval, judge, step_of

BOUNDS = Latency(at_most=2.0)


def steps(ratios):
    found = {}
    for ratio in ratios:
        step = step_of(ratio, 1.0)
        found[step] = found.get(step, 0) + 1
    return found


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6))
def test_a_step_is_never_beyond_its_ends(replacement: float, legacy: float) -> None:
    step = step_of(replacement, legacy)
    assert -MOST * STEPS <= step < MOST * STEPS
    octaves = math.log2(replacement / legacy)
    if abs(octaves) < MOST - 0.1:
        assert step / STEPS - 1e-9 <= octaves <= (step + 1) / STEPS + 1e-9


def test_a_clock_that_stood_still_is_no_ratio() -> None:
    assert step_of(0.0, 1.0) == step_of(1.0, 0.0) == 0


def test_slow_fails_quick_passes_and_few_hold() -> None:
    chance = random.Random(1)
    slow = steps(8 * math.exp(chance.gauss(0, 0.4)) for _ in range(80))
    quick = steps(0.5 * math.exp(chance.gauss(0, 0.4)) for _ in range(80))
    assert judge(slow, BOUNDS).outcome == "fail"
    assert judge(quick, BOUNDS).outcome == "pass"
    held = judge(steps([1.0] * 5), BOUNDS)
    assert held.outcome == "hold"
    assert held.figures["more_pairs"] > 0


def test_nothing_is_a_hold() -> None:
    verdict = judge({}, BOUNDS)
    assert verdict.outcome == "hold"
    assert "timed" in verdict.missing


def test_what_never_gets_there_says_so() -> None:
    assert "never" in judge(steps([1.99] * 10 + [2.5] * 10), BOUNDS).missing


def test_the_forecast_is_about_right() -> None:
    held = judge(steps([1.0] * 20), BOUNDS)
    more = int(held.figures["more_pairs"])
    assert judge(steps([1.0] * (20 + more + 3)), BOUNDS).outcome == "pass"
    assert judge(steps([1.0] * (20 + more // 2)), BOUNDS).outcome == "hold"


def test_the_interval_holds_the_mean_and_shrinks() -> None:
    chance = random.Random(2)
    ratios = [1.5 * math.exp(chance.gauss(0, 0.5)) for _ in range(2000)]
    early, late = interval(steps(ratios[:100]), 0.01), interval(steps(ratios), 0.01)
    assert early[0] < late[0] < 1.5 < late[1] < early[1]
    assert interval({}, 0.01) == pytest.approx((2**-MOST, 2**MOST))


@given(st.dictionaries(st.integers(-96, 95), st.integers(1, 50), max_size=8))
def test_a_verdict_is_never_slow_and_quick_at_once(given_) -> None:
    verdict = judge(given_, BOUNDS)
    figures = verdict.figures
    assert not (figures["e_slower"] >= 100 and figures["e_within"] >= 100)


@pytest.mark.parametrize("spread", ["skewed", "rare", "even"])
def test_false_alarms_stay_under_alpha_whatever_the_distribution(spread) -> None:
    chance = random.Random(7)
    draw = {
        "skewed": lambda: 1 - chance.expovariate(1),
        "rare": lambda: -4.9 if chance.random() < 0.02 else 0.1,
        "even": lambda: chance.uniform(-1, 1),
    }[spread]
    alarms, runs = 0, 120
    for _ in range(runs):
        counts = {}
        for number in range(1, 151):
            value = max(-5.0, draw())
            counts[value] = counts.get(value, 0) + 1
            if number % 10 == 0 and log_e_above(counts, 0.0, -5.0) >= math.log(20):
                alarms += 1
                break
    assert alarms <= runs * 0.05 + 2 * (runs * 0.05) ** 0.5


def test_both_sides_of_the_bet_mirror_each_other() -> None:
    counts = {0.5: 30, -1.0: 4}
    mirrored = {-value: n for value, n in counts.items()}
    assert log_e_above(counts, 0.1, -6) == pytest.approx(log_e_below(mirrored, -0.1, 6))
