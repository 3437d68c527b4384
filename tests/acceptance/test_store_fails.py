"""The store is locked, read-only or gone while callers are served: they notice nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TEXT = "I want my money back, please refund the premium of May"
SIDES = ("", "-wal", "-shm")
HOLD = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=20)
held.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def live(desk):
    """An endpoint that is live, and a process that has served from its replacement."""
    desk.at("live")
    desk.process = desk.start("serve").with_model()
    desk.facade = desk.process.facade
    desk.right = desk.legacy.triage(TEXT).body
    answer = desk.facade.triage(TEXT, "C-before")
    assert b"C10" in answer.body
    return desk


def move(file, to):
    for side in SIDES:
        if Path(f"{file}{side}").exists():
            Path(f"{file}{side}").rename(f"{to}{side}")


def served_by_legacy(live, wait, trouble):
    """Callers are answered from legacy while the store is lost, and the log says why."""
    for number in range(5):
        answer = live.facade.triage(TEXT, f"C-lost-{number}")
        assert (answer.status, answer.body) == (200, live.right)
    wait(lambda: trouble in live.process.said(), f"the log says {trouble!r}")
    wait(lambda: "answered from legacy (store)" in live.process.said(), "the log says who answers")
    number = live.facade.submit(TEXT, "C-write")
    assert number.status == 200, "what passes through needs no store"


def serves_again(live, wait):
    """The replacement serves again without a restart, at the stage that it had."""
    wait(
        lambda: b"C10" in live.facade.triage(TEXT, "C-after").body,
        "the replacement serves again",
    )
    assert live.reader.routes.get("triage-ticket").stage == "live"
    assert live.broken() == []


def fell_back(live, wait):
    """Every answer of the time without a store has its line, with the reason."""

    def lines():
        found = [entry.line.data for entry in live.journal()]
        return [data for data in found if str(data["key"]).startswith("C-lost")]

    wait(lambda: len(lines()) == 5, "what was kept in memory is in the journal")
    assert {(data["served_by"], data["fallback"]) for data in lines()} == {("legacy", "store")}
    assert all(data["detail"] for data in lines())
    notes = [entry.line.data["event"] for entry in live.journal("note", "")]
    assert notes == ["store lost", "store back"]


def test_locked_by_another_process(live, wait):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(live.store_file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout.readline() == b"held\n"
        served_by_legacy(live, wait, "locked by another process")
    finally:
        holder.communicate(b"\n", timeout=60)
    serves_again(live, wait)
    fell_back(live, wait)


def test_made_read_only(live, wait):
    live.store_file.chmod(0o444)
    served_by_legacy(live, wait, "read-only")
    live.store_file.chmod(0o644)
    serves_again(live, wait)
    fell_back(live, wait)


def test_deleted_and_brought_back(live, wait, tmp_path):
    """The stage stays what it was: nobody guesses."""
    move(live.store_file, tmp_path / "away.db")
    served_by_legacy(live, wait, "the store's file is gone")
    wait(lambda: "routes stay as last read" in live.process.said(), "the log says so")
    assert not live.store_file.exists(), "an empty store must not be made in its place"
    move(tmp_path / "away.db", live.store_file)
    serves_again(live, wait)
    fell_back(live, wait)


def test_deleted_for_good(live, wait):
    for side in SIDES:
        Path(f"{live.store_file}{side}").unlink(missing_ok=True)
    served_by_legacy(live, wait, "the store's file is gone")
    done = live.fig("route", "list")
    assert done.status == 8
    assert "fig check --migrate" in done.err or "fig init" in done.err
    assert live.fig("check", "--migrate").status == 0
    assert live.route("show")["stage"] == "legacy", "the new store knows of no stage"
    wait(
        lambda: (
            live.facade.triage(TEXT, "C-new").body == live.right
            and "triage-ticket: legacy" in live.process.said()
        ),
        "the process follows the new store",
    )
    assert "Traceback" not in live.process.said()
    live.at("live")
    serves_again(live, wait)


def test_damaged(live, wait):
    """A store that is no database any more: SQLite reads on in no way, callers are answered."""
    for side in SIDES[1:]:
        Path(f"{live.store_file}{side}").unlink(missing_ok=True)
    live.store_file.write_bytes(b"this is not a database" * 1000)
    served_by_legacy(live, wait, "not a database")


@pytest.mark.parametrize("command", ["serve", "up"])
def test_not_there_at_the_start(desk, wait, command):
    """Callers are answered from the first moment; when the store comes, its routes count."""
    desk.at("live")
    desk.install()
    move(desk.store_file, desk.root / "away.db")
    process = desk.start(command)
    assert "legacy answers everybody" in process.said()
    right = desk.legacy.triage(TEXT).body
    assert process.facade.triage(TEXT).body == right
    move(desk.root / "away.db", desk.store_file)
    wait(lambda: b"C10" in process.facade.triage(TEXT).body, "the replacement serves")
    assert desk.broken() == []


def test_the_bridge_loses_nothing_while_the_store_is_gone(desk, wait, tmp_path):
    desk.install()
    desk.at("shadow", "ticket-opened")
    desk.start("bridge", "run")
    desk.legacy.submit(TEXT, "C-0")
    wait(lambda: len(desk.journal(endpoint="ticket-opened")) == 1, "the first is taken")
    move(desk.store_file, tmp_path / "away.db")
    for number in range(1, 6):
        assert desk.legacy.submit(TEXT, f"C-{number}").status == 200
    move(tmp_path / "away.db", desk.store_file)
    wait(lambda: len(desk.journal(endpoint="ticket-opened")) == 6, "all are taken")
    keys = [entry.line.data["key"] for entry in desk.journal(endpoint="ticket-opened")]
    assert sorted(keys) == [f"C-{number}" for number in range(6)]
    assert desk.sql("SELECT count(*) FROM dead_letters", db="fig.db") == [(0,)]
