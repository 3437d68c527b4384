"""The numbers behind the plot."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.demo.curve import curve
from stranglerfig.demo.tally import Point


def point(number, legacy=True, replacement=True, served=False):
    return Point(
        number=number, legacy_right=legacy, replacement_right=replacement, by_replacement=served
    )


def test_shares_over_the_window():
    points = [point(n, legacy=n % 2 == 0) for n in range(1, 11)]
    served = [n > 5 for n in range(1, 11)]
    found = curve(points, served, window=4)
    assert found.window == 4
    assert found.numbers == tuple(range(3, 11))
    assert found.legacy[-1] == 50.0
    assert set(found.replacement) == {100.0}
    assert found.share[0] == 0.0
    assert found.share[-1] == 100.0
    assert found.share[4] == 50.0, "of the requests 4 to 7, two were the replacement's"


def test_the_share_is_of_all_requests_compared_or_not():
    found = curve([point(n) for n in (2, 4, 6, 8)], [True, False] * 4, window=2)
    assert set(found.share) == {50.0}


def test_points_are_put_in_order():
    points = [point(n) for n in range(1, 101)]
    served = [n >= 50 for n in range(1, 101)]
    assert curve(points[::-1], served) == curve(points, served)


def test_nothing_to_draw_is_no_error():
    assert curve([], []).numbers == ()


def test_the_window_grows_with_the_story():
    for size, window in ((100, 40), (2000, 100)):
        points = [point(n) for n in range(1, size + 1)]
        assert curve(points, [True] * size).window == window


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=80))
def test_percents_are_percents(flags):
    points = [point(n, *one) for n, one in enumerate(flags, 1)]
    found = curve(points, [served for _, _, served in flags])
    assert len(found.numbers) == len(found.legacy) == len(found.replacement) == len(found.share)
    for line in (found.legacy, found.replacement, found.share):
        assert all(0 <= value <= 100 for value in line)
