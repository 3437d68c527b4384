"""``fig adapter backfill``, ``reconcile`` and ``fetch``: what they say, and how they stop."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec import structs

from stranglerfig.adapters.capture.walk import Progress
from stranglerfig.cli import fig
from stranglerfig.commands.screen import Screen
from stranglerfig.commands.walking import Show, span, told
from stranglerfig.errors import ConfigError, LegacyError
from stranglerfig.tests.importable import importable
from stranglerfig.tests.stores import store_file

TOML = """
[workspace]
name = "desk"

[legacy.orders]
adapter    = "tables"
url        = "sqlite:///legacy.db"
table      = "orders"
operations = ["insert", "update", "delete"]
large      = 50

[legacy.claims]
adapter = "soap"
wsdl    = "claims.wsdl"
address = "http://127.0.0.1:9/claims"
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "fig.toml").write_text(TOML, "utf-8")
    store_file(tmp_path / "fig.db")
    with closing(sqlite3.connect(tmp_path / "legacy.db")) as legacy:
        legacy.execute("CREATE TABLE orders (nr INTEGER PRIMARY KEY, v TEXT)")
        legacy.executemany("INSERT INTO orders (v) VALUES (?)", [("v",)] * 500)
        legacy.commit()
    run(tmp_path, "install", "orders")
    return tmp_path


def run(workspace: Path, *arguments: str):
    found = CliRunner().invoke(fig, ["-w", str(workspace), "adapter", *arguments])
    if isinstance(found.exception, (ConfigError, LegacyError)):
        raise found.exception
    return found


def lines(found) -> list[dict]:
    return [json.loads(line) for line in found.stdout.splitlines()]


def test_a_backfill_says_how_far_it_is_and_that_it_is_done(workspace):
    said = lines(run(workspace, "backfill", "orders", "--json", "--chunk", "100"))
    assert (said[0]["rows"], said[0]["total"], said[0]["state"]) == (0, 500, "running")
    assert (said[-1]["rows"], said[-1]["state"]) == (500, "done")
    (again,) = lines(run(workspace, "backfill", "orders", "--json"))
    assert (again["state"], again["rows"]) == ("done", 500)
    assert "500 rows" in run(workspace, "backfill", "orders", "--status").stdout
    with closing(sqlite3.connect(workspace / "legacy.db")) as legacy:
        assert legacy.execute("SELECT count(*) FROM fig_event").fetchone() == (500,)


def test_only_rows_that_a_condition_takes(workspace):
    run(workspace, "backfill", "orders", "--where", "new.nr <= 7")
    with closing(sqlite3.connect(workspace / "legacy.db")) as legacy:
        assert legacy.execute("SELECT count(*) FROM fig_event").fetchone() == (7,)
    with pytest.raises(ConfigError, match="condition") as caught:
        run(workspace, "backfill", "orders", "--restart", "--where", "nr = (select 1)")
    assert caught.value.place == "--where"


def test_a_system_without_rows_is_told_so(workspace):
    (workspace / "claims.wsdl").write_text("<x/>", "utf-8")
    with pytest.raises(ConfigError, match="no rows to walk over"):
        run(workspace, "backfill", "claims")


def test_reconciling_asks_for_a_backfill_or_a_baseline(workspace):
    with pytest.raises(LegacyError, match="never taken") as caught:
        run(workspace, "reconcile", "orders")
    assert "--baseline" in caught.value.remedy
    assert run(workspace, "reconcile", "orders", "--dry-run", "--baseline").exit_code == 2
    said = lines(run(workspace, "reconcile", "orders", "--baseline", "--json"))
    assert said[-1]["found"]["missed"] == {"insert": 500}
    said = lines(run(workspace, "reconcile", "orders", "--json"))
    assert (said[-1]["found"]["equal"], said[-1]["found"]["missed"]) == (500, {})


def test_a_large_value_is_fetched_into_a_file(workspace):
    with closing(sqlite3.connect(workspace / "legacy.db")) as legacy:
        legacy.execute("INSERT INTO orders (v) VALUES (?)", ("ü" * 40,))
        legacy.commit()
        ((ref,),) = legacy.execute("SELECT ref FROM fig_large").fetchall()
    out = workspace / "value.txt"
    run(workspace, "fetch", "orders", ref, "--out", str(out))
    assert out.read_text("utf-8") == "ü" * 40
    with pytest.raises(LegacyError, match="no such value"):
        run(workspace, "fetch", "orders", "x-1", "--out", str(workspace / "none"))
    assert not (workspace / "none").exists()


@pytest.mark.process
def test_ctrl_c_stops_at_a_chunks_end_and_says_how_to_go_on(workspace):
    command = [sys.executable, "-m", "stranglerfig", "-w", str(workspace), "adapter", "backfill"]
    walk = subprocess.Popen(
        [*command, "orders", "--json", "--chunk", "10", "--rate", "20"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": importable()},
    )
    with walk.stdout:
        said = [json.loads(next(walk.stdout))]
        while said[-1]["rows"] == 0:
            said.append(json.loads(next(walk.stdout)))
        walk.send_signal(signal.SIGINT)
        said += [json.loads(line) for line in walk.stdout]
    assert walk.wait(30) == 0
    assert said[-1]["state"] == "paused"
    assert 0 < said[-1]["rows"] < 500
    assert lines(run(workspace, "backfill", "orders", "--json"))[-1]["rows"] == 500


def test_off_a_terminal_a_walk_says_where_it_is_now_and_then(tmp_path, monkeypatch, capsys):
    now = [1_000.0]
    monkeypatch.setattr("stranglerfig.commands.walking.time.monotonic", lambda: now[0])
    stand = Progress(kind="backfill", state="running", rows=0, total=1_000)
    with Show(Screen(tmp_path), "orders", as_json=False) as show:
        for at, rows in ((0, 0), (9, 500), (10, 510), (19, 900), (21, 950), (22, 951)):
            now[0] = 1_000.0 + at
            show(structs.replace(stand, rows=rows))
    said = capsys.readouterr().err.splitlines()
    assert [line.partition(" of ")[0] for line in said] == [
        "orders: 510",
        "orders: 950",
    ]
    assert said[0] == "orders: 510 of about 1,000 rows"


def test_rows_that_differ_by_new_columns_only_are_told_apart(workspace):
    run(workspace, "reconcile", "orders", "--baseline")
    with closing(sqlite3.connect(workspace / "legacy.db")) as legacy:
        legacy.execute("ALTER TABLE orders ADD COLUMN added TEXT DEFAULT 'x'")
    run(workspace, "install", "orders")
    found = run(workspace, "reconcile", "orders")
    assert "0 as captured, 0 missed" in found.stdout
    assert "500 rows are as captured but for columns that were not captured then" in found.stderr
    assert "--new-columns captures them" in found.stderr
    assert run(workspace, "reconcile", "orders", "--new-columns", "--baseline").exit_code == 2
    found = run(workspace, "reconcile", "orders", "--new-columns")
    assert "captured now" in found.stderr
    with closing(sqlite3.connect(workspace / "legacy.db")) as legacy:
        assert legacy.execute("SELECT count(*) FROM fig_event").fetchone() == (500,)


def test_what_a_walk_says_of_itself():
    stand = Progress(
        kind="backfill", state="running", rows=1_000, total=4_000, rate=50, left=60, waiting="rain"
    )
    assert told(stand) == "1,000 of about 4,000 rows, 50 a second, 60 s left, waiting for rain"
    assert [span(one) for one in (0.25, 45, 600, 7_800)] == [
        "0.2 s",
        "45 s",
        "10 min",
        "2 h 10 min",
    ]
