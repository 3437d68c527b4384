"""Data that moves: which steps are allowed, and that none is made while the stores are apart."""

from __future__ import annotations

import msgspec
import pytest

from stranglerfig.errors import RouteError
from stranglerfig.model import Data, Record, Side, Stage, Step
from stranglerfig.routing.operator import Operator
from stranglerfig.routing.safety import apart, rollback_safety
from stranglerfig.store.dual_work import Lag
from stranglerfig.store.dual_writes import Wanted

LIVE, RETIRED = Step(stage=Stage.LIVE), Step(stage=Stage.RETIRED)


@pytest.fixture
def make(store, settings):
    """Give the operator of an endpoint that writes."""

    def operator(effect="compensable", data="moves"):
        moving = msgspec.structs.replace(settings, data=data)
        return Operator(store, moving, effect=effect, newest=lambda: "r1", who="a person")

    return operator


@pytest.fixture
def write(store):
    """Have a write that its second side lacks, or that is in doubt."""

    def begin(order, key="K", doubt=False):
        record = Record(source="s", position=key, kind="soap", body=b"x")
        wanted = Wanted(
            endpoint="triage",
            request_id=key,
            token=key,
            digest="d",
            key=key,
            order=order,
            revision="r1",
            record=record,
        )
        found = store.dual_writes.prepare(wanted, "me", 60).write
        if doubt:
            store.dual_writes.doubt(found, "me", found.first, "no answer")
        else:
            store.dual_writes.first(found, "me", record)
        return found

    return begin


FORWARD, BACK = (Side.LEGACY, Side.REPLACEMENT), (Side.REPLACEMENT, Side.LEGACY)


def test_a_write_goes_all_the_way_with_its_data(make):
    operator = make()
    assert operator.move_data(Data.LEGACY).data is Data.LEGACY
    assert operator.move_data(Data.LEGACY_FIRST).data is Data.LEGACY_FIRST
    operator.advance()
    operator.advance(Step(stage=Stage.CANARY, percent=10), force=True)
    operator.advance(LIVE, force=True)
    assert operator.move_data(Data.REPLACEMENT_FIRST).data is Data.REPLACEMENT_FIRST
    route = operator.rollback()
    assert (route.stage, route.data) == (Stage.SHADOW, Data.LEGACY_FIRST)
    operator.advance(LIVE, force=True)
    operator.move_data(Data.REPLACEMENT_FIRST)
    route = operator.advance(RETIRED, force=True)
    assert (route.stage, route.data) == (Stage.RETIRED, Data.REPLACEMENT)
    assert not operator.safety().safe


@pytest.mark.parametrize("effect", ["idempotent", "compensable"])
def test_a_write_whose_data_does_not_move_stays_in_shadow(make, effect):
    operator = make(effect)
    operator.advance()
    with pytest.raises(RouteError, match="would lose writes") as refused:
        operator.advance(LIVE, force=True)
    assert "fig route data triage legacy" in refused.value.remedy


def test_what_is_for_good_never_moves(make):
    operator = make("irreversible")
    operator.move_data(Data.LEGACY)
    with pytest.raises(RouteError, match="both sides"):
        operator.move_data(Data.LEGACY_FIRST)
    operator.advance()
    with pytest.raises(RouteError, match="happen on both sides"):
        operator.advance(LIVE, force=True)


def test_the_replacement_does_not_count_before_it_has_all(make, put, write, store):
    put("live", data=Data.LEGACY_FIRST)
    found = write(FORWARD)
    operator = make()
    with pytest.raises(RouteError, match="1 write not yet copied to the replacement"):
        operator.move_data(Data.REPLACEMENT_FIRST)
    store.dual_work.settle(found.id, happened=True, who="a person", why="by hand")
    write(FORWARD, "other", doubt=True)
    with pytest.raises(RouteError, match="1 write in doubt"):
        operator.move_data(Data.REPLACEMENT_FIRST)
    assert operator.move_data(Data.REPLACEMENT_FIRST, behind=True)


def test_legacy_does_not_count_again_before_it_has_all(make, put, write):
    put("live", data=Data.REPLACEMENT_FIRST)
    write(BACK)
    operator = make()
    for step in (operator.rollback, lambda: operator.move_data(Data.LEGACY_FIRST)):
        with pytest.raises(RouteError, match="1 write not yet copied to legacy"):
            step()
    assert operator.safety().uncopied == 1
    assert operator.rollback(behind=True).data is Data.LEGACY_FIRST


def test_where_legacy_counts_one_goes_back_whatever_the_replacement_lacks(make, put, write):
    put("live", data=Data.LEGACY_FIRST)
    write(FORWARD)
    operator = make()
    assert operator.safety().safe
    assert "1 write not yet copied to the replacement" in operator.safety().says
    assert operator.rollback().stage is Stage.SHADOW


def test_legacy_is_not_retired_while_it_lacks_something(make, put, write, observe):
    put("live", data=Data.REPLACEMENT_FIRST)
    observe("r1", both=50, replacement=40)
    write(BACK)
    with pytest.raises(RouteError, match="stores are apart"):
        make().advance()
    assert make().advance(force=True).stage is Stage.RETIRED


def test_a_guardrail_goes_back_when_legacy_has_all(make, put, write, store, observe):
    put("live", data=Data.REPLACEMENT_FIRST)
    observe("r1", legacy=30)
    found = write(BACK)
    operator = make()
    held = operator.take_back(operator.evidence())
    assert (held.stage, held.paused) == (Stage.LIVE, True)
    assert "goes back when legacy has it" in store.routes.history("triage")[-1].why
    assert operator.take_back(operator.evidence()) is None
    store.dual_work.settle(found.id, happened=True, who="a person", why="by hand")
    back = operator.take_back(operator.evidence())
    assert (back.stage, back.data) == (Stage.SHADOW, Data.LEGACY_FIRST)


@pytest.mark.parametrize(
    ("lag", "side", "says"),
    [
        (Lag(), None, ""),
        (Lag(in_hand=3), None, ""),
        (Lag(to_legacy=1), Side.LEGACY, "1 write not yet copied to legacy"),
        (Lag(to_legacy=1), Side.REPLACEMENT, ""),
        (Lag(to_legacy=2, doubts=1, oldest=9.0), None, "2 writes not yet copied to legacy"),
        (Lag(doubts=2, oldest=9.0), Side.LEGACY, "2 writes in doubt, the oldest 9 s old"),
    ],
)
def test_says_what_a_side_lacks(lag, side, says):
    assert apart(lag, side).startswith(says)
    assert bool(apart(lag, side)) is bool(says)


def test_says_until_when_one_can_go_back(put):
    route = put("live")
    assert rollback_safety(route, Lag()).says == "safe until legacy is retired: no data moves"
    route = put("retired", data=Data.REPLACEMENT)
    assert "not any more" in rollback_safety(route, Lag()).says
