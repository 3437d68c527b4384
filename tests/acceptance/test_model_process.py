"""The real providers, each in its own process: missing, hung, killed, and back again."""

from __future__ import annotations

import csv
import os
import shutil
import signal
from importlib.resources import files
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime")

TEXT = "I want my money back, please refund the premium of May"
NAME = "triage-ticket"
RULES = """
[[rule]]
pattern = 'refund|money back'
confidence = 0.9
gives = { category = "quote", priority = "low" }
"""
REPLACEMENTS = {
    "rules": '[replacement.triage]\nprovider = "rules"\ntable = "rules.toml"\n'
    'confidence = "score"\ndeadline = 0.5\n\n',
}


def gone(pid):
    """A zombie counts: it answers signals until its parent, or init, has looked at it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


@pytest.fixture(scope="module")
def learnt(make_desk):
    """A workspace whose model was learnt with ``fig learn``, from a part of the messages."""
    desk = make_desk(provider="local")
    source = files("stranglerfig").joinpath("fixtures", "messages.csv")
    with source.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    kept = [row for row in rows if row["category"] in ("refund", "billing", "login", "quote")]
    with (desk.root / "learn.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, ("text", "category"), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(kept)
    done = desk.fig("learn", NAME, "--from", "learn.csv", "--margin", "0", "--json")
    assert done.status == 0, done.err
    return desk


@pytest.fixture(params=["local", "rules"])
def provided(request, learnt, desk):
    """The scripted workspace, given a real provider that runs in a process of its own."""
    text = (desk.root / "fig.toml").read_text("utf-8")
    start, end = text.index("[replacement.triage]"), text.index("[facade.soap]")
    if request.param == "local":
        shutil.copytree(learnt.root / "models", desk.root / "models")
        original = (learnt.root / "fig.toml").read_text("utf-8")
        table = original[original.index("[replacement.triage]") : original.index("[facade.soap]")]
        desk.model = desk.root / "models"
    else:
        (desk.root / "rules.toml").write_text(RULES, "utf-8")
        table = REPLACEMENTS["rules"]
        desk.model = desk.root / "rules.toml"
    (desk.root / "fig.toml").write_text(text[:start] + table + text[end:], "utf-8")
    # A model that is away for long would trip the hard breaker, and it is to stay live.
    desk.edit("fig.toml", "{ stay = false }", "{ stay = false, breaker = false }")
    desk.at("live")
    desk.right = desk.legacy.triage(TEXT).body
    return desk


def who_served(desk, facade, customer):
    """Ask, and read from the journal who answered."""
    answer = facade.triage(TEXT, customer)
    assert answer.status == 200
    line = desk.lines_of(customer)[-1].line.data
    if line["served_by"] == "legacy":
        assert answer.body == desk.right
    return line


def comes_back(desk, facade, wait):
    numbers = iter(range(10_000))
    wait(
        lambda: who_served(desk, facade, f"C-back-{next(numbers)}")["served_by"] == "replacement",
        "the replacement serves again",
    )


def test_missing_at_the_start(provided, wait):
    away = provided.root / "away"
    provided.model.rename(away)
    process = provided.start("serve")
    line = who_served(provided, process.facade, "C-1")
    assert line["served_by"] == "legacy"
    assert line["stage"] == "live"
    assert line["fallback"] == "unavailable"
    wait(lambda: "cannot start" in process.said(), "the log says why")
    assert provided.model.name in process.said()
    away.rename(provided.model)
    comes_back(provided, process.facade, wait)
    assert process.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_its_process_dies_or_hangs(provided, wait, number):
    process = provided.start("up")
    provided.install()
    worker = process.event("replacement")["pid"]
    assert worker != process.pid
    comes_back(provided, process.facade, wait)
    os.kill(worker, number)
    line = who_served(provided, process.facade, "C-hurt")
    if number == signal.SIGSTOP or line["served_by"] == "legacy":
        assert line["served_by"] == "legacy"
        assert line["fallback"] in ("deadline", "unavailable")
        assert line["detail"]
    comes_back(provided, process.facade, wait)
    wait(lambda: gone(worker), "the old process is gone")
    assert process.stop() == 0


def test_nothing_outlives_a_killed_parent(provided, wait):
    process = provided.start("serve")
    worker = process.event("replacement")["pid"]
    process.kill()
    wait(lambda: gone(worker), "the worker ends with its parent")


def test_the_model_may_vanish_while_it_serves(provided, wait):
    """What is loaded serves on: files are read once."""
    process = provided.start("serve")
    comes_back(provided, process.facade, wait)
    provided.model.rename(provided.root / "away")
    assert who_served(provided, process.facade, "C-after")["served_by"] == "replacement"
    process.stop()


def test_learning_again_changes_nothing_until_it_is_deployed(learnt):
    """``fig learn`` makes a revision; only ``fig route deploy`` puts it in place."""
    learnt.at("shadow")
    before = learnt.route("show")["revision"]
    rows = (learnt.root / "learn.csv").read_text("utf-8").splitlines()
    (learnt.root / "less.csv").write_text("\n".join(rows[:-8]), "utf-8")
    done = learnt.fig("learn", NAME, "--from", "less.csv", "--json")
    assert done.status == 0, done.err
    assert learnt.route("show")["revision"] == before
    assert learnt.route("deploy", NAME)["revision"] != before
