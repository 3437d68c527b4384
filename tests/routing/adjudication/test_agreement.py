"""Agreement of reviewers, held against examples of the books and a plain way to count it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.routing.adjudication.agreement import (
    agreement,
    cohens_kappa,
    krippendorffs_alpha,
)
from stranglerfig.store.reviews import Review


def test_kappa_of_a_table_in_the_books():
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    assert cohens_kappa(pairs) == pytest.approx(0.4)


def test_alpha_of_krippendorffs_own_example():
    # K. Krippendorff, Computing Krippendorff's alpha-reliability (2011), C: nominal, missing data.
    a = ["1", "2", "3", "3", "2", "1", "4", "1", "2", ".", ".", "."]
    b = ["1", "2", "3", "3", "2", "2", "4", "1", "2", "5", ".", "3"]
    c = [".", "3", "3", "3", "2", "3", "4", "2", "2", "5", "1", "."]
    d = ["1", "2", "3", "3", "2", "4", "4", "1", "2", "5", "1", "."]
    units = [[x for x in unit if x != "."] for unit in zip(a, b, c, d, strict=True)]
    assert krippendorffs_alpha(units) == pytest.approx(0.743, abs=0.001)


words = st.sampled_from(["legacy", "replacement", "both"])


@given(st.lists(st.lists(words, max_size=4), max_size=8))
def test_alpha_is_what_counting_pairs_gives(units):
    kept = [unit for unit in units if len(unit) > 1]
    values = [one for unit in kept for one in unit]
    expected = sum(a != b for a, b in itertools.permutations(values, 2))
    found = krippendorffs_alpha(units)
    if not expected:
        assert found is None
        return
    observed = sum(
        sum(a != b for a, b in itertools.permutations(unit, 2)) / (len(unit) - 1) for unit in kept
    )
    total = len(values)
    assert found == pytest.approx(1 - (observed / total) / (expected / (total * (total - 1))))


def test_nothing_can_be_said_where_chance_is_certain():
    assert cohens_kappa([]) is None
    assert cohens_kappa([("y", "y")] * 5) is None
    assert krippendorffs_alpha([["y", "y"], ["y"]]) is None


def review(unit, who, choice):
    return Review(endpoint="e", revision="r", unit=unit, reviewer=who, choice=choice)


def test_who_reviewed_how_much_and_how_often_the_judge_agrees():
    told = [
        review("1", "ann", "legacy"),
        review("1", "bob", "legacy"),
        review("2", "ann", "replacement"),
        review("2", "bob", "legacy"),
        review("3", "ann", "unsure"),
        review("4", "bob", "both"),
    ]
    found = agreement(told, {"1": "legacy", "2": "legacy", "4": "neither", "9": "both"})
    assert (found.reviews, found.unsure) == ({"ann": 3, "bob": 3}, {"ann": 1})
    assert (found.units, found.shared, found.same) == (3, 2, 1)
    assert (found.judged, found.judge_same) == (2, 1), "2 is undecided, and nobody saw 9"
    assert found.kappa == pytest.approx(0.0)
