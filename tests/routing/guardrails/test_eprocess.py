import random
from fractions import Fraction
from math import comb, exp, isclose, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.routing.guardrails.eprocess import (
    _log_binomial_tail,
    log_e_not_worse,
    log_e_worse,
    pairs_until_pass,
)

GOAL = log(100)


def _integral(b: int, c: int) -> float:
    # The definition, by the midpoint rule: p uniform on (1/2, 1) against p = 1/2.
    steps = 20_000
    width = 0.5 / steps
    total = sum(
        (0.5 + (i + 0.5) * width) ** b * (0.5 - (i + 0.5) * width) ** c for i in range(steps)
    )
    return 2 * total * width * 2.0 ** (b + c)


@pytest.mark.parametrize(("b", "c"), [(0, 0), (1, 0), (0, 1), (9, 0), (13, 1), (22, 5), (7, 30)])
def test_the_closed_form_is_the_integral(b: int, c: int) -> None:
    assert isclose(exp(log_e_worse(b, c)), _integral(b, c), rel_tol=1e-4)


@pytest.mark.parametrize(("b", "c"), [(9, 0), (13, 1), (22, 5)])
def test_it_fails_where_the_published_figures_say(b: int, c: int) -> None:
    assert log_e_worse(b, c) >= GOAL > log_e_worse(b - 1, c)


@pytest.mark.parametrize(
    ("n", "k"), [(10, 3), (11, 5), (11, 6), (400, 180), (400, 230), (2115, 1000), (2115, 1752)]
)
def test_the_tail_is_the_binomial_s(n: int, k: int) -> None:
    exact = Fraction(sum(comb(n, i) for i in range(k + 1)), 2**n)
    assert isclose(exp(_log_binomial_tail(n, k)), float(exact), rel_tol=1e-9)


@pytest.mark.parametrize(("b", "c"), [(1752, 362), (900, 300), (3000, 0)])
def test_what_is_much_worse_is_never_missed_however_many_pairs_there_are(b: int, c: int) -> None:
    assert log_e_worse(b, c) > 10 * GOAL


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_it_is_finite_and_rises_with_every_loss(b: int, c: int) -> None:
    assert log_e_worse(b + 1, c) > log_e_worse(b, c) > log_e_worse(b, c + 1)


def test_false_alarms_stay_under_alpha_though_one_looks_after_every_pair() -> None:
    chance = random.Random(11)
    alarms = 0
    runs = 1000
    for _ in range(runs):
        b = c = 0
        for _ in range(150):
            if chance.random() < 0.5:
                b += 1
            else:
                c += 1
            if b > c and log_e_worse(b, c) >= GOAL:
                alarms += 1
                break
    assert alarms <= runs * 0.01 + 3 * (runs * 0.01) ** 0.5


def test_false_passes_stay_under_alpha_at_the_margin() -> None:
    chance = random.Random(12)
    passes = 0
    runs = 1000
    for _ in range(runs):
        b = c = 0
        for n in range(1, 301):
            draw = chance.random()
            b += draw < 0.10
            c += 0.10 <= draw < 0.15
            if n % 5 == 0 and log_e_not_worse(n, b, c, 0.05) >= GOAL:
                passes += 1
                break
    assert passes <= runs * 0.01 + 3 * (runs * 0.01) ** 0.5


@given(st.integers(0, 500), st.integers(0, 100), st.integers(0, 100))
def test_more_agreement_never_speaks_against(n: int, b: int, c: int) -> None:
    total = n + b + c
    assert log_e_not_worse(total + 1, b, c, 0.05) > log_e_not_worse(total, b, c, 0.05)
    assert log_e_not_worse(total + 1, b + 1, c, 0.05) < log_e_not_worse(total + 1, b, c, 0.05)


def test_the_forecast_is_about_right() -> None:
    more = pairs_until_pass(20, 0, 0, 0.05, GOAL)
    assert more is not None
    assert log_e_not_worse(20 + more, 0, 0, 0.05) >= GOAL
    assert log_e_not_worse(20 + more // 2, 0, 0, 0.05) < GOAL
    assert pairs_until_pass(20, 5, 0, 0.05, GOAL) is None
    assert pairs_until_pass(300, 0, 0, 0.05, GOAL) == 0
