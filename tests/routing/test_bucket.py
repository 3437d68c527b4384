import bisect
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.routing.bucket import BUCKETS, bucket, inside

KEYS = [f"C-{number}" for number in range(100_000)]
MILLION = 1_000_000


@given(st.text(), st.text())
def test_a_bucket_is_in_range_and_never_changes(salt: str, key: str) -> None:
    place = bucket(salt, key)
    assert 0 <= place < BUCKETS
    assert bucket(salt, key) == place


@pytest.mark.parametrize("percent", [0.1, 1, 5, 25, 50])
def test_the_share_of_keys_is_the_percent_within_statistical_error(percent: float) -> None:
    taken = sum(inside("salt", key, percent) for key in KEYS)
    expected = len(KEYS) * percent / 100
    deviation = (expected * (1 - percent / 100)) ** 0.5
    assert abs(taken - expected) < 4.5 * deviation


@given(st.text(), st.floats(0, 100), st.floats(0, 100))
def test_raising_the_percent_moves_no_key_back(key: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert inside("s", key, high) or not inside("s", key, low)


@given(st.text())
def test_no_key_is_inside_nothing_and_every_key_is_inside_all(key: str) -> None:
    assert not inside("s", key, 0)
    assert inside("s", key, 100)


def test_salts_are_independent_of_each_other() -> None:
    # Of the keys that one salt takes at 10 %, another takes about 10 %, not all or none.
    taken = [key for key in KEYS if inside("one", key, 10)]
    both = Counter(inside("other", key, 10) for key in taken)[True]
    assert abs(both - len(taken) / 10) < 4.5 * (len(taken) * 0.09) ** 0.5


def test_keys_of_other_alphabets_and_lone_surrogates_have_a_bucket() -> None:
    assert len({bucket("s", key) for key in ("Müller", "Mu\u0308ller", "株式会社", "\ud800")}) == 4


def test_a_million_keys_move_forward_only() -> None:
    """At every rung: shares within statistical error, and whoever was taken stays taken."""
    places = sorted(bucket("salt", f"customer-{number}") for number in range(MILLION))
    for percent in (0.1, 1, 5, 10, 25, 50):
        taken = bisect.bisect_left(places, round(percent * 1000))
        expected = MILLION * percent / 100
        assert abs(taken - expected) < 4.5 * (expected * (1 - percent / 100)) ** 0.5
    early = [key for key in map("customer-{}".format, range(MILLION)) if inside("salt", key, 1)]
    assert all(inside("salt", key, 5) for key in early)
    # Even over the buckets: chi-squared of 100 classes, 99 degrees of freedom.
    classes = Counter(place // (BUCKETS // 100) for place in places)
    even = MILLION / 100
    assert sum((found - even) ** 2 / even for found in classes.values()) < 170
