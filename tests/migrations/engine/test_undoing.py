"""Aborting and rolling back: what was done is undone in reverse, each undoing written down."""

import pytest

from stranglerfig.errors import RouteError, RunbookError
from stranglerfig.migrations.back import roll_back
from stranglerfig.migrations.latches import approve
from stranglerfig.model import Stage

either = pytest.mark.parametrize("office", ["sqlite", "postgresql"], indirect=True)
SHADOW = ("shadow", 'Move to = "shadow"')
ONE = ("one", 'Deed line = "one"')
CANARY = ("canary", 'Move to = "canary", percent = 10')
TWO = ("two", 'Deed line = "two"')
BROKEN = ("broken", 'Deed line = "broken", fails = "broken"')


@pytest.fixture
def stuck(office):
    """Give what begins a run that stops at its last step."""
    office.touch("broken")

    def begin(*steps):
        office.write(*steps, BROKEN)
        assert office.apply().state == "failed"

    return begin


@either
def test_aborted_every_step_is_undone_in_reverse(office, stuck):
    stuck(SHADOW, ONE, CANARY, TWO)
    run = office.abort(why="not tonight")
    assert (run.state, run.said) == ("aborted", "by ada: not tonight")
    assert run.finished
    assert office.deeds() == ["one", "two", "-two", "-one"]
    assert office.route().stage is Stage.LEGACY
    assert office.states() == ["undone"] * 5
    told = [entry.line.data for entry in office.store.journal.read(kinds=["run"])]
    undone = [line["step"] for line in told if line["action"] == "undone"]
    assert undone == ["broken", "two", "canary", "one", "shadow"]
    with pytest.raises(RunbookError, match="no run under way"):
        office.abort()
    (office.root / "broken").unlink()
    assert office.apply().state == "done", "it can be begun anew"


def test_a_step_that_cannot_be_undone_leaves_the_rest_to_a_next_try(office, stuck):
    office.touch("mud")
    stuck(SHADOW, ("one", 'Deed line = "one", stuck = "mud"'), CANARY)
    with pytest.raises(RunbookError, match="cannot be taken out") as refused:
        office.abort()
    assert "fig runbook abort move" in refused.value.remedy
    assert office.run().state == "aborting"
    assert office.states() == ["done", "undoing", "undone", "undone"]
    with pytest.raises(RunbookError, match="is aborting") as refused:
        office.apply()
    assert refused.value.remedy == "fig runbook abort move"
    (office.root / "mud").unlink()
    assert office.abort().state == "aborted"
    assert office.deeds() == ["one", "-one"]


def test_a_step_can_be_left_to_a_person(office, stuck):
    office.touch("mud")
    stuck(SHADOW, ("one", 'Deed line = "one", stuck = "mud"'))
    with pytest.raises(RunbookError, match="no such step"):
        office.abort(leave=["other"])
    assert office.abort(leave=["one"], why="done by hand").state == "aborted"
    assert office.deeds() == ["one"]
    assert office.route().stage is Stage.LEGACY


@pytest.mark.parametrize(
    "lasting",
    [
        ("one", 'Deed line = "one", lasts = "it was posted"'),
        ("one", 'Deed line = "one"', 'undo = "freeze"'),
    ],
)
def test_what_cannot_be_taken_back_is_not_aborted(office, stuck, lasting):
    stuck(SHADOW, lasting, TWO)
    with pytest.raises(RunbookError, match="step one cannot be taken back") as refused:
        office.abort()
    assert "fig runbook freeze move" in refused.value.remedy
    assert (office.run().state, office.deeds()) == ("failed", ["one", "two"])


def test_what_is_to_stay_is_kept(office, stuck):
    stuck(SHADOW, ("one", 'Deed line = "one", lasts = "for good"', 'undo = "keep"'), TWO)
    assert office.abort().state == "aborted"
    assert office.deeds() == ["one", "two", "-two"]
    assert office.states() == ["undone", "done", "undone", "undone"]


def test_something_else_may_undo_a_step(office, stuck):
    instead = 'undo = { do = "py:deeds:Deed", with = { line = "instead" } }'
    stuck(SHADOW, ("one", 'Deed line = "one", lasts = "for good"', instead))
    assert office.abort().state == "aborted"
    assert office.deeds() == ["one", "instead"]


def test_abort_stops_whoever_applies_it(office, background, wait):
    office.write(SHADOW, ("one", 'Deed line = "one", waits = "go"'))
    applied = background(office.apply)
    wait(office.deeds)
    assert office.abort().state == "aborted"
    assert applied.result(10).state in ("aborting", "aborted")
    assert office.deeds() == ["one", "-one"]


@either
def test_rolled_back_legacy_answers_and_the_way_up_is_gone_again(office, stuck):
    stuck(SHADOW, ONE, CANARY, TWO)
    run = roll_back(office.site("bob"), "move", why="it is slow")
    assert (run.state, run.said) == ("paused", "by bob: it is slow")
    assert office.route().stage is Stage.SHADOW
    assert office.states() == ["done", "done", "undone", "waiting", "waiting"]
    assert office.deeds() == ["one", "two"], "nothing else is taken back"
    (office.root / "broken").unlink()
    from stranglerfig.migrations.resume import resume

    resume(office.site(), "move")
    assert office.apply().state == "done"
    assert office.route().stage is Stage.CANARY
    assert office.deeds() == ["one", "two", "broken"]


def test_aborted_after_a_rollback_what_the_other_steps_did_is_undone(office, stuck):
    stuck(SHADOW, ONE, CANARY, TWO)
    roll_back(office.site(), "move")
    assert office.abort().state == "aborted"
    assert office.deeds() == ["one", "two", "-two", "-one"]
    assert office.route().stage is Stage.LEGACY


def test_rolled_back_to_legacy_the_shadow_is_to_come_again(office, stuck):
    stuck(SHADOW, CANARY)
    roll_back(office.site(), "move", to=Stage.LEGACY)
    assert office.route().stage is Stage.LEGACY
    assert office.states() == ["undone", "undone", "waiting"]


def test_approvals_of_what_is_done_again_count_no_more(office, stuck):
    stuck(SHADOW, CANARY)
    approve(office.site("bob"), "move", "broken")
    assert roll_back(office.site(), "move").approvals == ()
    lines = [entry.line.data for entry in office.store.journal.read(kinds=["run"])]
    assert [one["who"] for one in lines if one["action"] == "approve"] == ["bob"]


def test_where_the_guardrail_was_first_only_the_run_goes_back(office, stuck):
    stuck(SHADOW, CANARY)
    office.site().parts.operator("triage-ticket", "guardrail").rollback()
    version = office.route().version
    assert roll_back(office.site(), "move").state == "paused"
    assert office.route().version == version
    assert office.states() == ["done", "undone", "waiting"]


def test_a_route_that_does_not_go_back_is_said(office, stuck):
    stuck(SHADOW, CANARY)
    office.site().parts.operator("triage-ticket", "eve").freeze()
    with pytest.raises(RouteError, match="frozen"):
        roll_back(office.site(), "move")
    assert office.run().state == "failed", "nothing was written"
