"""Real processes over a real store: what kills them, what they lose, what a person has replayed."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stranglerfig.adapters.tables import TableSource
from stranglerfig.migrations.schema.upgrade import upgrade
from stranglerfig.store import Store

pytestmark = pytest.mark.process

SCRIPT = Path(__file__).with_name("one_desk.py")
PATIENCE = 120.0


class Desk:
    def __init__(self, root, url):
        self.root, self.url = root, url
        self.processes = []
        with contextlib.closing(sqlite3.connect(root / "legacy.db")) as legacy:
            legacy.execute("CREATE TABLE tickets (id INTEGER PRIMARY KEY, account TEXT, text TEXT)")
            legacy.commit()
        options = {"url": "sqlite:///legacy.db", "table": "tickets", "key": "account"}
        TableSource(name="tickets", options=options, place="fig.toml", root=root).install()
        upgrade(url)
        self.store = Store(url)

    def write(self, *rows):
        with contextlib.closing(sqlite3.connect(self.root / "legacy.db", timeout=30)) as legacy:
            legacy.executemany("INSERT INTO tickets VALUES (?, ?, ?)", rows)
            legacy.commit()

    def start(self, attempts=3):
        with (self.root / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, str(SCRIPT), str(self.root), self.url, str(attempts)],
                stderr=log,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        self.processes.append(process)
        return process

    def until(self, condition):
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise AssertionError((self.root / "log").read_text())
            time.sleep(0.01)

    def tickets(self):
        """Give the tickets in the journal, in its order."""
        lines = self.store.journal.read(kinds=["request"])
        return [line.line.data["ticket"] for line in lines]

    def letters(self):
        return list(self.store.dead_letters.read())

    def events(self, what):
        with contextlib.closing(sqlite3.connect(self.root / "legacy.db", timeout=30)) as legacy:
            return legacy.execute(f"SELECT {what} FROM fig_event ORDER BY id").fetchall()

    def stop(self, process):
        process.terminate()
        assert process.wait(90) == 0


@pytest.fixture(params=["sqlite", "postgresql"])
def desk(request, tmp_path):
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'fig.db'}"
    else:
        url = request.getfixturevalue("postgresql").database()
    desk = Desk(tmp_path, url)
    yield desk
    for process in desk.processes:
        process.kill()
        process.wait()
    desk.store.close()


def test_poison_becomes_a_dead_letter_its_neighbours_flow_and_its_replay_has_one_effect(desk):
    """What is behind it under its key waits, as the source wants it, until it was replayed."""
    desk.write((1, "a", "poison"), (2, "a", "behind it"))
    desk.write(*((at, f"b{at % 5}", "") for at in range(3, 23)))
    process, deaths = desk.start(), 0
    while not desk.letters():
        desk.until(lambda it=process: it.poll() is not None or desk.letters())
        if process.poll() is not None:
            assert process.returncode == -signal.SIGKILL
            process, deaths = desk.start(), deaths + 1
    assert deaths == 3
    desk.until(lambda: len(desk.tickets()) == 20)
    (letter,) = desk.letters()
    assert (letter.letter.record.key, letter.letter.attempts) == ("a", 4)
    assert b'"text":"poison"' in letter.letter.record.body
    assert "gave up after 3 attempts, of which none came to an end" in letter.letter.reason
    assert 2 not in desk.tickets(), "it waits for a person"

    (desk.root / "mended").touch()
    for times in (1, 2):
        assert desk.store.dead_letters.decide([letter.id], "replay", who="ada", why="mended")
        desk.until(lambda: desk.letters()[0].state == "replayed")
        desk.until(lambda: len(desk.tickets()) == 22)
        assert desk.tickets().count(1) == 1, times
    assert desk.tickets().index(1) < desk.tickets().index(2)
    desk.stop(process)


def test_what_is_dropped_while_a_bridge_runs_lets_those_behind_it_follow(desk):
    desk.write((1, "a", "poison"), (2, "a", "behind it"))
    process = desk.start()
    while not desk.letters():
        desk.until(lambda it=process: it.poll() is not None or desk.letters())
        if process.poll() is not None:
            process = desk.start()
    desk.store.dead_letters.decide([desk.letters()[0].id], "drop", who="ada", why="a test row")
    desk.until(lambda: desk.tickets() == [2])
    desk.until(lambda: desk.letters()[0].state == "dropped")
    desk.stop(process)


def test_a_store_that_is_lost_stops_the_intake_and_costs_nothing(tmp_path):
    desk = Desk(tmp_path, f"sqlite:///{tmp_path / 'fig.db'}")
    process = desk.start()
    try:
        desk.write(*((at, f"k{at}", "") for at in range(50)))
        desk.until(lambda: len(desk.tickets()) == 50)
        with contextlib.closing(sqlite3.connect(tmp_path / "fig.db", isolation_level=None)) as held:
            held.execute("BEGIN IMMEDIATE")
            desk.write(*((at, f"k{at}", "") for at in range(50, 150)))
            desk.until(lambda: "waiting for the store" in (tmp_path / "log").read_text())
            time.sleep(0.5)
            done = [at for (at,) in desk.events("done_at") if at is not None]
            attempts = [count for (count,) in desk.events("attempts")]
            assert len(done) == 50
            assert sum(attempts[50:]) <= 16, "no more was asked for"
            held.execute("ROLLBACK")
        desk.until(lambda: len(desk.tickets()) == 150)
        desk.until(lambda: all(at is not None for (at,) in desk.events("done_at")))
        assert max(count for (count,) in desk.events("attempts")) == 1
        assert desk.letters() == []
        desk.stop(process)
    finally:
        process.kill()
        process.wait()
        desk.store.close()
