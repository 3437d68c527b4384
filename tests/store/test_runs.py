"""Runs of runbooks: every change whole, by whoever was first, and told in the journal."""

import pytest

from stranglerfig.errors import RouteConflict, RunbookError, StoreError
from stranglerfig.migrations.schema.upgrade import upgrade
from stranglerfig.model import Route, Stage
from stranglerfig.store import Store
from stranglerfig.store.leases import Leases
from stranglerfig.store.routes import with_each_change
from stranglerfig.store.runs import RunStep, lease_of

STEPS = ("shadow", "canary")


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, tmp_path):
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'fig.db'}"
    else:
        url = request.getfixturevalue("postgresql").database()
    upgrade(url)
    opened = Store(url)
    opened.open()
    yield opened
    opened.close()


@pytest.fixture
def run(store):
    return store.runs.begin("triage", "triage", "[runbook]", STEPS, who="ada", why="the plan")


def told(store):
    return [entry.line.data for entry in store.journal.read(kinds=["run"])]


def test_a_run_begins_with_all_its_steps_waiting(store, run):
    assert (run.state, run.version, run.who) == ("running", 1, "ada")
    assert [(one.step, one.state) for one in run.steps] == [(name, "waiting") for name in STEPS]
    assert store.runs.last("triage") == run == store.runs.get(run.id)
    assert store.runs.last("another") is None
    assert [line["action"] for line in told(store)] == ["begin"]


def test_an_endpoint_has_one_unfinished_run(store, run):
    with pytest.raises(RunbookError, match="not finished") as refused:
        store.runs.begin("other", "triage", "", STEPS, who="bob", why="")
    assert refused.value.value == f"run {run.id} of triage"
    ended = store.runs.change(run, "abort", who="ada", state="aborted")
    assert ended.ended_at is not None
    assert store.runs.begin("other", "triage", "", STEPS, who="bob", why="").id > run.id
    assert len(store.runs.all()) == 2


def test_whoever_changes_a_run_second_writes_nothing(store, run):
    begun = RunStep(step="shadow", position=0, state="begun", since=1.0, result={"a": [1, "ü"]})
    after = store.runs.change(run, "step", who="ada", step=begun)
    assert after.step("shadow") == begun
    assert after.version == 2
    with pytest.raises(RunbookError, match="somebody else"):
        store.runs.change(run, "pause", who="bob", state="paused")
    assert store.runs.get(run.id) == after
    assert [line["action"] for line in told(store)] == ["begin", "step"]


def test_a_lost_lease_writes_nothing(store, run):
    leases = Leases(store.database)
    token = leases.acquire(lease_of(run.id), "one", 0.0)
    assert leases.acquire(lease_of(run.id), "two", 60.0) == token + 1
    with pytest.raises(StoreError, match="lease was lost"):
        store.runs.change(run, "step", who="ada", state="paused", token=token)
    assert store.runs.get(run.id) == run


def test_an_approval_counts_once_a_person(store, run):
    for who in ("ada", "bob", "ada"):
        run = store.runs.approve(run, "canary", who=who, why="seen")
    assert {(one.step, one.who) for one in run.approvals} == {("canary", "ada"), ("canary", "bob")}
    assert len(run.approvals) == 2


def test_a_route_and_the_step_that_changes_it_are_written_together(store, run):
    done = RunStep(step="shadow", position=0, state="done", since=1.0)

    def noted(connection, _change):
        store.runs.change_within(connection, run, "step", who="ada", step=done)

    def put(version):
        with with_each_change(noted):
            route = Route(endpoint="triage", stage=Stage.SHADOW, version=version)
            store.routes.put(route, action="advance", who="ada", why="", evidence={})

    with pytest.raises(RouteConflict):
        put(7)
    assert store.runs.get(run.id) == run
    put(0)
    assert store.runs.get(run.id).step("shadow").state == "done"
    with pytest.raises(RunbookError):
        put(1)  # the run has moved on: neither is written
    assert store.routes.get("triage").version == 1
    route = Route(endpoint="triage", stage=Stage.LEGACY, version=1)
    assert store.routes.put(route, action="x", who="", why="", evidence={}).version == 2
