"""Sums, failures and keys, on both databases."""

from __future__ import annotations

import pytest

from stranglerfig.errors import StoreUnavailable
from stranglerfig.model import Route, Stage
from stranglerfig.settings import Retention
from stranglerfig.store import Store
from stranglerfig.store.measures import Failure, Measures, Place, Sampled, Sum
from stranglerfig.store.retention import due, retain

DAY = 86_400.0
NOW = 20_000 * DAY + 100
HERE = Place("e", "r1", "canary:5.0:3")
THERE = Place("e", "r1", "canary:10.0:4")


def failure(unit, side="replacement", keyed="k", place=HERE):
    return Failure(place, unit, side, keyed, "deadline")


def read(store, place=HERE, now=NOW, since=3, seconds=60.0):
    return store.measures.read(place, since=since, now=now, seconds=seconds)


def test_sums_of_several_writes_and_processes_add_up(either, either_url):
    other = Store(either_url)
    for store, count in ((either, 2), (other, 3), (either, 1)):
        store.measures.add(NOW, [Sum(HERE, "ms", "legacy", count, 10.0, 100.0)])
    either.measures.add(NOW + DAY, [Sum(HERE, "ms", "legacy", 1, 1.0, 1.0)])
    either.measures.add(NOW, [Sum(THERE, "ms", "legacy", 9, 1.0, 1.0)])
    other.close()
    assert read(either).sums == {("ms", "legacy"): (7, 31.0)}


def test_one_poisoned_request_is_one_failure_however_often_and_wherever_it_is_sent_again(
    either, either_url
):
    other = Store(either_url)
    for number, store in enumerate((either, other, either, other)):
        store.measures.add(NOW + number, failures=[failure("poison"), failure("poison")])
    other.close()
    found = read(either, now=NOW + 10)
    assert (found.recent, found.failed) == (1, {(HERE.rung, "replacement"): 1})


def test_statistics_count_keys_and_the_breaker_counts_requests(either):
    several = [failure(f"u{number}", keyed="one key") for number in range(4)]
    either.measures.add(NOW, failures=[*several, failure("other", keyed="")])
    found = read(either)
    assert (found.recent, found.failed) == (5, {(HERE.rung, "replacement"): 1})


def test_failures_are_recent_for_so_many_seconds_on_their_rung_and_side_only(either):
    either.measures.add(NOW - 61, failures=[failure("old")])
    either.measures.add(NOW - 59, failures=[failure("new"), failure("l", "legacy")])
    either.measures.add(NOW, failures=[failure("elsewhere", place=THERE)])
    found = read(either)
    assert found.recent == 1
    assert found.failed[THERE.rung, "replacement"] == 1
    assert found.failed[HERE.rung, "legacy"] == 1


def test_a_new_revision_starts_at_zero(either):
    either.measures.add(
        NOW,
        [Sum(HERE, "ms", "legacy", 2, 10.0, 100.0)],
        [failure("u")],
        [Sampled(HERE, "k", "legacy")],
    )
    found = read(either, place=HERE._replace(revision="r2"))
    assert (found.sums, found.failed, found.recent, found.keys) == ({}, {}, 0, {})


def test_a_key_is_drawn_once(either):
    keys = [Sampled(HERE, "a", "legacy"), Sampled(HERE, "b", "replacement")]
    either.measures.add(NOW, sampled=keys)
    either.measures.add(NOW, sampled=[*keys, Sampled(HERE, "c", "legacy")])
    assert read(either).keys == {"legacy": 2, "replacement": 1}


def test_what_was_spent_is_that_of_the_day_in_every_revision(either):
    later = HERE._replace(revision="r2")
    either.measures.add(NOW, [Sum(HERE, "used:tokens", "replacement", 1, 100.0, 0.0)])
    either.measures.add(NOW, [Sum(later, "used:tokens", "replacement", 1, 50.0, 0.0)])
    either.measures.add(NOW - DAY, [Sum(HERE, "used:tokens", "replacement", 1, 900.0, 0.0)])
    assert read(either).spent == {"tokens": 150.0}


def test_the_time_of_the_rung_is_that_of_the_change_that_led_there(either):
    def put(route, **fields):
        return either.routes.put(route, action="t", who="t", why="", evidence={}, **fields)

    shadow = put(Route(endpoint="e", stage=Stage.SHADOW, revision="r1"))
    held = put(Route(endpoint="e", stage=Stage.SHADOW, revision="r1", paused=True, version=1))
    moved = put(Route(endpoint="e", stage=Stage.LIVE, revision="r1", version=2))
    again = put(Route(endpoint="e", stage=Stage.SHADOW, revision="r1", version=3))
    newer = put(Route(endpoint="e", stage=Stage.SHADOW, revision="r2", version=4))
    assert [one.since for one in (shadow, held, moved, again, newer)] == [1, 1, 3, 4, 5]
    first = either.routes.history("e")[0]
    assert read(either, since=held.since).since == first.at
    assert read(either, since=99).since is None


def test_nothing_is_written_where_there_is_nothing(either):
    either.measures.add(NOW)
    assert read(either).sums == {}


def test_a_lost_store_is_told(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'none.db'}")
    with pytest.raises(StoreUnavailable):
        store.measures.add(NOW, [Sum(HERE, "ms", "legacy", 1, 1.0, 1.0)])
    assert isinstance(store.measures, Measures)


def test_what_was_measured_goes_by_its_age(either):
    for at in (NOW - 10 * DAY, NOW):
        place = HERE._replace(revision=str(at))
        either.measures.add(
            at,
            [Sum(place, "ms", "legacy", 1, 1.0, 1.0)],
            [failure("u", place=place)],
            [Sampled(place, "k", "legacy")],
        )
    kept = Retention(inbox=0, outbox=0, outcomes=0, measures=5)
    expected = due(either, kept, NOW)
    report = retain(either, kept, NOW)
    for found in (expected, report):
        assert (found.measures, found.failures, found.sampled) == (1, 1, 1)
    assert read(either, place=HERE._replace(revision=str(NOW))).recent == 1


def test_what_shadow_calls_used_and_were_not_made_for_is_of_the_day(either):
    for place in (HERE, THERE):
        sums = [
            Sum(place, "shadow:calls", "", 2, 2.0, 2.0),
            Sum(place, "dropped:sample", "", 1, 1.0, 1.0),
            Sum(place, "used:calls", "replacement", 9, 9.0, 9.0),
        ]
        either.measures.add(NOW, sums)
    either.measures.add(NOW - DAY, [Sum(HERE, "shadow:calls", "", 5, 5.0, 5.0)])
    assert either.measures.shadowed(["e", "other"], NOW) == {
        "e": {"shadow:calls": (4, 4.0), "dropped:sample": (2, 2.0)},
        "other": {},
    }
