"""How like texts are: held against the plain way to count it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.routing.comparison.likeness import folded, likeness

texts = st.text("abcä ", max_size=20)


def plain(one, other):
    row = [0] * (len(other) + 1)
    for a in one:
        before = row[:]
        for at, b in enumerate(other):
            row[at + 1] = before[at] + 1 if a == b else max(row[at], before[at + 1])
    return row[-1]


@given(texts, texts)
def test_is_twice_the_common_part_by_both_lengths(one, other):
    total = len(one) + len(other)
    assert likeness(one, other) == (2 * plain(one, other) / total if total else 1.0)
    assert likeness(one, other) == likeness(other, one)


def test_texts_that_are_too_long_are_alike_only_where_equal():
    long = "a" * 20_001
    assert likeness(long, long) == 1.0
    assert likeness(long, long + "b") == 0.0


@given(st.text())
def test_folding_twice_is_folding_once(text):
    fold = folded(("case", "blanks", "unicode"))
    assert fold(fold(text)) == fold(text)
