"""kill -9 at any moment: nothing captured is lost, nothing is done twice, the route is kept."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import random
import threading
import time
from collections import Counter

import pytest

TEXT = "I want my money back, please refund the premium of May"
ROUNDS = 3


class Load:
    """Callers who go on whatever happens, and remember what they were told."""

    def __init__(self, work, threads=3):
        self._work = work
        self._numbers = itertools.count()
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]
        self.told = {}

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        for thread in self._threads:
            thread.join(30)

    def _run(self):
        while not self._ended.is_set():
            customer = f"C-{next(self._numbers)}"
            try:
                self.told[customer] = self._work(customer)
            except (OSError, http.client.HTTPException):
                time.sleep(0.01)  # nobody listens just now


def killed_again_and_again(desk, command, work, random_seed):
    """Start, let the load run for a random while, kill; several times. Gives what was told."""
    moments = random.Random(random_seed)
    current = []
    with Load(lambda customer: work(current[-1] if current else None, customer)) as load:
        for _ in range(ROUNDS):
            process = desk.start(*command)
            current.append(process.facade if "bridge" not in command else None)
            time.sleep(moments.uniform(0.05, 0.6))  # the moment is what is random here
            process.kill()
    return load.told


def tickets(desk):
    return dict(desk.sql("SELECT id, customer FROM tickets"))


def every_ticket_once(desk, wait):
    """Each row that legacy committed has one line, one mark, and nothing besides."""
    rows = tickets(desk)
    wait(
        lambda: len(desk.journal(endpoint="ticket-opened")) >= len(rows),
        f"the bridge has taken all {len(rows)} tickets",
        60,
    )
    lines = desk.journal(endpoint="ticket-opened")
    assert Counter(entry.line.data["key"] for entry in lines) == Counter(rows.values())
    assert max(Counter(entry.line.request_id for entry in lines).values()) == 1
    marks = desk.sql("SELECT message_id FROM inbox WHERE consumer = 'ticket-opened'", db="fig.db")
    assert len(marks) == len(set(marks)) == len(rows)
    assert desk.sql("SELECT count(*) FROM dead_letters", db="fig.db") == [(0,)]
    wait(
        lambda: desk.sql("SELECT count(*) FROM fig_event WHERE done_at IS NULL") == [(0,)],
        "every captured row is settled",
    )


def every_answer_once(desk, told):
    """An answer of the replacement has its line before its caller has it; none has two."""
    by_customer = Counter(
        entry.line.data["key"]
        for entry in desk.journal()
        if entry.line.data["served_by"] == "replacement"
    )
    promised = {customer for customer, body in told.items() if b"C10" in body}
    assert promised, "the load never reached the replacement"
    assert promised <= by_customer.keys()
    assert set(by_customer.values()) == {1}
    ids = Counter(entry.line.request_id for entry in desk.journal())
    assert max(ids.values()) == 1


@pytest.fixture
def canary(desk):
    """Half the customers are on the replacement; the tickets are in shadow."""
    desk.install()
    desk.at("shadow", "ticket-opened")
    desk.before = desk.at("canary", percent=50)
    return desk


@pytest.mark.parametrize("seed", [1, 2])
def test_up(canary, wait, seed):
    def work(facade, customer):
        if facade is None:
            raise OSError
        answer = facade.triage(TEXT, customer)
        assert answer.status == 200
        assert facade.submit(TEXT, customer).status == 200
        return answer.body

    told = killed_again_and_again(canary, ["up"], work, seed)
    assert canary.reader.routes.get("triage-ticket") == canary.before
    process = canary.start("up")
    every_ticket_once(canary, wait)
    every_answer_once(canary, told)
    sides = {customer: b"C10" in body for customer, body in told.items()}
    for customer, was_replacement in itertools.islice(sides.items(), 10):
        now = b"C10" in process.facade.triage(TEXT, customer).body
        assert now is was_replacement, "a customer stays on one side"
    assert canary.broken() == []


def test_serve(canary):
    def work(facade, customer):
        if facade is None:
            raise OSError
        answer = facade.triage(TEXT, customer)
        assert answer.status == 200
        return answer.body

    told = killed_again_and_again(canary, ["serve"], work, 3)
    canary.start("serve")
    every_answer_once(canary, told)
    assert canary.reader.routes.get("triage-ticket") == canary.before
    assert canary.broken() == []


def test_bridge(canary, wait):
    def work(_, customer):
        return canary.legacy.submit(TEXT, customer).body

    told = killed_again_and_again(canary, ["bridge", "run"], work, 4)
    rows = tickets(canary)
    assert set(told) <= set(rows.values()), "the triggers never cost legacy a ticket"
    canary.start("bridge", "run")
    every_ticket_once(canary, wait)
    assert canary.reader.routes.get("triage-ticket") == canary.before
    assert canary.broken() == []


def served(entries):
    return {entry.line.data["served_by"] for entry in entries}


def test_facade_and_bridge_in_two_processes_on_one_store(canary, wait):
    """Each writes its lines into the same chain; a change reaches both."""
    serve, bridge = canary.start("serve"), canary.start("bridge", "run")

    def work(customer):
        with contextlib.suppress(OSError):
            serve.facade.submit(TEXT, customer)
        return serve.facade.triage(TEXT, customer).body

    with Load(work) as load:
        wait(lambda: len(canary.journal(endpoint="ticket-opened")) > 20, "the bridge takes some")
        canary.route("kill", "ticket-opened")
        canary.route("kill", "triage-ticket")
        for process in (serve, bridge):
            wait(lambda p=process: p.said().count("killed") >= 1, "both were told")
        before = len(load.told)
        wait(lambda: len(load.told) > before + 10, "callers are answered")
        # What was asked before the kill may still be answered behind what was asked after it.
        wait(lambda: served(canary.journal()[-10:]) == {"legacy"}, "legacy answers them all")
    every_ticket_once(canary, wait)
    every_answer_once(canary, load.told)
    assert served(canary.journal()[-3:]) == {"legacy"}
    assert serve.stop() == bridge.stop() == 0
    assert canary.broken() == []
