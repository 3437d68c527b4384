"""The help desk moved from legacy to live, and on to retired, by a runbook: through the CLI only."""

from __future__ import annotations

import itertools
import json
import sys
import threading

import lxml.html
import pytest

NAME = "triage-ticket"
GOLDEN = 'compare = ["category"]\ngolden = "golden.csv"\nladder'
TEXTS = [f"please refund my premium number {number}" for number in range(150)]


@pytest.fixture
def served(desk):
    """A facade before the desk, a replacement that is right where legacy is wrong, and callers."""
    rows = "".join(f"{text},quote\n" for text in TEXTS)
    (desk.root / "golden.csv").write_text(f"text,category\n{rows}", "utf-8")
    desk.edit("fig.toml", 'compare     = ["category"]\nladder', GOLDEN)
    desk.edit("fig.toml", "ladder      = [10, 50]", "ladder = [50]")
    desk.process = desk.start("serve")
    desk.facade = desk.process.facade
    over = threading.Event()
    failed = []

    def call():
        for number in itertools.count():
            if over.is_set():
                return
            answer = desk.facade.triage(TEXTS[number % len(TEXTS)], f"C-{number % 97}")
            if answer.status != 200:
                failed.append(answer)
            over.wait(0.01)

    callers = threading.Thread(target=call)
    callers.start()
    yield desk
    over.set()
    callers.join()
    assert failed == [], "callers never noticed"


def apply(desk):
    fig = (sys.executable, "-m", "stranglerfig", "-w", str(desk.root))
    return desk.run(*fig, "runbook", "apply", NAME, "--why", "tonight", "--json", log="apply.log")


def said(run, kind, step):
    """Wait until the run says something of a step."""

    def wanted(line):
        value = json.loads(line)
        return value.get("kind") == kind and value.get("step") == step

    return json.loads(run.line(wanted))


def status(desk):
    done = desk.fig("runbook", "status", NAME, "--json")
    assert done.status == 0, done.err
    return done.json()


def approve(desk, step, *people):
    for who in people:
        done = desk.fig("runbook", "approve", NAME, step, "--who", who, "--why", f"{who} saw it")
        assert done.status == 0, done.err


def test_from_legacy_to_live_by_a_runbook(served, wait):
    made = served.fig("new", "runbook", NAME)
    assert made.status == 0, made.err
    assert "6 steps" in made.out
    planned = served.fig("runbook", "plan", NAME)
    assert "legacy → shadow" in planned.out
    assert "approved by 1 person" in planned.out
    assert served.route("show")["stage"] == "legacy", "a plan changes nothing"

    run = apply(served)
    said(run, "done", "shadow")
    waits = said(run, "wait", "canary-50")["waits"]
    assert any("approve" in one["command"] for one in waits)
    approve(served, "canary-50", "tester")  # who began it, and does not count
    shown = served.fig("runbook", "status", NAME)
    assert "tester began the run, and does not count" in shown.out
    assert f"fig runbook approve {NAME} canary-50" in shown.out
    assert served.route("show")["stage"] == "shadow"
    approve(served, "canary-50", "ann")
    approve(served, "live", "bob")
    said(run, "done", "canary-50")

    assert run.stop() == 130, "it was told to stop, and can be gone on with"
    assert status(served)["run"]["state"] == "running"
    run = apply(served)
    said(run, "done", "live")
    wait(lambda: b"C10" in served.facade.triage(TEXTS[0]).body, "the replacement answers")
    said(run, "wait", "retire")
    approve(served, "retire", "ann", "bob")
    assert run.process.wait(60) == 0

    stands = status(served)
    assert stands["run"]["state"] == "done"
    assert {one["state"] for one in stands["steps"]} == {"done"}
    assert served.route("show")["stage"] == "retired"
    history = served.fig("route", "history", NAME, "--json").lines()
    assert [one["after"]["stage"] for one in history] == [
        "shadow", "canary", "live", "retired",
    ]  # fmt: skip
    assert all("step" in one["why"] for one in history)
    assert served.broken() == []
    _documents(served)


def _documents(desk):
    text = desk.fig("runbook", "render", NAME).out
    for said_by in ("ann saw it", "bob saw it", "canary 50 % → live", "6 of 6 done", "tonight"):
        assert said_by in text
    done = desk.fig("runbook", "render", NAME, "--html", "-o", str(desk.root / "board.html"))
    assert done.status == 0, done.err
    page = lxml.html.document_fromstring((desk.root / "board.html").read_text("utf-8"))
    assert len(page.findall(".//svg")) == 1, "the evidence is drawn"
    assert "ann saw it" in page.text_content()
    assert "refund my premium" not in page.text_content(), "values of requests stay here"
