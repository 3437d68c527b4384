"""What an operator holds in place: data, keys, a freeze; and one salt for a whole journey."""

from __future__ import annotations

import msgspec
import pytest

from stranglerfig.errors import RouteError
from stranglerfig.model import Data, Side, Stage, Step
from stranglerfig.routing.operator import Operator

LIVE = Step(stage=Stage.LIVE)


@pytest.fixture
def moving(store, settings):
    """Give the operator of an endpoint whose data moves."""
    settings = msgspec.structs.replace(settings, data="moves")
    return Operator(store, settings, effect="read", newest=lambda: "new.digest", who="a person")


def test_data_moves_one_step_at_a_time_and_ends_with_legacy(moving):
    moving.move_data(Data.LEGACY)
    moving.move_data(Data.LEGACY_FIRST)
    moving.advance(LIVE, force=True)
    moving.move_data(Data.REPLACEMENT_FIRST, why="it has all of it")
    with pytest.raises(RouteError, match="no legal pair"):
        moving.move_data(Data.REPLACEMENT)
    route = moving.advance(force=True)
    assert (route.stage, route.data) == (Stage.RETIRED, Data.REPLACEMENT)
    with pytest.raises(RouteError, match="no way back"):
        moving.rollback()


def test_a_rollback_keeps_both_stores_written(moving, put):
    put("live", data=Data.REPLACEMENT_FIRST)
    route = moving.rollback()
    assert (route.stage, route.data) == (Stage.SHADOW, Data.LEGACY_FIRST)


@pytest.mark.parametrize("to", [Data.LEGACY_FIRST, Data.REPLACEMENT_FIRST, Data.REPLACEMENT])
def test_data_does_not_jump(moving, to):
    with pytest.raises(RouteError):
        moving.move_data(to)
    assert moving.route().version == 0


def test_data_that_stays_does_not_move(operator):
    with pytest.raises(RouteError, match="stays where it is") as refused:
        operator.move_data(Data.LEGACY)
    assert 'data = "moves"' in refused.value.remedy


def test_what_is_irreversible_never_gets_a_second_store(store, settings):
    settings = msgspec.structs.replace(settings, data="moves")
    one = Operator(store, settings, effect="irreversible", newest=lambda: "r", who="a person")
    one.move_data(Data.LEGACY)
    with pytest.raises(RouteError, match="on both sides"):
        one.move_data(Data.LEGACY_FIRST)


def test_frozen_holds_against_everybody(operator, observe, put):
    put("live", good_revision="r0", good_stage=Stage.LIVE)
    frozen = operator.freeze(why="money has left the house")
    for change in (operator.advance, operator.rollback, operator.deploy):
        with pytest.raises(RouteError, match="is frozen"):
            change()
    observe(legacy=60)
    assert operator.evidence().verdict.outcome == "fail"
    assert operator.take_back(operator.evidence()) is None
    assert operator.route() == frozen
    assert operator.kill().killed, "the replacement can still be stopped"
    assert not operator.resume().frozen


def test_where_no_way_leads_back_a_failed_guardrail_freezes(moving, observe, put):
    put("retired", data=Data.REPLACEMENT)
    observe(legacy=60)
    route = moving.take_back(moving.evidence())
    assert (route.stage, route.frozen) == (Stage.RETIRED, True)


def test_pins_come_and_go_and_stand_in_the_history(operator, store):
    operator.pin("vip", Side.LEGACY, why="asked by phone")
    assert operator.pin("test", Side.REPLACEMENT).pins == {
        "vip": Side.LEGACY,
        "test": Side.REPLACEMENT,
    }
    assert operator.pin("vip", None).pins == {"test": Side.REPLACEMENT}
    assert [change.action for change in store.routes.history("triage")] == [
        "pin to legacy",
        "pin to replacement",
        "unpin",
    ]


def test_a_route_carries_no_endless_pins(operator, put):
    put("canary", pins={f"k{number}": Side.LEGACY for number in range(1_000)})
    assert len(operator.pin("k7", Side.REPLACEMENT).pins) == 1_000
    with pytest.raises(RouteError, match="as many pins"):
        operator.pin("one too many", Side.LEGACY)


def test_all_of_a_journey_have_one_salt(store, settings):
    def named(name):
        given = msgspec.structs.replace(settings, name=name)
        return Operator(
            store, given, effect="read", newest=lambda: "r", who="a person", journey="a1b2"
        )

    assert {named(name).advance().salt for name in ("open", "change")} == {"a1b2"}
