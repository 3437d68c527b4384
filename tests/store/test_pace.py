"""How large a group is to be."""

from __future__ import annotations

from stranglerfig.store.pace import GROUP, LONGEST, Pace


def seen(lines, waiting, *, awaited=True, group=0.0002, times=50):
    pace = Pace()
    for _ in range(times):
        pace.learn(group / 2, group / 2)
        pace.written(lines, waiting, awaited=awaited)
    return pace


def test_at_first_nobody_is_waited_for():
    assert Pace().target == 1
    assert Pace().limit(5) == GROUP


def test_many_who_wait_go_by_halves():
    pace = seen(400, 0)
    assert pace.limit(400) == 200
    assert pace.target == 200
    pace.written(200, 195, awaited=True)  # and stay so, though some of them are under way
    assert 180 <= pace.limit(390) <= 200


def test_where_a_group_costs_more_than_their_asking_they_go_together():
    pace = seen(400, 0, group=0.01)
    assert pace.limit(400) == GROUP
    assert pace.target == 400


def test_a_few_go_together():
    pace = seen(10, 0)
    assert pace.limit(10) == GROUP
    assert pace.target == 10


def test_lines_that_nobody_waits_for_go_in_groups_as_large_as_can_be():
    assert seen(900, 5_000, awaited=False).limit(5_000) == GROUP


def test_more_than_ever_is_taken_at_once():
    assert seen(400, 0).limit(3_000) == GROUP


def test_it_is_waited_no_longer_than_a_commit_takes():
    assert seen(10, 0, group=0.0004).linger < 0.0003 < LONGEST
