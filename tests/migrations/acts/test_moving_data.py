"""The step on the data axis: one place at a time, and back where a rollback has not been."""

from __future__ import annotations

import msgspec
import pytest

from stranglerfig.errors import ConfigError, RouteError, RunbookError
from stranglerfig.migrations.ports import Done
from stranglerfig.model import Data


def move(bench, to):
    return bench.act("data", to=to)


def test_data_moves_one_step_and_back(bench):
    bench.put("shadow", data=Data.LEGACY)
    act = move(bench, "legacy-first")
    assert act.plan(bench.planned()) == ("data of triage: legacy → legacy-first",)
    done = act.do(bench.ctx())
    assert bench.route().data is Data.LEGACY_FIRST
    assert done.result["before"].data is Data.LEGACY
    result = msgspec.to_builtins(done.result)
    assert isinstance(act.undo(bench.ctx(), result), Done)
    assert bench.route().data is Data.LEGACY
    assert not act.undo(bench.ctx(), result).result


def test_where_it_stands_already_nothing_changes(bench):
    stands = bench.put("live", data=Data.LEGACY_FIRST)
    act = move(bench, "legacy-first")
    assert not act.plan(bench.planned())
    assert not act.do(bench.ctx()).result
    assert act.undo(bench.ctx(), {}).told.startswith("it stood there before")
    assert bench.route() == stands


def test_a_rollback_that_was_there_first_leaves_nothing_to_undo(bench):
    before = bench.put("live", data=Data.LEGACY_FIRST)
    act = move(bench, "replacement-first")
    result = msgspec.to_builtins(act.do(bench.ctx()).result)
    bench.parts.operator("triage", "bob").rollback()
    assert bench.route().data is before.data
    assert not act.undo(bench.ctx(), result).result


def test_two_steps_at_once_are_refused(bench):
    bench.put("shadow", data=Data.LEGACY)
    with pytest.raises(RouteError):
        move(bench, "replacement-first").do(bench.ctx())


def test_a_latch_is_waited_for(bench):
    bench.put("shadow", data=Data.LEGACY, frozen=True)
    assert move(bench, "legacy-first").do(bench.ctx()).reason == "the route is frozen"


def test_an_endpoint_whose_data_stays_is_told_so_by_the_plan(bench):
    bench.endpoint = "opened"
    with pytest.raises(RunbookError, match="stays where it is") as refused:
        move(bench, "legacy").plan(bench.planned())
    assert 'data = "moves"' in refused.value.remedy


def test_legacys_store_is_ended_by_retiring_only(bench):
    with pytest.raises(ConfigError, match="do = retire"):
        move(bench, "replacement")
    with pytest.raises(ConfigError, match="Invalid enum value"):
        move(bench, "mine")


@pytest.mark.parametrize("state", ["first", "doubt"])
def test_refused_while_writes_are_not_copied_it_waits_for_them(bench, monkeypatch, state):
    before = bench.put("live", data=Data.REPLACEMENT_FIRST)
    refuse(bench, monkeypatch, "move_data")
    act = move(bench, "legacy-first")
    with pytest.raises(RouteError, match="apart"):
        act.do(bench.ctx())
    bench.write(state)
    assert act.do(bench.ctx()).reason.startswith("1 writes are ")
    monkeypatch.undo()
    result = {"before": msgspec.to_builtins(before)}
    bench.put("live", data=Data.REPLACEMENT_FIRST)
    assert bench.route().data is Data.REPLACEMENT_FIRST
    refuse(bench, monkeypatch, "rollback")
    waiting = bench.act("live").undo(bench.ctx(), result)
    assert waiting.reason.startswith("1 writes are ")


def refuse(bench, monkeypatch, name):
    """Have the operator refuse a change as where the stores are apart."""
    given = bench.parts.operator

    def operator(endpoint, who):
        made = given(endpoint, who)

        def refused(*arguments, **named):
            raise RouteError("its stores are apart")

        setattr(made, name, refused)
        return made

    monkeypatch.setattr(bench.parts, "operator", operator)
