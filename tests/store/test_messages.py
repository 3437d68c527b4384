"""The outbox as people see it, on both databases."""

from __future__ import annotations

import pytest

from stranglerfig.migrations.schema.upgrade import upgrade
from stranglerfig.model import Outgoing
from stranglerfig.store import Store, Write
from stranglerfig.store.chain import verify
from stranglerfig.store.messages import Messages
from stranglerfig.store.outbox import Outbox, send
from stranglerfig.store.page import Page
from stranglerfig.store.spent import remove

NOW = 1_700_000_000.0
SAID = {"who": "ada", "why": "asked the bank"}


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, tmp_path):
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'fig.db'}"
    else:
        url = request.getfixturevalue("postgresql").database()
    upgrade(url)
    store = Store(url, patience=5.0)
    store.open()
    yield store
    assert not list(verify(store.database))
    store.close()


@pytest.fixture
async def messages(store):
    """Seven to ``there``, each in another state (1 held, 2 behind it …), and one elsewhere."""
    for number in range(1, 9):
        to = "there" if number < 8 else "elsewhere"
        key = "k" if number < 3 else f"k{number}"
        body = b"body \x00\xff %d" % number
        one = Outgoing(destination=to, message_id=f"m{number}", key=key, body=body)
        await store.journal.commit(Write(effects=(send(one, NOW + number),)))
    outbox = Outbox(store.database)
    one, _, three, four, _, six, _ = outbox.claim("there", "t", now=NOW, lease=30.0, limit=10)
    outbox.hold("t", one, error="no answer", now=NOW)
    outbox.sent("t", [three.id], now=NOW)
    outbox.put_back("t", [four.id], next_at=NOW + 99, error="down")
    outbox.give_up("t", [2, 7])
    outbox.hold("t", six, error="refused", now=NOW)
    found = Messages(store.database)
    assert found.decide([6], "drop", now=NOW, **SAID) == [6]
    return found


def states(messages, now=NOW, **asked):
    return {one.id: one.state for one in messages.read(now, **asked)}


async def test_each_is_in_the_state_that_it_is_in(messages):
    expected = dict(enumerate(["held", "waiting", "sent", "waiting", "sending", "dropped"], 1))
    expected |= {7: "waiting", 8: "waiting"}
    assert states(messages) == expected
    assert states(messages, NOW + 31)[5] == "waiting", "its lease ran out"
    for state in set(expected.values()):
        only = {number: one for number, one in expected.items() if one == state}
        assert states(messages, states=[state]) == only
        assert messages.count(NOW, states=[state]) == len(only)
    assert states(messages, destination="elsewhere") == {8: "waiting"}


async def test_one_is_shown_whole(messages):
    one = messages.get(1, NOW)
    assert (one.message.body, one.message.message_id) == (b"body \x00\xff 1", "m1")
    assert (one.at, one.attempts, one.next_at, one.ended_at) == (NOW + 1, 1, 0.0, None)
    assert (one.error, messages.behind(one)) == ("no answer", 1)
    assert messages.get(3, NOW).ended_at == NOW
    assert messages.get(4, NOW).next_at == NOW + 99
    assert messages.get(99, NOW) is None


async def test_pages_from_either_end(messages):
    assert list(states(messages, page=Page(limit=3, after=2))) == [3, 4, 5]
    newest = Page(limit=2, after=7, newest=True)
    assert list(states(messages, page=newest)) == [6, 5]
    assert messages.count(NOW, page=newest) == 6


async def test_only_what_is_held_is_released_and_only_what_nobody_has_is_dropped(messages, store):
    assert messages.decide(range(1, 10), "release", now=NOW, **SAID) == [1]
    assert messages.get(1, NOW).attempts == 0
    assert messages.decide(range(1, 10), "drop", now=NOW, **SAID) == [1, 2, 4, 7, 8]
    lines = [entry.line for entry in store.journal.read(kinds=["note"])]
    notes = [line for line in lines if "action" in line.data]
    assert [note.data["action"] for note in notes][:2] == ["message 6: drop", "message 1: release"]
    assert (notes[1].request_id, notes[1].data["who"]) == ("m1", "ada")
    assert notes[1].data["why"] == "asked the bank"


async def test_a_dropped_one_goes_by_its_age_as_a_sent_one_does(messages, store):
    assert sum(remove(store.database, "outbox", NOW + 1)) == 2
    assert set(states(messages)) == {1, 2, 4, 5, 7, 8}
