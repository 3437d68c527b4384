"""Several bridges on one store: what one did alone, another does soon after it was killed."""

from __future__ import annotations

import time
from collections import Counter

import pytest


def taken(desk):
    return Counter(one.line.data["key"] for one in desk.journal(endpoint="ticket-opened"))


def seen(desk):
    """Give what ``fig bridge status`` sees, by process id."""
    done = desk.fig("bridge", "status", "--json")
    assert done.status == 0, done.err
    return {one["process"]["pid"]: one for one in done.json()["processes"]}


def holders(*processes):
    return [one for one in processes if "outcomes" in one.status()["leases"]]


@pytest.fixture
def pair(any_desk):
    any_desk.edit("fig.toml", "[workspace]", "[bridge]\nlease = 2.4\n\n[workspace]")
    any_desk.edit("fig.toml", 'key     = ["customer"]', 'key = ["customer"]\nlease = 2.0')
    any_desk.install()
    any_desk.at("shadow", "ticket-opened")
    return any_desk


def test_what_a_killed_bridge_did_is_taken_over_within_seconds(pair, wait):
    """On one machine, so the host's name is the same; and then by one with a new incarnation."""
    first, second = pair.bridge(), pair.bridge()
    wait(lambda: len(holders(first, second)) == 1, "one of them holds the lease")
    (holder,) = holders(first, second)
    other = second if holder is first else first
    pair.behave("hang")
    pair.edit("fig.toml", "deadline = 0.4", "deadline = 0.5")
    pair.tickets(40)
    wait(lambda: holder.source()["in_flight"], "it has work in hand")
    pair.behave("answer")
    killed = time.monotonic()
    holder.kill()
    wait(lambda: holders(other) == [other], "the other one holds it now", 10)
    assert time.monotonic() - killed < 10
    wait(lambda: seen(pair)[holder.pid]["gone"], "it is seen to be gone", 10)
    assert not seen(pair)[other.pid]["gone"]
    wait(lambda: f"bridge {holder.pid} on" in other.said(), "the other one says so")
    wait(lambda: pair.waiting() == 0, "what was in its hands is done")
    assert taken(pair) == {f"C-{number}": 1 for number in range(1, 41)}
    shown = pair.fig("bridge", "status").out
    assert "gone" in shown
    assert str(holder.pid) in shown

    again = pair.bridge()
    wait(lambda: len(seen(pair)) == 3, "the new one is a third")
    assert holders(other, again) == [other], "who has it keeps it"
    assert other.stop() == 0
    wait(lambda: holders(again) == [again], "who leaves in order need not be waited for")


def test_two_bridges_share_the_work(pair, wait):
    first, second = pair.bridge(), pair.bridge()
    pair.behave("slow")
    pair.edit("fig.toml", "deadline = 0.4", "deadline = 20")
    assert pair.fig("bridge", "reload").status == 0
    pair.tickets(30)
    wait(lambda: first.source()["received"] + second.source()["received"] >= 30, "all are taken")
    pair.behave("answer")
    wait(lambda: pair.waiting() == 0, "all are settled")
    assert taken(pair) == {f"C-{number}": 1 for number in range(1, 31)}
