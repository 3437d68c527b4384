from __future__ import annotations

import threading

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.store.backlog import Backlog, Item
from stranglerfig.store.group import Content


def item(lines=1, name="r"):
    return Item((Content(rows=((0.0, "request", "e", name, "", "{}"),) * lines),))


def names(items):
    return [i.contents[0].rows[0][3] for i in items]


def test_takes_in_order_up_to_a_limit():
    backlog = Backlog(100)
    for name in "abcd":
        assert backlog.put(item(2, name))
    assert names(backlog.take(5)) == ["a", "b"]
    assert backlog.lines == 4


def test_takes_one_item_that_is_larger_than_the_limit():
    backlog = Backlog(100)
    backlog.put(item(9))
    assert len(backlog.take(5)) == 1
    assert backlog.lines == 0


def test_a_withdrawn_item_is_not_taken_and_a_taken_one_not_withdrawn():
    backlog = Backlog(100)
    first, second = item(name="a"), item(name="b")
    backlog.put(first)
    backlog.put(second)
    assert backlog.withdraw(first)
    assert not backlog.withdraw(first)
    assert names(backlog.take(9)) == ["b"]
    assert not backlog.withdraw(second)


def test_what_is_put_back_comes_first_and_needs_no_room():
    backlog = Backlog(2)
    backlog.put(item(name="a"))
    backlog.put(item(name="b"))
    taken = backlog.take(9)
    assert backlog.put(item(2, name="c"))
    backlog.put_first(taken)
    assert names(backlog.take(9)) == ["a", "b", "c"]


def test_what_finds_no_room_is_counted_and_reported_once():
    backlog = Backlog(3)
    backlog.put(item(2, "a"))
    late = item(2, "b")
    assert not backlog.put(late)
    assert backlog.drop(late.contents[0])
    assert not backlog.drop(late.contents[0])
    report, kept = backlog.take(9)
    (row,) = report.contents[0].rows
    assert row[1] == "dropped"
    data = msgspec.json.decode(row[5])
    assert (data["lines"], data["kinds"]) == (4, {"request": 4})
    assert names([kept]) == ["a"]
    assert backlog.take(9) == []


def test_waiting_ends_with_work_and_with_closing():
    backlog = Backlog(9)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(backlog.wait(60, 1)))
    thread.start()
    backlog.put(item())
    thread.join(20)
    assert answers == [True]
    backlog.take(9)
    thread = threading.Thread(target=lambda: answers.append(backlog.wait(60, 1)))
    thread.start()
    backlog.close()
    thread.join(20)
    assert answers == [True, False]
    assert not backlog.put(item())


@given(st.lists(st.tuples(st.integers(1, 6), st.booleans()), max_size=30), st.integers(1, 8))
def test_everything_that_stays_is_taken_once_and_in_order(wanted, limit):
    backlog = Backlog(10_000)
    kept = []
    for number, (size, stays) in enumerate(wanted):
        one = item(size, str(number))
        assert backlog.put(one)
        if stays:
            kept.append(str(number))
        else:
            backlog.withdraw(one)
    taken = []
    while group := backlog.take(limit):
        assert len(group) == 1 or sum(i.size for i in group) <= limit
        taken += names(group)
    assert taken == kept
    assert backlog.lines == 0
