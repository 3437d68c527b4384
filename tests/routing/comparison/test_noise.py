"""What is noise, what is more, and what nobody can say yet."""

from __future__ import annotations

import random

import pytest

from stranglerfig.route_settings import NoiseRules
from stranglerfig.routing.comparison.noise import excused, field_noise, log_e_explained
from stranglerfig.store.noise import Doubled

RULES = NoiseRules()


def asked(unit, noise, raw, side="legacy"):
    return Doubled(
        endpoint="e",
        side=side,
        revision="r",
        unit=str(unit),
        noise=("f",) if noise else (),
        raw=None if raw is None else ("f",) if raw else (),
        at=0.0,
    )


def judged(*pairs, side="legacy", rules=RULES, fields=1):
    seen = [asked(unit, noise, raw, side) for unit, (noise, raw) in enumerate(pairs)]
    (found,) = field_noise(seen, rules, fields)
    return found


def test_two_against_one_in_ten_is_nothing_yet():
    # Diffy calls this a difference: 20 % more often, relatively, and 10 % absolutely.
    found = judged((0, 1), (0, 1), (1, 0), *[(0, 0)] * 7)
    assert (found.raw, found.differs, found.pairs) == (2, 1, 10)
    assert found.state == "unclear"


def test_a_field_that_is_never_the_same_is_noise_soon_but_not_at_once():
    assert judged(*[(1, 1)] * 10).state == "unclear"
    found = judged(*[(1, 1)] * 60)
    assert found.state == "noise"
    assert excused([found], RULES) == {"f"}


def test_a_field_that_differs_and_is_quiet_is_a_difference():
    assert judged(*[(0, 1)] * 4).state == "quiet"
    assert judged(*[(0, 1)] * 12).state == "difference"


def test_without_noise_nothing_is_ever_explained():
    assert judged(*[(0, 0)] * 5000, (0, 1)).state == "quiet"


def test_more_than_noise_is_a_difference_though_there_is_noise():
    found = judged(*[(1, 1)] * 100, *[(0, 1)] * 60)
    assert found.state == "difference"
    assert excused([found], RULES) == frozenset()


def test_a_side_that_answers_at_random_is_not_excused_by_that_unless_somebody_says_so():
    found = judged(*[(1, 1)] * 200, side="replacement")
    assert found.state == "noise"
    assert excused([found], RULES) == frozenset()
    assert excused([found], NoiseRules(excuses=("replacement",))) == {"f"}


def test_what_is_not_known_of_the_other_side_counts_as_noise_only():
    found = judged((1, None), (0, None), (1, 1))
    assert (found.asked, found.differs, found.pairs, found.raw) == (3, 2, 1, 1)


def test_many_fields_need_more_evidence_each():
    assert judged(*[(0, 1)] * 12, fields=1).state == "difference"
    assert judged(*[(0, 1)] * 12, fields=500).state == "quiet"


@pytest.mark.parametrize(("noise", "raw"), [(0.3, 0.3), (0.05, 0.05), (0.5, 0.4)])
def test_no_difference_is_seldom_called_one_however_often_one_looks(noise, raw):
    chance = random.Random(5)
    false = 0
    for _ in range(300):
        b = c = 0
        for _ in range(300):
            one, other = chance.random() < raw, chance.random() < noise
            b, c = b + (one and not other), c + (other and not one)
            if one != other and judged_quick(b, c):
                false += 1
                break
    assert false <= 300 * 0.01 + 3 * (300 * 0.01) ** 0.5


def judged_quick(b, c):
    from math import log

    from stranglerfig.routing.guardrails.eprocess import log_e_worse

    return log_e_worse(b, c) >= log(2 / RULES.alpha)


def test_what_is_a_quarter_more_than_noise_is_seldom_called_noise():
    # The hypothesis at its edge: raw is 1.25 times as often as noise.
    from math import log

    chance = random.Random(7)
    false = 0
    for _ in range(300):
        both = b = c = 0
        for _ in range(400):
            one, other = chance.random() < 0.5, chance.random() < 0.4
            both, b, c = both + (one and other), b + (one > other), c + (other > one)
            if other and log_e_explained(both, b, c, 0.25) >= log(2 / RULES.alpha):
                false += 1
                break
    assert false <= 300 * 0.01 + 3 * (300 * 0.01) ** 0.5
