"""What would have been done beside what was: every state, by example and by property."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stranglerfig.answer_settings import EffectRules
from stranglerfig.errors import ConfigError
from stranglerfig.route_settings import Compared
from stranglerfig.routing.effects.intents import Waiting
from stranglerfig.routing.effects.weighing import grace, weigh
from stranglerfig.routing.payloads import dumps
from stranglerfig.store.awaited import Awaiting
from stranglerfig.store.expect import OPEN
from stranglerfig.store.outcomes import Decided
from stranglerfig.store.standing import Standing

LATE = 1e9


def post(amount, note=None):
    return {"customer": "C-1", "amount": Decimal(amount), "note": note}


def waits(*payloads, at=100.0, number=1, within=60.0):
    pair = Waiting(revision="r1", unit=f"u{number}", intents=payloads)
    return Awaiting(
        endpoint="triage/refund",
        key="C-1",
        request_id=f"q{number}",
        at=at,
        until=at + within,
        pair=pair.text(),
        id=number,
    )


def seen(amount, at=101.0, number=1):
    return Decided(
        endpoint="triage/refund",
        key="C-1",
        position=f"b{number}",
        at=at,
        answer=dumps(post(amount)),
        state="early",
        id=number,
    )


def standing(requests, effects=()):
    return Standing(endpoint="triage/refund", key="C-1", open=tuple(requests), early=tuple(effects))


@pytest.mark.parametrize(
    ("would", "did", "states", "differs", "winner"),
    [
        ([], [], {}, (), "both"),
        (["5"], ["5.00"], {"same": 1}, (), "both"),
        (["5"], ["6"], {"different": 1}, ("refund.amount",), "open"),
        ([], ["6"], {"missing": 1}, ("-refund",), "open"),
        (["5"], [], {"extra": 1}, ("+refund",), "open"),
        (["5", "6"], ["6", "5"], {"same": 2}, (), "both"),
        (["5", "7"], ["6", "5"], {"same": 1, "different": 1}, ("refund.amount",), "open"),
        (["5", "7"], ["5"], {"same": 1, "extra": 1}, ("+refund",), "open"),
    ],
)
def test_every_state(kind, would, did, states, differs, winner):
    effects = [seen(amount, number=n) for n, amount in enumerate(did, 1)]
    found = weigh(kind, standing([waits(*map(post, would))], effects), LATE)
    assert found.states == states
    comparison = found.comparison
    assert (comparison.differs, comparison.winner) == (differs, winner)
    assert (comparison.endpoint, comparison.revision, comparison.unit) == ("triage", "r1", "u1")
    closed = {one.values[0] for one in found.effects}
    assert closed == {"weighed"}
    assert "weighed" not in OPEN, "it would be weighed again"
    assert sum(one.kind == "decide" for one in found.effects) == len(did)


def test_an_intent_that_fits_nothing_is_never_legacys(kind):
    found = weigh(kind, standing([waits(None)], [seen("5")]), LATE)
    assert found.states == {"missing": 1, "extra": 1}


def test_nothing_is_weighed_before_its_window_is_over(kind):
    one = waits(post("5"))
    assert weigh(kind, standing([one]), one.until + grace(kind)) is None
    assert weigh(kind, standing([one]), one.until + grace(kind) + 0.1) is not None


def test_what_legacy_did_at_another_time_is_none_of_it(kind):
    found = weigh(kind, standing([waits()], [seen("5", at=90.0), seen("5", 161.0, 2)]), LATE)
    assert found.states == {}
    assert not [one for one in found.effects if one.kind == "decide"], "they stay for others"


def test_legacys_clock_may_be_a_little_behind(kind):
    assert weigh(kind, standing([waits(post("5"))], [seen("5", at=97.0)]), LATE).states == {
        "same": 1
    }


def test_an_effect_belongs_to_who_intended_it_or_to_the_newest_before_it(kind):
    first, second = waits(post("5")), waits(at=120.0, number=2)
    effects = [seen("5", at=130.0), seen("9", at=131.0, number=2)]
    one = weigh(kind, standing([first, second], effects), LATE)
    assert (one.request_id, one.states) == ("q1", {"same": 1})
    two = weigh(kind, standing([second], effects[1:]), LATE)
    assert (two.request_id, two.states) == ("q2", {"missing": 1})


def test_what_the_journal_holds_is_masked_and_under_the_kinds_name(kind):
    would = waits(post("5", note="to Mrs Miller"))
    found = weigh(kind, standing([would], [seen("6")]), LATE).comparison
    assert set(found.replacement) == {"refund"}
    assert found.replacement["refund"]["amount"] == Decimal(5)
    assert "Miller" not in str(found)


def test_tolerances_count(load, rules):
    close = msgspec.convert({"fields": {"amount": {"within": "0.50"}}}, Compared)
    kind = load(refund=msgspec.structs.replace(rules, comparison=close)).kinds["refund"]
    assert weigh(kind, standing([waits(post("5"))], [seen("5.30")]), LATE).states == {"same": 1}


amounts = st.lists(st.sampled_from(["1", "2", "3"]), max_size=5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(would=amounts, did=amounts)
def test_every_effect_is_counted_once(kind, would, did):
    effects = [seen(amount, number=n) for n, amount in enumerate(did, 1)]
    found = weigh(kind, standing([waits(*map(post, would))], effects), LATE)
    count = {name: found.states.get(name, 0) for name in ("same", "different", "missing", "extra")}
    assert count["same"] == sum(min(would.count(one), did.count(one)) for one in "123")
    assert count["same"] + count["different"] + count["extra"] == len(would)
    assert count["same"] + count["different"] + count["missing"] == len(did)
    assert not (count["missing"] and count["extra"])
    assert bool(found.comparison.differs) is (sorted(would) != sorted(did))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"key": "sku"}, "no such input field"),
        ({"match": "sku"}, "ticket.triage@1 has no such input field"),
        ({"when": {"status": "B"}}, "no such place"),
        ({"operation": "refund.take@1"}, "refund.take@1"),
    ],
)
def test_what_does_not_fit_is_refused(load, rules, changed, says):
    wrong = msgspec.structs.replace(rules, **changed)
    with pytest.raises(ConfigError, match=says):
        load(refund=wrong)


@pytest.mark.parametrize("wrong", [{"source": "s"}, {"source": "s", "mapping": "m"}, {"within": 0}])
def test_settings_that_say_too_little(wrong):
    with pytest.raises(ValueError, match="source and mapping|key must|within must"):
        EffectRules(operation="refund.post@1", **wrong)
