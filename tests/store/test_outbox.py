"""The outbox: what is written with a line leaves under leases, in order, and once."""

from __future__ import annotations

import asyncio

import pytest

from stranglerfig.model import Outgoing
from stranglerfig.store import Line, Store, Write
from stranglerfig.store.messages import Messages
from stranglerfig.store.outbox import HELD, Outbox, Waiting, send
from stranglerfig.tests.stores import either_store

NOW = 1_700_000_000.0


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, tmp_path):
    url = either_store(request, tmp_path / "fig.db")
    store = Store(url, patience=5.0)
    store.open()
    yield store
    store.close()


@pytest.fixture
def outbox(store):
    return Outbox(store.database)


def message(ident, key="k", to="there"):
    headers = (("revision", "r1"), ("revision", "é"))
    return Outgoing(destination=to, message_id=ident, key=key, headers=headers, body=b"\x00\xff")


@pytest.fixture
def put(store):
    async def write(*messages):
        for one in messages:
            lines = (Line(kind="request", request_id=one.message_id),)
            assert await store.journal.commit(Write(lines=lines, effects=(send(one, NOW),)))

    return write


def claim(outbox, token="a", now=NOW, limit=10, to="there"):
    return outbox.claim(to, token, now=now, lease=30.0, limit=limit)


def ids(found):
    return [one.message.message_id for one in found]


async def test_what_was_written_comes_as_it_was_in_order_and_once(outbox, put):
    await put(message("1"), message("2", "j"), message("3"), message("x", to="elsewhere"))
    found = claim(outbox)
    assert [one.message for one in found] == [message("1"), message("2", "j"), message("3")]
    assert {(one.attempts, one.lost) for one in found} == {(1, False)}
    assert claim(outbox, "b") == []
    assert outbox.sent("a", [one.id for one in found], now=NOW) == 3
    assert claim(outbox, "b", NOW + 1000) == []
    assert ids(claim(outbox, to="elsewhere")) == ["x"]


async def test_the_same_id_is_written_once(outbox, put):
    await put(message("1"), message("1", "other"))
    assert [one.message.key for one in claim(outbox)] == ["k"]


async def test_none_of_a_key_overtakes_while_others_go_on(outbox, put):
    await put(message("1"), message("2", "j"), message("3"), message("4", ""), message("5", ""))
    (first,) = claim(outbox, limit=1)
    assert ids(claim(outbox, "b", limit=3)) == ["2", "4", "5"]
    assert outbox.put_back("a", [first.id], next_at=NOW + 5, error="down") == 1
    assert claim(outbox, "b", NOW + 4) == []
    again = claim(outbox, "b", NOW + 6)
    assert ids(again) == ["1", "3"]
    assert (again[0].attempts, again[0].error, again[0].lost) == (2, "down", False)


async def test_a_lease_that_runs_out_is_taken_over_and_its_late_end_refused(outbox, put):
    await put(message("1"), message("2"))
    old = claim(outbox)
    assert outbox.renew("a", [old[0].id], until=NOW + 50) == 1
    assert claim(outbox, "b", NOW + 31) == [], "its key is still held"
    new = claim(outbox, "b", NOW + 51)
    assert [(one.message.message_id, one.lost, one.attempts) for one in new] == [
        ("1", True, 2),
        ("2", True, 2),
    ]
    assert outbox.sent("a", [one.id for one in old], now=NOW) == 0
    assert outbox.sent("b", [one.id for one in new], now=NOW) == 2


async def test_given_up_is_as_if_it_was_never_claimed(outbox, put):
    await put(message("1"))
    (one,) = claim(outbox)
    assert outbox.give_up("a", [one.id]) == 1
    (again,) = claim(outbox, "b")
    assert (again.attempts, again.lost) == (1, False)


async def test_what_is_held_waits_for_a_person_with_its_key(outbox, put, store):
    await put(message("1"), message("2"), message("3", "j"))
    one = claim(outbox)[0]
    assert outbox.hold("a", one, error="in doubt", now=NOW) == 1
    assert outbox.hold("a", one, error="in doubt", now=NOW) == 0
    (line,) = [entry.line for entry in store.journal.read(kinds=["held"])]
    assert (line.request_id, line.data["error"]) == ("1", "in doubt")
    assert ids(claim(outbox, "b", NOW + 60)) == ["3"]
    assert outbox.waiting() == {"there": Waiting(unsent=3, held=1, oldest=NOW)}
    messages, said = Messages(store.database), {"who": "ada", "why": "it did not arrive"}
    assert messages.decide([2, 3], "release", now=NOW, **said) == [], "they are not held"
    assert messages.decide([one.id], "release", now=NOW, **said) == [one.id]
    assert ids(claim(outbox, "b", NOW + 60)) == ["1", "2"]
    assert NOW + 60 < HELD


async def test_a_write_that_is_a_duplicate_sends_nothing(outbox, store):
    from stranglerfig.store import InboxMark

    mark = InboxMark("triage", "p1", "hash")
    for ident in ("1", "2"):
        write = Write(inbox=mark, effects=(send(message(ident), NOW),))
        assert await store.journal.commit(write) == (ident == "1")
    assert ids(claim(outbox)) == ["1"]


async def test_bridges_that_race_claim_each_message_once_and_keep_the_order(store, outbox, put):
    await put(*(message(f"{n:03}", f"k{n % 5}") for n in range(100)))
    got = {f"k{n}": [] for n in range(5)}

    def work(token):
        mine = Outbox(store.database)
        taken = []
        while found := mine.claim("there", token, now=NOW, lease=1e6, limit=7):
            for one in found:
                got[one.message.key].append(one.message.message_id)
            taken += ids(found)
            mine.sent(token, [one.id for one in found], now=NOW)
        return taken

    taken = await asyncio.gather(*(asyncio.to_thread(work, token) for token in "abc"))
    while more := work("d"):
        taken.append(more)
    assert sorted(one for some in taken for one in some) == [f"{n:03}" for n in range(100)]
    assert all(one == sorted(one) for one in got.values())
