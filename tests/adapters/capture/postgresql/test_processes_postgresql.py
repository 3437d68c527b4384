"""Consumers as real processes over interleaved transactions, killed at any moment."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from stranglerfig.tests.adapters.capture.postgresql.desk import Desk
from stranglerfig.tests.importable import importable

pytestmark = pytest.mark.process

SCRIPT = Path(__file__).with_name("one_consumer.py")
ACCOUNTS = 7
PATIENCE = 120.0


class Office:
    """The legacy desk, its writers, and the consumers."""

    def __init__(self, desk: Desk, **options: object) -> None:
        self.desk = desk
        self.options = {
            "url": desk.url,
            "table": "tickets",
            "key": "account",
            "poll": 0.01,
            "lease": 600,
            "batch": 16,
            **options,
        }
        desk.installed(**self.options)
        desk.legacy.execute(
            "CREATE TABLE outcome (n bigserial, position text PRIMARY KEY, account text,"
            " ticket bigint, pid int, again int NOT NULL DEFAULT 0)"
        )
        self.processes: list[subprocess.Popen[bytes]] = []

    def consumer(self, **options: object) -> subprocess.Popen[bytes]:
        with (self.desk.root / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, str(SCRIPT), json.dumps({**self.options, **options})],
                stderr=log,
                env={**os.environ, "PYTHONPATH": importable()},
            )
        self.processes.append(process)
        return process

    def count(self, query: str = "SELECT count(*) FROM outcome") -> int:
        return self.desk.ask(query)[0][0]

    def settled(self) -> int:
        return self.count("SELECT count(done_at) FROM fig_event")

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                log = (self.desk.root / "log").read_text()
                raise AssertionError(f"{self.count()} outcomes, {self.settled()} settled\n{log}")
            time.sleep(0.01)

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        assert process.wait(90) == 0

    def check(self) -> int:
        """Hold both sides against each other: by key in the order of the commits."""
        rows = self.desk.ask("SELECT account, id FROM tickets ORDER BY account, text::int")
        found = self.desk.ask("SELECT account, ticket FROM outcome ORDER BY n")
        assert sorted(found) == sorted(rows), "lost, or invented"
        for account, of_key in itertools.groupby(rows, key=lambda row: row[0]):
            handled = [ticket for key, ticket in found if key == account]
            assert handled == [ticket for _, ticket in of_key], f"out of order: {account}"
        left = "SELECT count(*) FROM fig_event WHERE done_at IS NULL OR lease_token IS NOT NULL"
        assert self.count(left) == 0
        assert self.desk.gaps() == []
        return len(rows)


@pytest.fixture
def office(desk) -> Iterator[Callable[..., Office]]:
    made: list[Office] = []

    def make(**options: object) -> Office:
        made.append(Office(desk, **options))
        return made[-1]

    yield make
    for one in made:
        for process in one.processes:
            process.kill()
            process.wait()


def kill(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    assert process.wait(90) == -signal.SIGKILL


class Writer(threading.Thread):
    """Transactions of several tickets, held open, rolled back, prepared; the account is locked.

    A ticket's text counts the tickets of its account, so that their order is known.
    """

    def __init__(self, desk: Desk, seed: int) -> None:
        super().__init__(daemon=True)
        self._legacy = desk.connect()
        self._seed, self._chance = seed, random.Random(seed)
        self.stopping = threading.Event()
        self.failed = ""

    def run(self) -> None:
        try:
            for at in itertools.count(1_000_000 * self._seed, 2):
                if self.stopping.is_set():
                    return
                self._transact(at)
        except psycopg.Error as error:
            self.failed = str(error)

    def _transact(self, at: int) -> None:
        chance = self._chance
        accounts = sorted(chance.sample(range(ACCOUNTS), 2))
        ending = chance.choice(["COMMIT", "COMMIT", "ROLLBACK", "PREPARE"])
        self._legacy.execute("BEGIN")
        for number, account in enumerate(accounts):
            # The row lock is what orders changes of one account, as legacy's own would.
            ((last,),) = self._legacy.execute(
                "UPDATE accounts SET last = last + 1 WHERE id = %s RETURNING last", (account,)
            ).fetchall()
            self._legacy.execute(
                "INSERT INTO tickets VALUES (%s, %s, %s)", (at + number, f"a{account}", str(last))
            )
            time.sleep(chance.random() * 0.03)
        if ending != "PREPARE":
            self._legacy.execute(ending)
            return
        self._legacy.execute(f"PREPARE TRANSACTION 'p{at}'")
        time.sleep(chance.random() * 0.01)
        self._legacy.execute(f"{chance.choice(['COMMIT', 'ROLLBACK'])} PREPARED 'p{at}'")


def writing(desk: Desk, writers: int) -> list[Writer]:
    desk.legacy.execute("CREATE TABLE accounts (id int PRIMARY KEY, last int NOT NULL DEFAULT 0)")
    desk.legacy.execute(f"INSERT INTO accounts SELECT n FROM generate_series(0, {ACCOUNTS - 1}) n")
    threads = [Writer(desk, seed) for seed in range(writers)]
    for thread in threads:
        thread.start()
    return threads


def test_interleaved_transactions_and_killed_consumers_lose_and_turn_nothing(office):
    """The lease is ten minutes: only taking over a dead process's leases can go on at once."""
    one = office()
    writers = writing(one.desk, 3)
    chance = random.Random(7)
    other = one.consumer()
    for _ in range(3):
        process = one.consumer()
        mine = f"SELECT count(*) FROM outcome WHERE pid = {process.pid}"
        goal = chance.randint(2, 8)
        one.until(lambda mine=mine, goal=goal: one.count(mine) >= goal)
        kill(process)
    last = one.consumer()
    one.until(lambda: one.count(f"SELECT count(*) FROM outcome WHERE pid = {last.pid}") > 0)
    for writer in writers:
        writer.stopping.set()
        writer.join()
        assert not writer.failed
    one.until(lambda: one.settled() == one.count("SELECT count(*) FROM fig_event"))
    one.stop(last)
    one.stop(other)
    assert one.check() > 50
    assert one.count("SELECT count(DISTINCT pid) FROM outcome") >= 4


def test_a_survivor_goes_on_when_the_leases_of_the_dead_end(office):
    """Another host's processes cannot be looked up: it is the end of the lease that frees them."""
    one = office(lease=60)
    one.desk.legacy.execute(
        "INSERT INTO tickets SELECT n, 'a' || n % 7, n::text FROM generate_series(1, 30) n"
    )
    # As a process of another host left them.
    one.desk.legacy.execute(
        "UPDATE fig_event SET lease_token = 'far/1:2:3:' || id, attempts = 1,"
        " lease_until = date_part('epoch', clock_timestamp()) + 1.5 WHERE id <= 7"
    )
    process = one.consumer()
    one.until(lambda: one.settled() == 30)
    one.stop(process)
    assert one.check() == 30
    assert one.desk.events("attempts", where="id <= 7") == [(2,)] * 7


def test_a_poison_row_counts_its_attempts_though_it_kills_its_process(office):
    one = office()
    one.desk.legacy.execute("INSERT INTO tickets VALUES (1, 'a', 'poison'), (2, 'b', '2')")
    for death in (1, 2, 3):
        process = one.consumer()
        assert process.wait(90) == -signal.SIGKILL
        assert one.desk.events("attempts", where="id = 1") == [(death,)]
    # The lease of the last is taken over at the next start.
    one.desk.legacy.execute("UPDATE fig_event SET done_at = 1 WHERE id = 1")
    process = one.consumer()
    one.until(lambda: one.settled() == 2)
    one.stop(process)
    assert one.count() == 1
