"""Rules, pins, testers' headers and the percent: who decides before whom."""

import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.errors import ConfigError
from stranglerfig.model import Data, Record, Request, Route, Side, Stage
from stranglerfig.route_settings import Rule
from stranglerfig.routing.override import HEADER, Override, sign
from stranglerfig.routing.router import Router, decide
from stranglerfig.routing.rules import compile_rules

KEY = b"a key of the test's own"


def request(key="k1", *, headers=(), context=None, **payload):
    record = Record(source="s", position="1", kind="soap", body=b"", headers=tuple(headers))
    return Request(
        id="1",
        operation="o",
        version=1,
        source="s",
        payload=payload,
        key=key,
        context=context or {},
        record=record,
    )


def rule(side="replacement", **when):
    return Rule(when={name.replace("__", "."): texts for name, texts in when.items()}, side=side)


def route(stage=Stage.CANARY, percent=0.0, **more):
    return Route(endpoint="e", stage=stage, percent=percent, salt="s", **more)


def test_a_rule_holds_where_all_its_places_have_one_of_their_texts():
    rules = compile_rules([rule(payload__agency=("north", "south"), header__X_Channel="web")], "p")
    web = [("x_channel", "web")]
    assert rules.side(request(agency="south", headers=web)) == (Side.REPLACEMENT, 1)
    assert rules.side(request(agency="south")) is None
    assert rules.side(request(agency="east", headers=web)) is None
    assert rules.side(request(headers=web)) is None


def test_the_first_rule_that_holds_decides():
    rules = compile_rules([rule("legacy", key="vip"), rule(tenant="")], "p")
    assert rules.side(request("vip")) == (Side.LEGACY, 1)
    assert rules.side(request("other")) == (Side.REPLACEMENT, 2)


def test_places_lead_into_nested_fields_callers_and_numbers():
    rules = compile_rules([rule(payload__a__b="7", caller__dn="CN=ada")], "p", frozenset({"a"}))
    assert rules.side(request(a={"b": 7}, context={"dn": "CN=ada"})) == (Side.REPLACEMENT, 1)
    assert rules.side(request(a={"b": None}, context={"dn": "CN=ada"})) is None
    assert rules.side(request(a=7, context={"dn": "CN=ada"})) is None
    assert rules.side(request(a={"b": 7})) is None


TEXTS = st.sampled_from(["a", "b", "c"])
WHEN = st.dictionaries(
    st.sampled_from(["key", "tenant", "payload.x"]), st.lists(TEXTS, min_size=1).map(tuple)
)


@given(st.lists(st.tuples(WHEN, st.sampled_from(Side))), TEXTS, TEXTS, TEXTS | st.none())
def test_rules_say_what_looking_at_one_after_the_other_says(given_rules, key, tenant, x):
    rules = compile_rules([Rule(when=when, side=side.value) for when, side in given_rules], "p")
    found = {"key": key, "tenant": tenant, "payload.x": x}
    asked = msgspec.structs.replace(request(key, x=x), tenant=tenant)
    first = next(
        (
            (side, number)
            for number, (when, side) in enumerate(given_rules, 1)
            if all(found[at] in texts for at, texts in when.items())
        ),
        None,
    )
    assert rules.side(asked) == first


@pytest.mark.parametrize("at", ["payload", "payload.", "body.x", "caller", "", "payload.nowhere"])
def test_a_place_that_nothing_can_be_read_from_is_refused(at):
    with pytest.raises(ConfigError) as caught:
        compile_rules([rule(key="k"), Rule(when={at: "x"})], "endpoint.e.rules", frozenset({"a"}))
    assert caught.value.place == "endpoint.e.rules[1].when"


def router(*rules, key=KEY, effect="read"):
    return Router(compile_rules(rules, "p"), Override(key), effect)


def signed(side="replacement", endpoint="e", seconds=60.0, key=KEY):
    return [(HEADER, sign(key, Side(side), endpoint, time.time() + seconds))]


def test_the_order_is_killed_header_pin_rule_percent():
    one = router(rule("legacy", payload__agency="north"))
    asked = request(agency="north", headers=signed())
    pinned = {"k1": Side.REPLACEMENT}
    steps = [
        (one.decide(route(percent=100, killed=True, pins=pinned), asked), "legacy", "killed"),
        (one.decide(route(percent=0), asked), "replacement", "override"),
        (one.decide(route(percent=0, pins=pinned), request(agency="north")), "replacement", "pin"),
        (one.decide(route(percent=100), request(agency="north")), "legacy", "rule 1"),
        (one.decide(route(percent=100), request(agency="south")), "replacement", "percent"),
    ]
    for decision, side, by in steps:
        assert (decision.side, decision.rule) == (side, by)


@pytest.mark.parametrize("stage", [Stage.LEGACY, Stage.SHADOW, Stage.RETIRED])
def test_where_keys_do_not_differ_pins_and_rules_decide_nothing(stage):
    one = router(rule("legacy", key="k1"), rule(key="k2"))
    pins = {"k3": Side.LEGACY, "k4": Side.REPLACEMENT}
    for key in ("k1", "k2", "k3", "k4"):
        found = one.decide(route(stage, pins=pins), request(key))
        assert found == decide(route(stage), key)
        assert found.rule == "stage"


def test_live_keeps_a_pinned_key_at_legacy():
    assert decide(route(Stage.LIVE, pins={"k": Side.LEGACY}), "k").side is Side.LEGACY
    assert decide(route(Stage.LIVE, pins={"k": Side.LEGACY}), "j").side is Side.REPLACEMENT


@pytest.mark.parametrize(
    "headers",
    [
        [(HEADER, "replacement")],
        [(HEADER, "replacement.e.9999999999.")],
        [(HEADER, "replacement.e.9999999999." + "0" * 64)],
        signed(key=b"another key"),
        signed(seconds=-1),
        signed(seconds=90 * 86_400),
        signed(endpoint="other"),
        [(HEADER, signed()[0][1].replace("replacement", "legacy"))],
        [(HEADER, "é.é.é.é")],
    ],
)
def test_a_header_that_is_not_genuine_decides_nothing(headers):
    found = router().decide(route(percent=0), request(headers=headers))
    assert (found.side, found.rule) == (Side.LEGACY, "percent")


def test_without_a_key_no_header_is_genuine():
    assert not Override().is_genuine(signed(key=b"")[0][1])


@pytest.mark.parametrize(
    ("stage", "effect", "side"),
    [
        (Stage.LEGACY, "read", None),
        (Stage.SHADOW, "read", "replacement"),
        (Stage.SHADOW, "idempotent", None),
        (Stage.CANARY, "idempotent", "replacement"),
        (Stage.LIVE, "read", "replacement"),
        (Stage.RETIRED, "read", None),
    ],
)
def test_where_a_tester_may_choose(stage, effect, side):
    found = router(effect=effect).decide(route(stage), request(headers=signed()))
    assert (found.rule == "override") is (side is not None)


def test_a_tester_reaches_no_store_that_lags():
    one = route(Stage.LIVE, data=Data.REPLACEMENT_FIRST)
    assert router().decide(one, request(headers=signed("legacy"))).side is Side.REPLACEMENT
