"""Steps that change the route's stage: what they change, what they wait for, how they go back."""

from __future__ import annotations

import msgspec
import pytest

from stranglerfig.errors import ConfigError, RouteError, RunbookError
from stranglerfig.migrations.ports import Done, Waiting
from stranglerfig.model import Data, Stage

UP = [("shadow", {}), ("canary", {"percent": 10}), ("live", {})]


def as_kept(done):
    """Give a result as the store gives it back."""
    return msgspec.json.decode(msgspec.json.encode(done.result))


def test_the_ladder_is_climbed_and_each_step_is_one_change(bench):
    bench.observe(both=50, replacement=40)
    for name, options in UP:
        before = bench.route()
        done = bench.act(name, **options).do(bench.ctx())
        assert isinstance(done, Done)
        assert as_kept(done) == msgspec.to_builtins({"before": before, "after": bench.route()})
        assert bench.route().version == before.version + 1
    assert bench.route().stage is Stage.LIVE
    assert "run 1 of night, step it" in bench.store.routes.history("triage")[-1].why


@pytest.mark.parametrize(("name", "options"), UP)
def test_where_the_route_stands_there_or_further_nothing_changes(bench, name, options):
    bench.put("live")
    before = bench.route()
    act = bench.act(name, **options)
    assert not act.plan(bench.planned())
    done = act.do(bench.ctx())
    assert not done.result
    assert "live already" in done.told
    assert act.undo(bench.ctx(), {}).told.startswith("it stood there before")
    assert bench.route() == before


def test_a_plan_says_from_where_to_where_and_changes_nothing(bench):
    assert bench.act("canary", percent=5).plan(bench.planned()) == [
        "route of triage: legacy → canary 5 %"
    ]
    assert bench.route().version == 0


def test_an_endpoint_without_a_replacement_is_told_so_by_the_plan(bench):
    ctx = bench.planned()
    bare = msgspec.structs.replace(ctx.endpoint, replacement="")
    object.__setattr__(ctx, "endpoint", bare)
    with pytest.raises(RunbookError, match="no replacement") as refused:
        bench.act("shadow").plan(ctx)
    assert refused.value.place == "night.toml: step it"


@pytest.mark.parametrize(
    ("winners", "says", "command"),
    [
        ({"both": 3}, "hold", "fig evidence triage"),
        ({"legacy": 40}, "fail", "fig route deploy triage"),
    ],
)
@pytest.mark.parametrize(("name", "options"), UP[1:])
def test_beyond_shadow_it_waits_for_the_guardrail(bench, name, options, winners, says, command):
    bench.put("shadow")
    bench.observe(**winners)
    waiting = bench.act(name, **options).do(bench.ctx())
    assert isinstance(waiting, Waiting)
    assert says in waiting.reason
    assert waiting.missing
    assert waiting.command == command
    assert bench.route().stage is Stage.SHADOW


@pytest.mark.parametrize("latch", ["paused", "frozen", "killed"])
@pytest.mark.parametrize(("name", "options"), UP)
def test_a_latch_is_waited_for(bench, name, options, latch):
    bench.put("legacy", **{latch: True})
    bench.observe(both=50, replacement=40)
    waiting = bench.act(name, **options).do(bench.ctx())
    assert (waiting.reason, waiting.command) == (
        f"the route is {latch}",
        "fig route resume triage",
    )


def test_a_change_by_somebody_else_in_between_is_looked_at_anew(bench, monkeypatch):
    act, given = bench.act("shadow"), bench.parts.operator

    def late(endpoint, who):
        operator = given(endpoint, who)
        advance = operator.advance

        def after_another(to, *, why):
            gather = operator._gathering

            def first(route):
                bench.put("legacy", pins={"C-1": "legacy"})
                return gather(route)

            operator._gathering = first
            return advance(to, why=why)

        operator.advance = after_another
        return operator

    monkeypatch.setattr(bench.parts, "operator", late)
    waiting = act.do(bench.ctx())
    assert "somebody else" in waiting.reason
    assert waiting.again_after < 1
    monkeypatch.undo()
    assert isinstance(act.do(bench.ctx()), Done)
    assert bench.route().pins == {"C-1": "legacy"}


def test_what_is_never_allowed_fails_the_step(bench):
    bench.put("shadow")
    bench.observe(both=50, replacement=40)
    bench.parts.effect = "irreversible"
    with pytest.raises(RouteError, match="irreversible"):
        bench.act("canary", percent=10).do(bench.ctx())


@pytest.mark.parametrize(
    ("name", "options", "from_", "to", "after"),
    [
        ("shadow", {}, "legacy", "shadow", "legacy"),
        ("canary", {"percent": 50}, "canary", "canary", "shadow"),
        ("live", {}, "canary", "live", "shadow"),
        ("retire", {}, "live", "retired", "live"),
    ],
)
def test_undone_it_goes_back_and_the_second_time_nothing_is_left(
    bench, name, options, from_, to, after
):
    before = bench.put(from_)
    put = bench.put(to, percent=50.0 if to == "canary" else 0.0)
    result = msgspec.to_builtins({"before": before, "after": put})
    act = bench.act(name, **options)
    assert isinstance(act.undo(bench.ctx(), result), Done)
    assert bench.route().stage.value == after
    assert bench.store.routes.history("triage")[-1].why.startswith("undone: ")
    stands = bench.route()
    assert not act.undo(bench.ctx(), result).result
    assert bench.route() == stands


def test_a_frozen_route_is_not_taken_back(bench):
    before = bench.put("legacy")
    after = bench.put("shadow", frozen=True)
    with pytest.raises(RouteError, match="frozen"):
        bench.act("shadow").undo(bench.ctx(), {"before": before, "after": after})


def test_retiring_waits_for_two_who_did_not_begin_it(bench):
    bench.put("live")
    bench.observe(both=50, replacement=40)
    act = bench.act("retire")
    bench.approve("ada", "ben")
    waiting = act.do(bench.ctx())
    assert waiting.missing == "1 more person; ada began the run, and does not count"
    assert waiting.command == "fig runbook approve night it"
    bench.approve("cleo")
    assert isinstance(act.do(bench.ctx()), Done)
    assert bench.route().stage is Stage.RETIRED
    with pytest.raises(ConfigError, match=">= 2"):
        bench.act("retire", people=1)


def test_retiring_is_final_only_where_the_data_has_moved(bench):
    act = bench.act("retire")
    bench.put("live")
    assert act.final(bench.ctx()) == ""
    bench.put("live", data=Data.REPLACEMENT_FIRST)
    assert "nothing can go back" in act.final(bench.ctx())
    after = bench.put("retired", data=Data.REPLACEMENT)
    assert "nothing can go back" in act.final(bench.ctx())
    before = msgspec.structs.replace(after, stage=Stage.LIVE, data=Data.REPLACEMENT_FIRST)
    with pytest.raises(RouteError, match="no way back"):
        act.undo(bench.ctx(), {"before": before, "after": after})


@pytest.mark.parametrize("percent", [0, 100, -1, 250])
def test_a_canary_of_nobody_or_of_all_is_none(bench, percent):
    with pytest.raises(ConfigError, match="percent must be") as refused:
        bench.act("canary", percent=percent)
    assert refused.value.place == "night.toml: step it.with"
