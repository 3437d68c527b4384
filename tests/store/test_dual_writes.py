"""Rows of writes to both sides, on either database: one at a time, in order, and never twice."""

from __future__ import annotations

import threading
import time

import msgspec
import pytest

from stranglerfig.errors import Conflict, RouteError
from stranglerfig.model import Record, Side
from stranglerfig.settings import Retention
from stranglerfig.store import Store
from stranglerfig.store.dual_work import Lag
from stranglerfig.store.dual_writes import Wanted
from stranglerfig.store.retention import due, retain

LEGACY, REPLACEMENT = Side.LEGACY, Side.REPLACEMENT
FORWARD, BACK = (LEGACY, REPLACEMENT), (REPLACEMENT, LEGACY)


def record(position="1", body=b"<body/>"):
    return Record(source="desk", position=position, kind="soap", body=body, headers=(("a", "b"),))


def wanted(token, *, key="K", order=FORWARD, digest="d"):
    return Wanted(
        endpoint="submit",
        request_id=f"r{token}",
        token=token,
        digest=digest,
        key=key,
        order=order,
        revision="r1",
        record=record(token),
    )


ANSWER = record("answer", b"<answer/>")


@pytest.fixture
def rows(either):
    return either.dual_writes


@pytest.fixture
def work(either):
    return either.dual_work


def prepare(rows, token, *, owner="me", seconds=60.0, **more):
    return rows.prepare(wanted(token, **more), owner, seconds)


def on_first(rows, token, **more):
    write = prepare(rows, token, **more).write
    assert rows.first(write, "me", ANSWER)
    return write


def lines(store):
    return [
        (entry.line.data["action"], entry.line.data["write"])
        for entry in store.journal.read(kinds=["dual"])
    ]


def test_goes_from_prepared_to_done_and_keeps_the_answer_alone(rows, work):
    found = prepare(rows, "a")
    assert (found.what, found.behind) == ("ours", False)
    assert found.write.record == record("a")
    assert found.write.leased
    assert rows.first(found.write, "me", ANSWER, seconds=60)
    standing = work.get(found.write.id)
    assert (standing.state, standing.side, standing.result) == ("first", REPLACEMENT, ANSWER)
    assert rows.copied(found.write, "me")
    done = work.get(found.write.id)
    assert (done.state, done.record, done.result, done.leased) == ("done", None, ANSWER, False)
    assert done.done_at >= done.first_at >= done.at
    assert work.lag("submit") == Lag()


def test_one_side_alone_is_done_when_that_has_it(rows, work):
    write = prepare(rows, "a", order=(REPLACEMENT,)).write
    assert write.second is None
    assert rows.first(write, "me", ANSWER, seconds=60)
    assert work.get(write.id).state == "done"
    assert not rows.copied(write, "me")


def test_what_comes_again_is_known_and_begins_anew_only_where_nothing_came_of_it(rows):
    write = prepare(rows, "a").write
    assert prepare(rows, "a", owner="other").what == "known"
    assert rows.refused(write, "me", "not reached", None)
    again = prepare(rows, "a", owner="other")
    assert again.what == "ours"
    assert again.write.id > write.id
    assert rows.refused(again.write, "other", "no", ANSWER)
    known = prepare(rows, "a")
    assert (known.what, known.write.state, known.write.result) == ("known", "undone", ANSWER)
    assert rows.find("submit", "a") == known.write
    assert rows.find("submit", "b") is None


def test_another_body_under_the_same_token_is_refused(rows):
    prepare(rows, "a")
    with pytest.raises(Conflict, match="with another content"):
        prepare(rows, "a", digest="other")


@pytest.mark.parametrize("state", ["prepared", "doubt"])
def test_what_is_behind_one_that_may_have_happened_waits(rows, state):
    write = prepare(rows, "a").write
    if state == "doubt":
        assert rows.doubt(write, "me", LEGACY, "no answer")
    held = prepare(rows, "b")
    assert (held.what, held.write.id) == ("waits", write.id)
    assert prepare(rows, "c", key="other").what == "ours"
    assert rows.find("submit", "b") is None


def test_what_is_behind_one_that_waits_to_be_copied_is_copied_behind_it(rows, work):
    on_first(rows, "a")
    second = prepare(rows, "b")
    assert (second.what, second.behind) == ("ours", True)
    rows.first(second.write, "me", ANSWER)
    assert [one.token for one in work.heads(10)] == ["a"]


def test_in_the_other_order_nothing_overtakes_what_is_not_copied(rows):
    on_first(rows, "a")
    assert prepare(rows, "b", order=BACK).what == "waits"
    assert prepare(rows, "b", order=BACK, key="other").what == "ours"


def test_without_a_key_there_is_no_order(rows, work):
    on_first(rows, "a", key="")
    assert not prepare(rows, "b", key="").behind
    assert [one.token for one in work.heads(10)] == ["a"]


def test_who_asked_and_ended_leaves_a_doubt(rows, work, either):
    first = prepare(rows, "a", seconds=-1.0).write
    second = prepare(rows, "b", key="other").write
    rows.first(second, "me", ANSWER, seconds=1e-9)
    assert [(one.token, one.side) for one in work.expire()] == [("a", LEGACY), ("b", REPLACEMENT)]
    assert work.expire() == []
    assert lines(either) == [("doubt", first.id), ("doubt", second.id)]
    assert [one.state for one in work.open("submit", doubts=True)] == ["doubt", "doubt"]


def test_who_was_frozen_only_still_says_what_came_of_it(rows, work):
    write = prepare(rows, "a", seconds=-1.0).write
    work.expire()
    assert rows.first(write, "me", ANSWER)
    assert work.get(write.id).state == "first"


def test_who_was_frozen_is_not_heard_once_it_is_settled(rows, work):
    write = prepare(rows, "a", seconds=-1.0).write
    work.expire()
    work.settle(write.id, happened=False, who="a person", why="looked")
    assert not rows.first(write, "me", ANSWER)
    assert work.get(write.id).state == "undone"


def test_a_write_is_in_one_hand_at_a_time(rows, work):
    write = on_first(rows, "a")
    head = work.heads(10)[0]
    mine = work.claim(head, "worker", REPLACEMENT, 60)
    assert (mine.attempts, mine.leased, mine.side) == (1, True, REPLACEMENT)
    assert work.claim(head, "other", REPLACEMENT, 60) is None
    assert work.heads(10) == []
    assert not rows.copied(write, "other")
    assert rows.put_back(mine, "worker", REPLACEMENT, 0.0, "not reached")
    assert [one.error for one in work.heads(10)] == ["not reached"]
    assert rows.put_back(mine, "worker", REPLACEMENT, 60.0, "late") is False
    mine = work.claim(work.heads(10)[0], "worker", REPLACEMENT, 60)
    assert rows.put_back(mine, "worker", REPLACEMENT, 60.0, "not reached")
    assert work.heads(10) == []


def test_those_whose_replacement_is_not_asked_are_left_out(rows, work):
    on_first(rows, "a")
    back = prepare(rows, "b", key="other", order=BACK).write
    rows.first(back, "me", ANSWER)
    assert [one.token for one in work.heads(10, without=["submit"])] == ["b"]
    assert work.heads(10, among=["another"]) == []
    assert len(work.heads(10, among=["submit"])) == 2


@pytest.mark.parametrize(
    ("side", "happened", "state"),
    [
        (LEGACY, True, "first"),
        (LEGACY, False, "undone"),
        (REPLACEMENT, True, "done"),
        (REPLACEMENT, False, "first"),
    ],
)
def test_a_person_says_what_became_of_a_doubt(rows, work, either, side, happened, state):
    write = prepare(rows, "a").write
    if side is REPLACEMENT:
        rows.first(write, "me", ANSWER, seconds=60)
    assert rows.doubt(write, "me", side, "no answer")
    found = work.settle(write.id, happened=happened, who="a person", why="the log says so")
    assert found.state == state
    line = next(either.journal.read(kinds=["dual"])).line
    assert (line.data["action"], line.data["who"]) == ("settled", "a person")
    assert (line.data["why"], line.data["happened"]) == ("the log says so", happened)
    waits = [one.id for one in work.heads(10)]
    assert waits == ([write.id] if state == "first" else [])


def test_what_waits_can_be_said_to_be_copied_by_hand(rows, work):
    write = on_first(rows, "a")
    assert work.settle(write.id, happened=True, who="a person", why="by hand").state == "done"


def test_nothing_else_is_settled(rows, work):
    write = prepare(rows, "a").write
    for number in (write.id, 4711):
        with pytest.raises(RouteError, match="nothing to be settled"):
            work.settle(number, happened=True, who="a person", why="")
    rows.first(write, "me", ANSWER, seconds=60)
    with pytest.raises(RouteError, match="nothing to be settled") as refused:
        work.settle(write.id, happened=True, who="a person", why="")
    assert refused.value.value == "somebody asks for it now"


def test_what_nobody_needs_any_more_is_ended(rows, work, either):
    on_first(rows, "a", order=BACK)
    assert work.end(work.heads(10)[0], "legacy is retired")
    found = rows.find("submit", "a")
    assert (found.state, found.error, found.result) == ("undone", "legacy is retired", ANSWER)
    assert prepare(rows, "a", order=BACK).what == "known"
    assert lines(either) == [("ended", found.id)]


def test_lag_counts_what_waits_what_is_in_hand_and_what_is_in_doubt(rows, work):
    on_first(rows, "a", key="1")
    on_first(rows, "b", key="2", order=BACK)
    prepare(rows, "c", key="3")
    rows.first(prepare(rows, "d", key="4").write, "me", ANSWER, seconds=60)
    doubt = prepare(rows, "e", key="5").write
    rows.doubt(doubt, "me", LEGACY, "no answer")
    lag = work.lag("submit")
    assert (lag.to_legacy, lag.to_replacement, lag.in_hand, lag.doubts) == (1, 1, 2, 1)
    assert lag.waiting == 2
    assert lag.to(LEGACY) == lag.to(REPLACEMENT) == 1
    assert 0 <= lag.oldest < 60
    assert work.lags().keys() == {"submit"}


def test_what_was_written_without_the_store_is_noted_later(rows, work):
    assert rows.unrecorded(wanted("a"), 5.0, ANSWER, "the store was gone")
    assert not rows.unrecorded(wanted("a"), 5.0, ANSWER, "the store was gone")
    found = rows.find("submit", "a")
    assert (found.state, found.first_at, found.result) == ("first", 5.0, ANSWER)
    assert rows.unrecorded(wanted("b", key="other"), 5.0, None, "no answer")
    found = rows.find("submit", "b")
    assert (found.state, found.side) == ("doubt", LEGACY)


def test_what_others_overtook_without_the_store_is_in_doubt(rows, work):
    on_first(rows, "later")
    assert rows.unrecorded(wanted("a"), 5.0, ANSWER, "the store was gone")
    found = rows.find("submit", "a")
    assert (found.state, found.side) == ("doubt", REPLACEMENT)


def test_what_is_at_an_end_goes_by_its_age(rows, work, either):
    for number, key in enumerate("abc"):
        write = on_first(rows, key, key=key, owner="me")
        if number:
            assert work.claim(work.get(write.id), "me", REPLACEMENT, 60)
            assert rows.copied(write, "me")
    never = msgspec.convert(dict.fromkeys(Retention.__struct_fields__, 0.0), Retention)
    kept = msgspec.structs.replace(never, dual_writes=1.0)
    assert due(either, kept, time.time()).dual_writes == 0
    later = time.time() + 2 * 86_400
    assert retain(either, kept, later).dual_writes == 2
    assert [one.token for one in work.open("submit")] == ["a"]


def test_many_at_once_begin_one_of_a_key_and_one_of_a_token(either_url, rows):
    found = []

    def begin(number):
        store = Store(either_url)
        same = msgspec.structs.replace(wanted("same", key="other"), request_id=f"r{number}")
        found.append(store.dual_writes.prepare(wanted(f"t{number}"), "me", 60).what)
        found.append(store.dual_writes.prepare(same, "me", 60).what)
        store.close()

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == ["known"] * 5 + ["ours"] * 2 + ["waits"] * 5
