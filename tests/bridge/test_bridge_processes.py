"""Bridges as real processes, killed at any moment: nothing lost, invented or out of order."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stranglerfig.adapters.tables import TableSource

pytestmark = pytest.mark.process

SCRIPT = Path(__file__).with_name("one_bridge.py")
ACCOUNTS = 9
PATIENCE = 90.0


class Desk:
    """The legacy database, its writer, the bridges over it and what they wrote."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.processes: list[subprocess.Popen[bytes]] = []
        with contextlib.closing(self.legacy()) as legacy:
            legacy.execute("CREATE TABLE tickets (id INTEGER PRIMARY KEY, account TEXT, text TEXT)")
            legacy.commit()
        options = {"url": "sqlite:///legacy.db", "table": "tickets", "key": "account"}
        self.source = TableSource(name="tickets", options=options, place="fig.toml", root=root)
        self.source.install()

    def legacy(self) -> sqlite3.Connection:
        return sqlite3.connect(self.root / "legacy.db", timeout=30)

    def write(self, count: int, *, text: str = "", first: int = 1, pause: float = 0.0) -> None:
        """Insert as a legacy program would; every seventh transaction is rolled back first."""
        with contextlib.closing(self.legacy()) as legacy:
            for at in range(first, first + count):
                row = (at, f"a{at % ACCOUNTS}", text)
                if at % 7 == 0:
                    legacy.execute("INSERT INTO tickets VALUES (?, ?, ?)", (at, "gone", "gone"))
                    legacy.rollback()
                legacy.execute("INSERT INTO tickets VALUES (?, ?, ?)", row)
                legacy.commit()
                time.sleep(pause)

    def bridge(self, *, lease: float = 600, attempts: int = 1_000) -> subprocess.Popen[bytes]:
        with (self.root / "bridge.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, str(SCRIPT), str(self.root), str(lease), str(attempts)],
                stderr=log,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        self.processes.append(process)
        return process

    def ask(self, database: str, query: str) -> list[tuple]:
        with contextlib.closing(sqlite3.connect(self.root / database, timeout=30)) as connection:
            return connection.execute(query).fetchall()

    def count(self) -> int:
        try:
            return self.ask("outcomes.db", "SELECT count(*) FROM outcome")[0][0]
        except sqlite3.OperationalError:  # no bridge has made its table yet
            return 0

    def settled(self) -> int:
        done = "SELECT count(*) FROM fig_event WHERE done_at IS NOT NULL"
        return self.ask("legacy.db", done)[0][0]

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                log = (self.root / "bridge.log").read_text()
                raise AssertionError(f"{self.count()} outcomes, {self.settled()} settled\n{log}")
            time.sleep(0.005)

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        assert process.wait(90) == 0

    def check(self, total: int) -> None:
        """Read both sides and hold them against each other."""
        outcomes = self.ask("outcomes.db", "SELECT account, ticket FROM outcome ORDER BY n")
        rows = self.ask("legacy.db", "SELECT account, id FROM tickets ORDER BY id")
        assert len(rows) == total
        assert sorted(outcomes) == sorted(rows), "lost, or invented"
        for account, of_key in itertools.groupby(sorted(rows), key=lambda row: row[0]):
            handled = [ticket for key, ticket in outcomes if key == account]
            assert handled == [ticket for _, ticket in of_key], f"out of order: {account}"
        left = "SELECT count(*) FROM fig_event WHERE done_at IS NULL OR lease_token IS NOT NULL"
        assert self.ask("legacy.db", left) == [(0,)]
        assert self.ask("legacy.db", "SELECT count(*) FROM fig_event") == [(total,)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    for process in desk.processes:
        process.kill()
        process.wait()


def kill(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    assert process.wait(90) == -signal.SIGKILL


def test_killed_at_any_moment_nothing_is_lost_and_order_holds(desk):
    """The lease is ten minutes: only taking over a dead process's leases can go on at once."""
    total, chance = 300, random.Random()
    writer = threading.Thread(target=desk.write, args=(total,), kwargs={"pause": 0.001})
    writer.start()
    killed = 0
    for _ in range(5):
        process = desk.bridge()
        goal = min(desk.count() + chance.randint(1, total // 6), total)
        desk.until(lambda goal=goal: desk.count() >= goal)
        kill(process)
        killed += 1
    process = desk.bridge()
    writer.join()
    desk.until(lambda: desk.settled() == total)
    desk.stop(process)
    desk.check(total)
    assert killed == 5
    pids = desk.ask("outcomes.db", "SELECT count(DISTINCT pid) FROM outcome")
    assert pids[0][0] >= 3


def test_two_bridges_share_a_table_and_do_nothing_twice(desk):
    total = 300
    desk.write(50)
    first, second = desk.bridge(), desk.bridge()
    desk.write(total - 50, first=51)
    desk.until(lambda: desk.settled() == total)
    desk.stop(first)
    desk.stop(second)
    desk.check(total)
    assert desk.ask("outcomes.db", "SELECT count(*), count(DISTINCT id) FROM run") == [
        (2 * total, total)
    ]
    assert desk.ask("outcomes.db", "SELECT count(DISTINCT pid) FROM outcome") == [(2,)]
    # Of one account never two at once, in whichever process.
    busy: dict[str, str] = {}
    for identity, account, what in desk.ask("outcomes.db", "SELECT id, account, what FROM run"):
        if what == "begun":
            assert account not in busy
            busy[account] = identity
        else:
            assert busy.pop(account) == identity


def test_one_of_two_bridges_is_killed_and_the_other_goes_on(desk):
    """The survivor is not restarted, so it is the end of the leases that frees them."""
    total = 200
    desk.write(total)
    first, second = desk.bridge(lease=2), desk.bridge(lease=2)
    desk.until(lambda: desk.count() >= 40)
    kill(first)
    desk.until(lambda: desk.settled() == total)
    desk.stop(second)
    desk.check(total)


def test_a_poison_row_that_kills_its_process_is_given_up_and_its_neighbours_flow(desk):
    desk.write(1, text="poison")
    desk.write(40, first=2)
    deaths = 0
    process = desk.bridge(attempts=3)
    while deaths < 10:
        desk.until(lambda it=process: it.poll() is not None or desk.settled() == 41)
        if process.poll() is None:
            break
        assert process.returncode == -signal.SIGKILL
        deaths += 1
        process = desk.bridge(attempts=3)
    desk.stop(process)
    assert deaths == 3
    dead = "SELECT key, dead_reason FROM fig_event WHERE dead_reason IS NOT NULL"
    reason = "gave up after 3 attempts, of which none came to an end"
    assert desk.ask("legacy.db", dead) == [("a1", reason)]
    assert desk.count() == 40


def test_sigterm_finishes_what_is_in_hand(desk):
    desk.write(400)
    process = desk.bridge()
    desk.until(lambda: desk.count() >= 20)
    desk.stop(process)
    begun = desk.ask("outcomes.db", "SELECT count(*) FROM run WHERE what = 'begun'")[0][0]
    ended = desk.ask("outcomes.db", "SELECT count(*) FROM run WHERE what = 'ended'")[0][0]
    assert begun == ended == desk.settled()
    assert desk.ask("legacy.db", "SELECT count(*) FROM fig_event WHERE lease_token > ''") == [(0,)]
