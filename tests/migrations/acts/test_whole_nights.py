"""Whole runbooks of our own acts and gates, applied and undone by the runner."""

from __future__ import annotations

import sys
import threading

import pytest

from stranglerfig.migrations import run as runs
from stranglerfig.migrations.latches import approve
from stranglerfig.migrations.loader import load
from stranglerfig.migrations.site import Site
from stranglerfig.model import Data, Stage
from stranglerfig.store import Store
from stranglerfig.tests.migrations.bench import Bench
from stranglerfig.tests.stores import either_store

NIGHT = """
[runbook]
endpoint = "triage"
owner    = "the desk"

[[step]]
name = "catch"
do   = "install"
with = { system = "orders" }

[[step]]
name = "take"
do   = "backfill"
with = { system = "orders" }

[[step]]
name = "tell"
do   = "command"
with = { run = ["touch", "told"], undo = ["rm", "told"] }

[[step]]
name = "beside"
do   = "shadow"

[[step]]
name  = "both"
do    = "data"
with  = { to = "legacy" }

[[step]]
name  = "some"
do    = "canary"
with  = { percent = 10 }
needs = ["verdict", "copied", "no-doubts", "adopted", { gate = "tests", run = [%r, "-c", ""] }]

[[step]]
name  = "all"
do    = "live"
needs = [{ gate = "file", path = "GO" }, { gate = "approvals", people = 1 }]
"""


class Night:
    """A bench with a runbook file, and those who work on it."""

    def __init__(self, bench):
        self.bench = bench
        (bench.folder / "runbooks").mkdir()
        self._file = bench.folder / "runbooks" / "night.toml"
        self._file.write_text(NIGHT % sys.executable, "utf-8")
        self.runbook = load(self._file)
        self.told = []
        self.stop = threading.Event()

    def site(self, who="ada"):
        bench = self.bench
        return Site(
            workspace=bench.workspace,
            store=bench.store,
            parts=bench.parts,
            who=who,
            tell=self._hear,
        )

    def _hear(self, said):
        self.told.append(said)
        if said.kind == "wait":
            self.stop.set()

    def apply(self):
        """Apply until it is done, or waits."""
        self.stop.clear()
        return runs.apply(self.site(), self.runbook, stop=self.stop)

    def waits(self):
        return [one.reason for one in self.told[-1].waits]

    def state(self):
        run = self.bench.store.runs.last("night")
        return {one.step: one.state for one in run.steps}


@pytest.fixture(params=["sqlite", "postgresql"])
def night(request, tmp_path):
    store = Store(either_store(request, tmp_path / "fig.db"), patience=5.0)
    store.open()
    bench = Bench(tmp_path, store)
    bench.table(rows=5)
    yield Night(bench)
    store.close()


def test_a_night_from_the_first_step_to_the_last_and_its_undoing(night):
    bench = night.bench
    night.apply()
    assert night.waits()[0].startswith("the guardrail says hold")
    assert bench.installed
    assert (bench.folder / "told").exists()
    assert bench.route().stage is Stage.SHADOW
    assert bench.route().data is Data.LEGACY
    bench.observe(both=50, replacement=40)
    night.apply()
    assert night.waits() == ["waits until GO is there", "waits for people who approve it"]
    assert (bench.route().stage, bench.route().percent) == (Stage.CANARY, 10)
    (bench.folder / "GO").touch()
    approve(night.site("ben"), "night", "all", why="seen")
    assert night.apply().state == "done"
    assert bench.route().stage is Stage.LIVE
    met = [one["gate"] for one in bench.store.runs.last("night").step("some").met]
    assert met == ["verdict", "copied", "no-doubts", "adopted", "tests"]


def test_aborted_nothing_of_it_is_left(night):
    bench = night.bench
    night.apply()
    bench.sql("UPDATE fig_event SET done_at = 1.0")
    stop = threading.Event()
    assert runs.abort(night.site(), "night", stop=stop, why="not tonight").state == "aborted"
    assert bench.installed == []
    assert not (bench.folder / "told").exists()
    assert (bench.route().stage, bench.route().data) == (Stage.LEGACY, Data.NONE)
    undone = [name for name, state in night.state().items() if state == "undone"]
    assert undone == ["catch", "take", "tell", "beside", "both"]


def test_a_program_that_fails_holds_the_run_until_it_is_mended(night):
    bench = night.bench
    night.stop.clear()
    (bench.folder / "told").mkdir()
    (bench.folder / "told" / "x").touch()
    night._file.write_text(
        night._file.read_text("utf-8").replace('"touch", "told"', '"rmdir", "told"'), "utf-8"
    )
    night.runbook = load(night._file)
    run = night.apply()
    assert run.state == "failed"
    assert "ended with status 1" in run.said
    (bench.folder / "told" / "x").unlink()
    night.apply()
    assert night.state()["tell"] == "done"
