"""``kill -9`` of ``fig runbook apply`` in the middle of what a step does elsewhere."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from stranglerfig.store import tables
from stranglerfig.tests.importable import importable

NIGHT = """
[runbook]
endpoint = "triage"
owner    = "the desk"

[[step]]
name = "catch"
do   = "install"
with = {{ system = "orders" }}

[[step]]
name = "take"
do   = "backfill"
with = {{ system = "orders", chunk = 10, rate = {rate} }}

[[step]]
name = "copy"
do   = "command"
with = {{ run = ["{python}", "copy.py"], check = ["test", "-e", "copied"] }}
"""

COPY = """
import os, pathlib, time
with open("starts", "a") as file:
    file.write(f"{os.getpid()} ")
while not os.path.exists("go"):
    time.sleep(0.01)
pathlib.Path("copied").touch()
"""


class Applied:
    """``fig runbook apply night`` as a process of its own."""

    def __init__(self, bench):
        self._bench = bench
        # Whoever was killed has lost its lease by now: its seconds are not waited for.
        with bench.store.database.write() as connection:
            connection.execute(update(tables.leases).values(until=0.0))
        self._log = (bench.folder / "log").open("ab")
        fig = [sys.executable, "-m", "stranglerfig", "-w", str(bench.folder)]
        self.process = subprocess.Popen(
            [*fig, "runbook", "apply", "night"],
            env={**os.environ, "PYTHONPATH": importable()},
            stdout=self._log,
            stderr=self._log,
        )

    def until(self, condition):
        end = time.monotonic() + 60
        while not condition():
            assert self.process.poll() is None, self.says()
            assert time.monotonic() < end, self.says()
            time.sleep(0.01)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._log.close()

    def ends(self):
        status = self.process.wait(60)
        self._log.close()
        assert status == 0, self.says()

    def says(self):
        return (self._bench.folder / "log").read_text("utf-8")


@pytest.fixture
def night(bench):
    bench.table(rows=60)
    (bench.folder / "runbooks").mkdir()
    text = NIGHT.format(python=sys.executable, rate=100)
    (bench.folder / "runbooks" / "night.toml").write_text(text, "utf-8")
    (bench.folder / "copy.py").write_text(COPY, "utf-8")
    return bench


def events(bench):
    try:
        return bench.sql("SELECT count(*), count(DISTINCT key) FROM fig_event")[0]
    except OperationalError:  # nothing is installed yet
        return (0, 0)


def starts(bench):
    file = bench.folder / "starts"
    return file.read_text().split() if file.exists() else []


@pytest.mark.process
def test_killed_in_the_middle_each_step_goes_on_and_nothing_is_done_twice(night):
    first = Applied(night)
    first.until(lambda: 0 < events(night)[0] < 60)
    first.kill()
    assert night.store.runs.last("night").step("take").state == "begun"
    second = Applied(night)
    second.until(lambda: starts(night))
    assert events(night) == (60, 60)
    second.kill()
    third = Applied(night)
    third.until(lambda: "an earlier start of this step still runs" in third.says())
    assert len(starts(night)) == 1
    (night.folder / "go").touch()
    third.ends()
    assert len(starts(night)) == 1, "the check says that it is done"
    run = night.store.runs.last("night")
    assert run.state == "done"
    assert run.step("catch").result["there_before"] is False
    assert run.step("take").result["rows"] == 60
