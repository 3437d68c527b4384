"""Applying a runbook: every step and its record together, gates, failures, timeouts."""

import sqlite3
import threading
from contextlib import closing

import pytest
from sqlalchemy import update

from stranglerfig.errors import FigError, RunbookError
from stranglerfig.migrations import run as runs
from stranglerfig.migrations.latches import approve, freeze, pause
from stranglerfig.migrations.resume import resume
from stranglerfig.migrations.state import state_of
from stranglerfig.model import Stage
from stranglerfig.store import tables
from stranglerfig.store.leases import Leases
from stranglerfig.store.run import lease_of
from stranglerfig.tests.migrations.engine.conftest import HEAD

either = pytest.mark.parametrize("office", ["sqlite", "postgresql"], indirect=True)
STEPS = (
    ("shadow", 'Move to = "shadow"'),
    ("tell", 'Deed line = "told"'),
    ("canary", 'Move to = "canary", percent = 10'),
    ("live", 'Move to = "live"'),
)


@either
def test_a_runbook_is_done_and_each_step_has_its_record(office):
    office.write(*STEPS)
    run = office.apply(why="tonight")
    assert (run.state, run.who, run.why) == ("done", "ada", "tonight")
    assert office.states() == ["done"] * 4
    assert office.deeds() == ["told"]
    assert office.route().stage is Stage.LIVE
    records = {one.step: one for one in run.steps}
    assert records["canary"].result["before"]["stage"] == "shadow"
    assert records["canary"].result["after"]["percent"] == 10.0
    assert records["tell"].result == {"kept": "told", "line": "told"}
    assert all(one.attempts == 1 and one.began_at and one.ended_at for one in run.steps)
    lines = [entry.line.data["action"] for entry in office.store.journal.read(kinds=["run"])]
    assert lines == ["begin", "step", "begin", "step", "step", "step", "done"]
    assert office.apply() == run, "there is nothing more to do"
    assert office.deeds() == ["told"]


def test_a_step_whose_change_stands_there_already_is_done_without_one(office):
    office.site().parts.operator("triage-ticket", "eve").advance()
    office.write(STEPS[0])
    run = office.apply()
    assert run.state == "done"
    assert office.route().version == 1
    assert "before" not in run.step("shadow").result
    assert run.step("shadow").result["stood"]["stage"] == "shadow"


def test_done_again_only_when_that_is_said(office):
    office.write(STEPS[1])
    first = office.apply()
    assert office.apply(again=True).id > first.id
    office.write(("tell", 'Deed line = "another"'))
    assert office.apply().state == "done"
    assert office.deeds() == ["told", "another"]


@either
def test_gates_are_waited_for_and_what_they_found_is_kept(office, background, wait):
    gates = 'needs = [{ gate = "py:deeds:Open", path = "go" }]'
    office.write(STEPS[0], ("canary", 'Move to = "canary", percent = 10', gates))
    applied = background(office.apply)
    wait(lambda: office.run() is not None and office.run().step("canary").waits)
    (waits,) = office.run().step("canary").waits
    assert (waits["reason"], waits["command"]) == ("there is no go", "touch go")
    assert office.states() == ["done", "waiting"]
    assert office.heard("wait") == ["there is no go"]
    office.touch("go")
    run = applied.result(10)
    assert run.state == "done"
    (met,) = run.step("canary").met
    assert (met["found"], met["evidence"]) == ("go is there", {"path": "go"})
    assert run.step("canary").waits == ()


def test_a_step_that_waits_is_called_again(office, background, wait):
    office.write(("tell", 'Deed line = "told", waits = "go"'))
    applied = background(office.apply)
    wait(lambda: office.run() is not None and office.run().step("tell").waits)
    assert office.states() == ["begun"]
    office.touch("go")
    assert applied.result(10).state == "done"
    assert office.deeds() == ["told"]


def test_a_change_of_the_route_may_wait_too_and_its_gates_are_told_of_once(
    office, background, wait
):
    gate = 'needs = [{ gate = "py:deeds:Open", path = "open" }]'
    office.touch("open")
    office.write(("shadow", 'Move to = "shadow", waits = "go"', gate))
    applied = background(office.apply)
    wait(lambda: office.run() is not None and office.run().step("shadow").waits)
    state = state_of(office.site(), office.runbook, office.run())
    assert [one.reason for one in state.waits] == ["waits for go"]
    assert office.heard("gate") == [], "it is not done yet"
    office.touch("go")
    assert applied.result(10).step("shadow").attempts == 1
    (gate,) = office.heard("gate")
    assert gate.endswith("open is there")


def test_a_failed_step_stops_the_run_which_goes_on_when_it_is_mended(office):
    office.touch("broken")
    office.write(STEPS[0], ("tell", 'Deed line = "told", fails = "broken"'), STEPS[2])
    run = office.apply()
    assert run.state == "failed"
    assert not run.finished
    assert "does not go" in run.said
    assert office.states() == ["done", "failed", "waiting"]
    assert office.apply().state == "failed"
    (office.root / "broken").unlink()
    run = office.apply()
    assert run.state == "done"
    assert run.step("tell").attempts == 1, "it went on where it was"


def test_what_is_away_for_a_while_is_waited_for(office, background, wait):
    office.touch("away")
    office.write(("tell", 'Deed line = "told", gone = "away"'))
    applied = background(office.apply)
    wait(lambda: office.heard("wait"))
    assert office.heard("wait") == ["is away"]
    (office.root / "away").unlink()
    assert applied.result(10).state == "done"


@pytest.mark.parametrize(
    ("late", "state", "step"),
    [
        ("fail", "failed", "failed"),
        ("pause", "paused", "waiting"),
        ("continue", "done", "skipped"),
        ("rollback", "paused", "waiting"),
        ("abort", "aborted", "waiting"),
    ],
)
def test_what_a_timeout_means(office, late, state, step):
    needs = 'needs = [{ gate = "py:deeds:Open", path = "never" }]'
    more = (needs, 'timeout = "0.1s"', f'on_timeout = "{late}"')
    office.write(STEPS[0], STEPS[2], ("late", 'Deed line = "late"', *more))
    run = office.apply()
    assert (run.state, run.step("late").state) == (state, step)
    assert office.deeds() == []
    if late in ("fail", "pause", "rollback", "abort"):
        assert "late was not done within 0 s: there is no never" in run.said
    stage = {"rollback": Stage.SHADOW, "abort": Stage.LEGACY}.get(late, Stage.CANARY)
    assert office.route().stage is stage
    if late == "rollback":
        assert office.states() == ["done", "undone", "waiting"]


@pytest.mark.parametrize("late", ["abort", "rollback"])
def test_what_cannot_be_taken_back_is_frozen_instead(office, late):
    timeout = ('timeout = "0.1s"', f'on_timeout = "{late}"')
    gate = 'needs = [{ gate = "py:deeds:Open", path = "never" }]'
    lasting = ("tell", 'Deed line = "told", lasts = "it was posted"')
    office.write(STEPS[0], STEPS[2], lasting, ("late", 'Deed line = "late"', gate, *timeout))
    if late == "rollback":  # nothing of the route stands against that
        assert office.apply().state == "paused"
        return
    run = office.apply()
    assert run.state == "frozen"
    assert "it was posted" in run.said
    assert office.route().frozen
    assert office.states() == ["done", "done", "done", "waiting"]
    assert resume(office.site(), "move").state == "running"
    assert not office.route().frozen


def test_a_changed_file_is_refused_with_the_difference(office):
    office.touch("broken")
    office.write(STEPS[0], ("tell", 'Deed line = "told", fails = "broken"'))
    office.apply()
    office.write(STEPS[0], ("tell", 'Deed line = "more"'))
    with pytest.raises(RunbookError, match="changed since") as refused:
        office.apply()
    assert '-with = { line = "told", fails = "broken" }' in str(refused.value)
    assert '+with = { line = "more" }' in str(refused.value)
    assert "fig runbook abort move" in refused.value.remedy


def test_a_guardrail_that_takes_back_pauses_the_run(office, background, wait):
    gate = 'needs = [{ gate = "py:deeds:Open", path = "go" }]'
    office.write(*STEPS[:3], ("live", 'Move to = "live"', gate))
    applied = background(office.apply)
    wait(lambda: office.run() is not None and office.run().step("live").waits)
    office.site().parts.operator("triage-ticket", "guardrail").rollback(why="worse")
    office.touch("go")
    run = applied.result(10)
    assert run.state == "paused"
    assert "from canary 10 % to shadow by guardrail (rollback: worse)" in run.said
    assert office.states() == ["done", "done", "done", "waiting"]
    assert office.route().stage is Stage.SHADOW


def test_a_latch_on_the_route_is_waited_for(office, background, wait):
    operator = office.site().parts.operator("triage-ticket", "eve")
    operator.kill()
    office.write(STEPS[0])
    applied = background(office.apply)
    wait(lambda: office.heard("wait"))
    assert office.heard("wait") == ["the route is killed"]
    operator.resume()
    assert applied.result(10).state == "done"


def test_told_to_stop_it_can_be_gone_on_with(office, background, wait):
    office.write(("tell", 'Deed line = "told", asleep = true'))
    stop = threading.Event()
    applied = background(lambda: runs.apply(office.site(), office.runbook, stop=stop))
    wait(office.deeds)
    stop.set()
    run = applied.result(10)
    assert run.state == "running"
    assert office.states() == ["begun"]


@either
def test_paused_while_a_step_is_at_work_it_stops_and_what_is_done_is_written(
    office, background, wait
):
    office.write(("tell", 'Deed line = "told", waits = "go"'), STEPS[0])
    applied = background(office.apply)
    wait(office.deeds)
    assert pause(office.site("bob"), "move", why="not tonight").state == "paused"
    run = applied.result(10)
    assert (run.state, run.said) == ("paused", "by bob: not tonight")
    assert office.states() == ["begun", "waiting"]
    with pytest.raises(RunbookError, match="is paused") as refused:
        office.apply()
    assert refused.value.remedy == "fig runbook resume move"
    assert resume(office.site(), "move").state == "running"
    office.touch("go")
    assert office.apply().state == "done"
    assert office.deeds() == ["told"]


def test_frozen_neither_it_nor_the_route_moves(office, background, wait):
    office.write(STEPS[0], ("tell", 'Deed line = "told", waits = "go"'), STEPS[2])
    applied = background(office.apply)
    wait(office.deeds)
    assert freeze(office.site("bob"), "move", why="posted").state == "frozen"
    assert applied.result(10).state == "frozen"
    assert office.route().frozen
    for refused in (office.apply, office.abort):
        with pytest.raises(RunbookError, match="is frozen"):
            refused()
    with pytest.raises(RunbookError, match="frozen already"):
        freeze(office.site(), "move")


def test_only_what_asks_for_it_is_approved_and_once_by_each(office, background, wait):
    office.write(("tell", 'Deed line = "told", waits = "go"'))
    with pytest.raises(RunbookError, match="no run under way"):
        approve(office.site(), "move", "tell")
    applied = background(office.apply)
    wait(office.deeds)
    with pytest.raises(RunbookError, match="no such step"):
        approve(office.site(), "move", "other")
    for who in ("ada", "bob", "ada"):
        run = approve(office.site(who), "move", "tell", why="seen")
    assert [one.who for one in run.approvals] == ["ada", "bob"]
    office.touch("go")
    assert applied.result(10).state == "done"


@either
def test_a_second_apply_waits_and_then_refuses_with_who_holds_it(office, background, wait):
    office.write(("tell", 'Deed line = "told", waits = "go"'))
    applied = background(office.apply)
    wait(office.deeds)
    with pytest.raises(RunbookError, match="worked on by somebody else") as refused:
        office.apply("bob", patience=0.1)
    assert refused.value.value.startswith("ada on ")
    second = background(lambda: office.apply("bob", patience=10))
    wait(lambda: any("has the lease" in text for text in office.heard("run")))
    office.touch("go")
    assert applied.result(10).state == "done"
    assert second.result(10).state == "done"
    assert office.deeds() == ["told"]


def test_another_runbook_of_the_endpoint_must_wait(office):
    office.touch("broken")
    office.write(("tell", 'Deed line = "told", fails = "broken"'))
    office.apply()
    other = office.root / "runbooks" / "other.toml"
    other.write_text((office.root / "runbooks" / "move.toml").read_text())
    from stranglerfig.migrations.loader import load

    with pytest.raises(RunbookError, match="not finished"):
        runs.apply(office.site(), load(other), stop=threading.Event())


@either
def test_one_who_was_frozen_and_lost_the_lease_writes_nothing(office, background, wait):
    gate = 'needs = [{ gate = "py:deeds:Open", path = "go" }]'
    office.write(("shadow", 'Move to = "shadow"', gate))
    applied = background(office.apply)
    wait(lambda: office.heard("wait"))
    with office.store.database.write() as connection:  # as if it had slept for too long
        connection.execute(update(tables.leases).values(until=0.0, owner="nobody"))
    assert Leases(office.store.database).acquire(lease_of(office.run().id), "another", 60.0)
    office.touch("go")
    with pytest.raises(FigError, match="lease was lost|another one works on it"):
        applied.result(10)
    assert office.states() == ["waiting"]
    assert office.route() is None


def test_a_store_that_is_gone_for_a_while_is_waited_for(office, background, wait):
    gate = 'needs = [{ gate = "py:deeds:Open", path = "go" }]'
    office.write(("shadow", 'Move to = "shadow"', gate))
    applied = background(office.apply)
    wait(lambda: office.heard("wait"))
    with closing(sqlite3.connect(office.url.removeprefix("sqlite:///"))) as other:
        other.execute("BEGIN IMMEDIATE")
        office.touch("go")
        wait(lambda: len(office.heard("wait")) > 1)
        other.rollback()
    assert applied.result(10).state == "done"
    assert office.route().version == 1


def test_one_that_should_have_ended_says_so(office):
    office.write(STEPS[1], head=HEAD + "expires = 2020-01-31\n")
    assert office.apply().state == "done"
    assert office.heard("run")[0] == "it was to have ended by 2020-01-31: ask the desk"
