import random
from math import comb, exp, isclose, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.routing.guardrails.binomial import log_e_more, log_e_other, log_tail

counts = st.integers(0, 400)
shares = st.sampled_from([0.001, 0.01, 0.1, 0.25, 0.5, 0.9])


@pytest.mark.parametrize(("b", "c"), [(0, 0), (3, 1), (20, 20), (400, 10), (5, 700)])
@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_the_tail_is_that_of_the_beta_distribution(b: int, c: int, share: float) -> None:
    # For whole numbers it is a binomial sum: P(Beta(b + 1, c + 1) > x) = P(Bin(b + c + 1, x) <= b).
    n = b + c + 1
    total = sum(comb(n, i) * share**i * (1 - share) ** (n - i) for i in range(b + 1))
    assert isclose(exp(log_tail(b + 1.0, c + 1.0, share)), total, rel_tol=1e-9, abs_tol=1e-300)


@given(counts, counts, shares)
def test_one_more_on_the_side_that_is_looked_at_never_speaks_for_it(b, c, share) -> None:
    assert log_e_more(b + 1, c, share, 20) > log_e_more(b, c, share, 20) - 1e-9
    assert log_e_more(b, c + 1, share, 20) < log_e_more(b, c, share, 20) + 1e-9


@given(counts, counts, shares)
def test_it_is_a_martingale_at_its_share_and_less_below(b, c, share) -> None:
    now = log_e_more(b, c, share, 20)
    up, down = (exp(log_e_more(b + i, c + 1 - i, share, 20) - now) for i in (1, 0))
    assert isclose(share * up + (1 - share) * down, 1, rel_tol=1e-6)
    half = share / 2
    assert half * up + (1 - half) * down <= 1 + 1e-6


def test_nothing_is_no_evidence() -> None:
    assert log_e_more(0, 0, 0.1, 20) == log_e_other(0, 0, 0.1, 20) == 0


def test_half_of_what_the_one_sided_one_gains_is_what_the_other_wastes_below() -> None:
    assert log_e_more(30, 70, 0.1, 20) > log_e_other(30, 70, 0.1, 20)
    assert log_e_more(0, 200, 0.1, 20) < 0 < log_e_other(0, 200, 0.1, 20)


@pytest.mark.parametrize("test", [log_e_more, log_e_other])
def test_false_alarms_stay_under_alpha_though_one_looks_after_every_one(test) -> None:
    chance = random.Random(3)
    alarms, runs, goal = 0, 400, log(20)
    for _ in range(runs):
        b = c = 0
        for _ in range(200):
            b, c = (b + 1, c) if chance.random() < 0.2 else (b, c + 1)
            if test(b, c, 0.2, 20) >= goal:
                alarms += 1
                break
    assert alarms <= runs * 0.05 + 2 * (runs * 0.05) ** 0.5
