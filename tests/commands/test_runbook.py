"""``fig runbook``: what a person types on the night, what is answered, and what is refused."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from stranglerfig.cli import fig
from stranglerfig.demo.workspace import copy_example
from stranglerfig.errors import FigError
from stranglerfig.tests.importable import importable
from stranglerfig.tests.stores import store_file

DEEDS = "py:stranglerfig.tests.migrations.engine.deeds"
TEXT = f"""
[runbook]
endpoint = "triage-ticket"
owner = "[red]the desk[/]"
why = "tonight"
expires = 2020-01-31

[[step]]
name = "shadow"
do = "{DEEDS}:Move"
with = {{ to = "shadow" }}

[[step]]
name = "tell"
do = "{DEEDS}:Deed"
with = {{ line = "told", lasts = "[b]posted[/]" }}
needs = [{{ gate = "{DEEDS}:Open", path = "go" }}]
timeout = "90m"
on_timeout = "pause"
"""


@pytest.fixture
def desk(tmp_path):
    copy_example(tmp_path)
    store_file(tmp_path / "fig.db")
    file = tmp_path / "fig.toml"
    rules = '[replacement.triage]\nprovider = "rules"\ntable = "rules.csv"\n\n'
    text = re.sub(r"(?s)\[replacement\.triage\].*?(?=# -- what we)", rules, file.read_text())
    file.write_text(text)
    (tmp_path / "rules.csv").write_text("pattern,category,priority\nrefund,refund,normal\n")
    (tmp_path / "runbooks" / "move-triage.toml").unlink()  # the example's own
    (tmp_path / "runbooks" / "move.toml").write_text(TEXT)
    return tmp_path


@pytest.fixture
def run(desk):
    def call(*words, status=0, who="ada"):
        done = CliRunner().invoke(
            fig, ["-w", str(desk), "runbook", *words], env={"FIG_WHO": who, "COLUMNS": "200"}
        )
        if status:
            assert isinstance(done.exception, FigError), done.output
            assert done.exception.exit_status == status
            return str(done.exception)
        assert done.exception is None, done.output
        return done.output

    return call


@pytest.fixture
def applied(run, desk):
    """Begin to apply in a process of its own, up to the gate; give what tells how it ended."""
    processes = []

    def begin():
        words = ("-w", str(desk), "runbook", "apply", "move", "--why", "go")
        process = subprocess.Popen(
            [sys.executable, "-m", "stranglerfig", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": importable(), "FIG_WHO": "ada"},
        )
        processes.append(process)
        end = time.monotonic() + 30
        while "there is no go" not in run("status", "move"):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < end
        return process

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


def ended(process, status):
    out, err = process.communicate(timeout=30)
    assert process.returncode == status, (out, err)
    return out + err


def test_planned_it_says_what_it_would_change_and_what_blocks_and_changes_nothing(run):
    said = run("plan", "move")
    assert "to shadow" in said
    assert "writes told" in said
    assert "[red]the desk[/]" in said
    assert "\nrollback: " in said
    assert "for good [b]posted[/]" in " ".join(said.split())
    assert "should have ended by now" in said
    assert "after 1 h 30 min: pause" in said
    assert "next: fig runbook apply move" in said
    plan = json.loads(run("plan", "move", "--json"))
    assert [one["would_change"] for one in plan["steps"]] == [["to shadow"], ["writes told"]]
    assert plan["run"] is None
    assert run("list").split()[-3:] == ["triage-ticket", "not", "begun"]
    assert json.loads(run("list", "--json"))["state"] == "not begun"


@pytest.mark.process
def test_applied_it_waits_and_says_so_everywhere(run, applied, desk):
    process = applied()
    said = run("status", "move")
    assert "applied  by ada on" in said
    assert "touch go" in said
    assert "late     in 1 h 30 min: pause" in said
    state = json.loads(run("status", "move", "--json"))
    assert (state["run"]["state"], state["next"]) == ("running", "touch go")
    assert state["waits"] == [
        {"reason": "there is no go", "missing": "go", "command": "touch go", "again_after": 0.05}
    ]
    assert [one["state"] for one in state["steps"]] == ["done", "waiting"]
    assert "step tell is approved by bob" in run("approve", "move", "tell", who="bob")
    (desk / "go").touch()
    out = ended(process, 0)
    assert "shadow done at shadow" in out
    assert "tell waits there is no go; missing: go" in out
    assert "this would help: touch go" in out
    assert "run 1 of move is done" in out
    assert "2 of 2" in run("list")
    assert run("apply", "move").endswith("run 1 of move is done\n")


@pytest.mark.process
def test_held_and_let_go_each_refusal_says_what_to_type(run, applied, desk):
    process = applied()
    assert "paused" in run("pause", "move", "--why", "not now", who="bob")
    assert "by bob: not now" in ended(process, 10)
    assert "by bob: not now" in run("apply", "move", status=10)
    assert "fig runbook resume move" in run("pause", "move", status=10) + run("status", "move")
    assert json.loads(run("resume", "move", "--json"))["state"] == "running"
    assert "nobody applies it now" in run("status", "move")
    assert "frozen" in run("freeze", "move")
    assert "is frozen" in run("abort", "move", status=10)
    assert "is running" in run("resume", "move")
    (desk / "go").touch()
    assert "done" in run("apply", "move")
    assert "no run under way" in run("rollback", "move", status=10)


@pytest.mark.process
def test_stopped_by_ctrl_c_it_says_how_to_go_on(run, applied, desk):
    process = applied()
    process.send_signal(signal.SIGINT)
    assert "it goes on with: fig runbook apply move" in ended(process, 130)
    (desk / "go").touch()
    assert "1 of 2 steps are done" in run("apply", "move")


@pytest.mark.process
def test_rolled_back_and_aborted(run, applied):
    process = applied()
    assert json.loads(run("rollback", "move", "--to", "legacy", "--json"))["state"] == "paused"
    assert "the run is paused" in ended(process, 10)
    assert "is aborted" in run("abort", "move", "--why", "enough")
    state = json.loads(run("status", "move", "--watch", "--json").splitlines()[-1])
    assert (state["run"]["state"], state["route"]["stage"]) == ("aborted", "legacy")
    assert json.loads(run("plan", "move", "--json"))["run"] is None, "what comes is another run"


def test_followed_by_a_program(run, desk):
    (desk / "go").touch()
    lines = [json.loads(line) for line in run("apply", "move", "--json").splitlines()]
    kinds = [line.get("kind") for line in lines]
    assert kinds == ["run", "run", "done", "gate", "begun", "done", "run", None]
    assert lines[-1]["state"] == "done"


def test_what_is_written_wrongly_says_where(run, desk):
    assert "move" in run("plan", "mvoe", status=3)
    file = desk / "runbooks" / "move.toml"
    for wrong, place in {
        'do = "shdow"': "step shadow.with",
        'do = "canary"\nwith = { percnt = 5 }': "percnt",
        'do = "shadow"\nneeds = ["verdict", { gate = "windw" }]': "step shadow.needs[1]",
        'do = "shadow"\ntimeout = "soon"': "step shadow.timeout",
        'do = "shadow"\nundo = "never"': "step shadow.undo",
    }.items():
        file.write_text(
            '[runbook]\nendpoint = "triage-ticket"\nowner = "o"\n'
            f'[[step]]\nname = "shadow"\n{wrong}\n'
        )
        assert place in run("plan", "move", status=3)
    checked = CliRunner().invoke(fig, ["-w", str(desk), "check", "--json"])
    (line,) = (line for line in checked.output.splitlines() if '"runbook.move"' in line)
    assert json.loads(line)["ok"] is False
