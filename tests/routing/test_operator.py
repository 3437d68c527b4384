"""Every change of a route: what is allowed, what is refused, and what it leaves behind."""

from __future__ import annotations

import msgspec
import pytest

from stranglerfig.config import Listen
from stranglerfig.errors import RouteConflict, RouteError
from stranglerfig.model import Stage, Step
from stranglerfig.routing.operator import Operator

LIVE = Step(stage=Stage.LIVE)


def test_a_route_that_was_never_changed_stands_at_legacy(operator):
    assert operator.route().stage is Stage.LEGACY
    assert operator.route().version == 0


def test_climbs_the_ladder_rung_by_rung(operator, observe):
    assert operator.advance(why="to begin").stage is Stage.SHADOW
    observe("new.digest", both=50, replacement=40)
    seen = [operator.advance() for _ in range(4)]
    assert [(route.stage, route.percent) for route in seen] == [
        (Stage.CANARY, 10),
        (Stage.CANARY, 50),
        (Stage.LIVE, 0),
        (Stage.RETIRED, 0),
    ]
    assert len({route.salt for route in seen}) == 1
    assert seen[0].salt
    assert {route.revision for route in seen} == {"new.digest"}
    with pytest.raises(RouteError, match="retired already"):
        operator.advance()


def test_history_tells_who_why_and_on_what_evidence(operator, store, observe):
    operator.advance(why="to begin")
    observe("new.digest", both=3, legacy=1)
    operator.rollback(why="no")
    first, second = store.routes.history("triage")
    assert (first.action, first.who, first.why) == ("advance", "a person", "to begin")
    assert first.before is None
    assert second.before == first.after
    assert second.evidence["counts"]["both"] == 3
    assert second.evidence["verdict"]["outcome"] == "hold"
    lines = [entry.line.data["action"] for entry in store.journal.read(kinds=["route"])]
    assert lines == ["advance", "rollback"]


@pytest.mark.parametrize("winners", [{}, {"both": 10}, {"legacy": 12}, {"both": 99, "open": 60}])
def test_without_a_pass_it_goes_no_further_than_shadow(operator, observe, winners):
    operator.advance()
    observe("new.digest", **winners)
    before = operator.route()
    with pytest.raises(RouteError, match="guardrail does not pass") as refused:
        operator.advance()
    assert refused.value.expected == "verdict pass before canary 10 %"
    assert refused.value.remedy
    assert operator.route() == before
    assert operator.advance(LIVE, force=True).stage is Stage.LIVE


def test_evidence_of_another_revision_does_not_count(operator, observe):
    operator.advance()
    observe("old.digest", both=50, replacement=40)
    with pytest.raises(RouteError, match="of 0 requests"):
        operator.advance()


@pytest.mark.parametrize(
    "step", [LIVE, Step(stage=Stage.CANARY, percent=50), Step(stage=Stage.SHADOW)]
)
def test_advancing_never_goes_back_or_stays(operator, put, step):
    put("live")
    with pytest.raises(RouteError, match="not further than live"):
        operator.advance(step, force=True)


@pytest.mark.parametrize(
    ("stage", "to", "after"),
    [
        ("live", None, "shadow"),
        ("retired", None, "shadow"),
        ("canary", None, "shadow"),
        ("shadow", None, "legacy"),
        ("live", Stage.LEGACY, "legacy"),
    ],
)
def test_rolls_back(operator, put, stage, to, after):
    put(stage, percent=10 if stage == "canary" else 0, good_revision="r0")
    route = operator.rollback(to)
    assert (route.stage, route.percent) == (Stage(after), 0)
    assert route.good_revision == ""
    assert route.revision == "r1"


@pytest.mark.parametrize(("stage", "to"), [("legacy", None), ("shadow", Stage.SHADOW)])
def test_rolls_back_no_further_than_there_is(operator, put, stage, to):
    put(stage)
    with pytest.raises(RouteError, match="not further back"):
        operator.rollback(to)


def test_rolling_back_ignores_latches(operator, put):
    """A way back is open always."""
    put("live", paused=True, killed=True)
    assert operator.rollback().stage is Stage.SHADOW


@pytest.mark.parametrize("latch", ["paused", "killed"])
def test_a_latch_refuses_advance_and_deploy(operator, put, latch):
    put("shadow", **{latch: True})
    for change in (lambda: operator.advance(force=True), operator.deploy):
        with pytest.raises(RouteError, match=f"is {latch}") as refused:
            change()
        assert refused.value.remedy == "fig route resume triage"
    assert operator.resume().paused is operator.route().killed is False
    assert operator.advance(force=True).stage is Stage.CANARY


def test_latches_leave_all_else_as_it_is(operator, put):
    before = put("canary", percent=10)
    assert operator.pause() == msgspec.structs.replace(before, paused=True, version=2)
    assert operator.kill() == msgspec.structs.replace(before, paused=True, killed=True, version=3)
    assert operator.resume() == msgspec.structs.replace(before, version=4)


def test_deploying_remembers_one_that_had_passed(operator, put, observe):
    put("live")
    observe("r1", both=50, replacement=40)
    route = operator.deploy("r2", why="retrained")
    assert (route.stage, route.revision) == (Stage.LIVE, "r2")
    assert (route.good_revision, route.good_stage) == ("r1", Stage.LIVE)
    assert operator.evidence().counts.total == 0, "the new one's evidence starts at zero"


def test_deploying_forgets_one_that_had_not(operator, put, observe):
    put("canary", percent=10)
    observe("r1", both=10)
    assert operator.deploy("r2").good_revision == ""


def test_deploying_the_newest_and_not_the_same_again(operator, put):
    put("shadow")
    assert operator.deploy().revision == "new.digest"
    with pytest.raises(RouteError, match="has this revision already"):
        operator.deploy()


def test_taking_back_gives_way_to_the_good_revision(operator, put, observe):
    put("canary", percent=10)
    observe("r1", both=50, replacement=40)
    operator.deploy("bad")
    operator.advance(LIVE, force=True)
    observe("bad", legacy=12)
    evidence = operator.evidence()
    assert evidence.verdict.outcome == "fail"
    route = operator.take_back(evidence)
    assert (route.stage, route.percent, route.revision) == (Stage.CANARY, 10, "r1")
    assert route.good_revision == ""
    assert operator.take_back(evidence) is None, "once is enough"


def test_taking_back_without_a_good_revision_goes_to_shadow(operator, put, observe, store):
    put("live")
    observe("r1", legacy=12)
    route = operator.take_back(operator.evidence())
    assert (route.stage, route.revision) == (Stage.SHADOW, "r1")
    assert "worse" in store.routes.history("triage")[-1].why
    assert operator.take_back(operator.evidence()) is None, "shadow harms nobody"


def test_taking_back_is_not_for_evidence_of_another_revision(operator, put, observe):
    put("live")
    observe("r1", legacy=12)
    old = operator.evidence()
    operator.deploy("r2")
    assert operator.take_back(old) is None
    assert operator.route().revision == "r2"


@pytest.mark.parametrize("latch", ["paused", "killed"])
def test_taking_back_works_under_a_latch(operator, put, observe, latch):
    put("live", **{latch: True})
    observe("r1", legacy=12)
    route = operator.take_back(operator.evidence())
    assert route.stage is Stage.SHADOW
    assert getattr(route, latch) is True


def test_whoever_comes_second_is_told(operator, put, store, settings):
    """Between reading and writing, another one changed the route."""
    put("shadow")

    def meanwhile():
        put("shadow", killed=True)
        return "new.digest"

    late = Operator(store, settings, effect="read", newest=meanwhile, who="late")
    with pytest.raises(RouteConflict, match="changed by somebody else"):
        late.deploy()
    assert operator.route().killed is True
    assert operator.route().revision == "r1"


def test_an_event_goes_no_further_than_shadow(store, settings):
    listen = Listen(source="tickets")
    event = msgspec.structs.replace(settings, listen=listen)
    operator = Operator(store, event, effect="read", newest=lambda: "r1", who="a person")
    assert operator.advance().stage is Stage.SHADOW
    with pytest.raises(RouteError, match="is an event"):
        operator.advance(force=True)


@pytest.mark.parametrize("effect", ["idempotent", "compensable", "irreversible"])
def test_an_endpoint_that_writes_goes_no_further_than_shadow(store, settings, effect):
    operator = Operator(store, settings, effect=effect, newest=lambda: "r1", who="a person")
    assert operator.advance().stage is Stage.SHADOW
    with pytest.raises(RouteError, match=effect):
        operator.advance(force=True)


def test_without_a_replacement_it_stays_at_legacy(store, settings):
    alone = msgspec.structs.replace(settings, replacement="")
    operator = Operator(store, alone, effect="read", newest=lambda: "r1", who="a person")
    with pytest.raises(RouteError, match="has no replacement"):
        operator.advance()
