"""kill -9 of ``fig runbook apply`` and ``abort`` around every record: resumed, and done once."""

import signal
from itertools import cycle

import pytest
from sqlalchemy import update

from stranglerfig.model import Stage
from stranglerfig.store import tables
from stranglerfig.store.chain import verify
from stranglerfig.tests.acceptance.survival.bridge_process import Nursery

pytestmark = pytest.mark.process

RUNS, ROUTES = "stranglerfig.store.runs Runs", "stranglerfig.store.routes Routes"
DEEDS = "stranglerfig.tests.migrations.engine.deeds -"
POINTS = {
    "the run is begun": f"{RUNS} begin after 1",
    "the lease is held": "stranglerfig.store.leases Leases acquire after 1",
    "before anything of a record is written": f"{RUNS} change_within before 1",
    "written, and not committed": f"{RUNS} change_within after 1",
    "a second record is written, and not committed": f"{RUNS} change_within after 2",
    "before a route is changed": f"{ROUTES} put before 1",
    "a route is changed": f"{ROUTES} put after 1",
    "before a deed": f"{DEEDS} write before 1",
    "a deed is done, and not noted": f"{DEEDS} write after 1",
    "half a deed is noted": f"{RUNS} note after 1",
    "a record is committed": f"{RUNS} change after 1",
}
STEPS = (
    ("shadow", 'Move to = "shadow"'),
    ("one", 'Deed line = "one"'),
    ("canary", 'Move to = "canary", percent = 10'),
    ("two", 'Deed line = "two"'),
    ("live", 'Move to = "live"'),
)
LONGER = (*STEPS, *((name, f'Deed line = "{name}"') for name in ("three", "four", "five")))
UP = [None, Stage.SHADOW, Stage.SHADOW, Stage.CANARY, Stage.CANARY, Stage.LIVE]


@pytest.fixture(scope="module")
def nursery():
    made = Nursery()
    yield made
    made.close()


class Doomed:
    """Runs ``fig runbook`` again and again, each killed at another point, until one ends."""

    def __init__(self, office, nursery, wait):
        self._office, self._nursery, self._wait = office, nursery, wait
        self.killed = []

    def until_done(self, verb, look):
        points = {at: one for at, one in POINTS.items() if verb == "apply" or "begin" not in one}
        for at, doom in cycle(points.items()):
            status = self.fig(verb, doom)
            look()
            if status == 0:
                return
            assert status == -signal.SIGKILL, (at, (self._office.root / "log").read_text())
            self.killed.append(at)
            assert len(self.killed) < 100, "nothing goes on"
            self._free()

    def fig(self, verb, doom=""):
        pid = self.start(verb, doom)
        return self.ended(pid)

    def ended(self, pid):
        self._wait(lambda: pid in self._nursery.ended, "it ends")
        return self._nursery.ended[pid]

    def start(self, verb, doom=""):
        root = self._office.root
        return self._nursery.bear(
            words=["-w", str(root), "runbook", verb, "move", "--json"],
            root=str(root),
            out=str(root / "out"),
            log=str(root / "log"),
            env={"FIG_WHO": "ada"},
            doom=doom,
        )

    def _free(self):
        """Let the lease of one who is dead end: no test waits ten seconds for it."""
        with self._office.store.database.write() as connection:
            connection.execute(update(tables.leases).values(until=0.0))


@pytest.fixture
def doomed(office, nursery, wait):
    return Doomed(office, nursery, wait)


either = pytest.mark.parametrize("office", ["sqlite", "postgresql"], indirect=True)


@either
def test_killed_around_every_record_each_step_is_done_once(office, doomed):
    office.write(*STEPS)

    def forward():
        """The records say what is: never a route ahead of its step, nor behind it."""
        done = sum(state == "done" for state in office.states())
        route = office.route()
        assert (None if route is None else route.stage) == UP[done]
        noted = [one.step for one in office.run().steps if one.state == "done"]
        assert [name for name in ("one", "two") if name in noted] == (
            office.deeds()[: len([name for name in noted if name in ("one", "two")])]
        )

    doomed.until_done("apply", forward)
    assert set(doomed.killed) == set(POINTS), "each point was met"
    assert office.run().state == "done"
    assert office.deeds() == ["one", "two"]
    assert office.route().version == 3
    assert not list(verify(office.store.database))


@either
def test_killed_while_undoing_each_step_is_undone_once(office, doomed):
    office.touch("broken")
    office.write(*LONGER, ("end", 'Deed line = "end", fails = "broken"'))
    assert doomed.fig("apply") == 10
    assert office.states() == ["done"] * 8 + ["failed"]

    def backward():
        left = sum(state in ("done", "failed", "undoing") for state in office.states())
        assert office.states()[left:] == ["undone"] * (9 - left)
        assert office.route().stage is (UP[min(left, 5)] or Stage.LEGACY)

    doomed.until_done("abort", backward)
    assert set(doomed.killed) == set(POINTS) - {"the run is begun"}
    assert office.run().state == "aborted"
    assert office.states() == ["undone"] * 9
    deeds = ["one", "two", "three", "four", "five"]
    assert office.deeds() == [*deeds, *(f"-{one}" for one in reversed(deeds))]
    assert office.route().stage is Stage.LEGACY
    assert office.route().version == 6
    assert not list(verify(office.store.database))


@either
def test_applied_by_many_at_once_each_step_is_done_once(office, doomed):
    office.write(*LONGER)
    started = [doomed.start("apply") for _ in range(4)]
    ended = [doomed.ended(pid) for pid in started]
    # Whoever found that another had just begun it was refused; all others saw it done.
    assert set(ended) <= {0, 10}
    assert 0 in ended
    assert office.deeds() == ["one", "two", "three", "four", "five"]
    assert office.route().version == 3
    assert len(office.store.runs.all()) == 1
