"""Every pair of serving and data, every change of one into another, enumerated."""

import itertools

import pytest

from stranglerfig.model import Data, Route, Side, Stage
from stranglerfig.routing.moves import data_after_rollback, neighbours, why_not
from stranglerfig.routing.pairs import EFFECTS, PAIRS, Plan, is_legal, plan_of

LEGACY, REPLACEMENT = Side.LEGACY, Side.REPLACEMENT
ALL = list(itertools.product(Stage, Data))


def reachable(effect: str) -> set[tuple[Stage, Data]]:
    seen, todo = set(), [(Stage.LEGACY, Data.NONE)]
    while todo:
        here = todo.pop()
        if here not in seen:
            seen.add(here)
            todo += neighbours(*here, effect)
    return seen


def test_fifteen_of_the_twenty_five_pairs_are_legal():
    assert len(ALL) == 25
    assert {pair for pair in ALL if is_legal(*pair, "read")} == set(PAIRS)
    assert len(PAIRS) == 15


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_what_a_pair_does(pair):
    """Said once more, in other words than the table's."""
    (stage, data), plan = pair, PAIRS[pair]
    order = list(Stage).index(stage)
    assert plan.outside is (REPLACEMENT if order >= 3 else LEGACY)
    assert plan.inside is (REPLACEMENT if order >= 2 else LEGACY)
    assert plan.compare is (1 <= order <= 3)
    assert plan.chosen is (order in (2, 3) and data is not Data.REPLACEMENT_FIRST)
    assert plan.fallback is (order in (2, 3))
    assert plan.legacy_needed is (order < 4)
    assert (
        plan.writes
        == {
            Data.NONE: (),
            Data.LEGACY: (LEGACY,),
            Data.LEGACY_FIRST: (LEGACY, REPLACEMENT),
            Data.REPLACEMENT_FIRST: (REPLACEMENT, LEGACY),
            Data.REPLACEMENT: (REPLACEMENT,),
        }[data]
    )
    assert plan.order(LEGACY) == (plan.writes or (LEGACY,))


@pytest.mark.parametrize("effect", EFFECTS)
def test_every_legal_pair_can_be_reached_and_no_other(effect):
    legal = {pair for pair in PAIRS if is_legal(*pair, effect)}
    found = reachable(effect)
    assert found <= legal
    assert found == legal


@pytest.mark.parametrize("effect", EFFECTS)
def test_an_irreversible_effect_is_never_on_both_sides(effect):
    for pair in reachable(effect):
        if effect == "irreversible":
            assert len(PAIRS[pair].writes) <= 1, pair
            for served in Side:
                assert len(PAIRS[pair].order(served)) == 1


@pytest.mark.parametrize("effect", EFFECTS)
def test_a_retired_legacy_is_never_needed(effect):
    for stage, data in reachable(effect):
        plan = PAIRS[stage, data]
        if stage is Stage.RETIRED:
            assert (plan.legacy_needed, plan.fallback, plan.compare) == (False, False, False)
            assert LEGACY not in plan.writes
            assert (plan.inside, plan.outside) == (REPLACEMENT, REPLACEMENT)


@pytest.mark.parametrize("effect", EFFECTS)
def test_who_reads_has_what_was_written(effect):
    """Whoever answers reads has every write, first or at once: none reads a store that lags."""
    for stage, data in reachable(effect):
        plan = PAIRS[stage, data]
        if data is Data.REPLACEMENT_FIRST or data is Data.REPLACEMENT:
            assert LEGACY not in (plan.inside, plan.outside)
            assert not plan.chosen, "nobody may choose the store that is behind"


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize("here", PAIRS, ids=str)
def test_every_change_is_on_one_axis_or_is_the_end(here, effect):
    route = Route(endpoint="e", stage=here[0], data=here[1])
    stages, owners = list(Stage), list(Data)
    allowed = {there for there in ALL if not why_not(route, *there, effect)}
    for there in allowed:
        assert is_legal(*there, effect)
        if here[0] is not there[0] and here[1] is not there[1]:
            back = stages.index(there[0]) < stages.index(here[0])
            assert there == (Stage.RETIRED, Data.REPLACEMENT) or (
                back and (here[1], there[1]) == (Data.REPLACEMENT_FIRST, Data.LEGACY_FIRST)
            )
        assert abs(owners.index(here[1]) - owners.index(there[1])) <= 1


@pytest.mark.parametrize("effect", EFFECTS)
def test_a_rollback_leads_from_everywhere_to_legacy_but_from_the_end(effect):
    for stage, data in reachable(effect):
        route = Route(endpoint="e", stage=stage, data=data)
        for target in (Stage.LEGACY, Stage.SHADOW):
            if list(Stage).index(target) >= list(Stage).index(stage):
                continue
            wrong = why_not(route, target, data_after_rollback(route), effect)
            assert bool(wrong) is (data is Data.REPLACEMENT), (stage, data, target, wrong)


@pytest.mark.parametrize("effect", EFFECTS)
def test_a_rollback_keeps_both_stores_written(effect):
    for stage, data in reachable(effect):
        before = PAIRS[stage, data].writes
        after = data_after_rollback(Route(endpoint="e", stage=stage, data=data))
        if len(before) == 2:
            assert set(PAIRS[Stage.SHADOW, after].writes) == set(before)


@pytest.mark.parametrize("pair", [pair for pair in ALL if pair not in PAIRS], ids=str)
def test_a_pair_that_a_newer_version_wrote_is_served_by_whoever_has_the_data(pair):
    plan: Plan = plan_of(Route(endpoint="e", stage=pair[0], data=pair[1]))
    gone = pair[0] is Stage.RETIRED or pair[1] is Data.REPLACEMENT
    assert plan.inside is plan.outside is (REPLACEMENT if gone else LEGACY)
    assert not plan.compare
