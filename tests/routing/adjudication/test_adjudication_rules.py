"""Rules that say which side is right, and in which order who decides."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from stranglerfig.errors import ConfigError
from stranglerfig.model import Request
from stranglerfig.route_settings import AdjudicationRules, Compared
from stranglerfig.routing.adjudication.golden import Golden
from stranglerfig.routing.comparison.compare import compare, compare_labelled

FUNCTIONS = "py:stranglerfig.tests.routing.comparison.comparers:"
OLD = {"category": "refund", "priority": "normal", "score": Decimal("0.67")}
NEW = {"category": "quote", "priority": "normal", "score": Decimal("0.67")}


@pytest.fixture
def judged(endpoint):
    def judge(old=OLD, new=NEW, *, channel="mail", label=None, comparison=None, **adjudication):
        config = msgspec.structs.replace(
            endpoint.config,
            compare=(),
            comparison=msgspec.convert(comparison or {}, Compared),
            adjudication=msgspec.convert(adjudication, AdjudicationRules),
        )
        golden = None if label is None else Golden(("text",), {("hello",): label})
        made = type(endpoint)(
            config=config, operation=endpoint.operation, mapping=endpoint.mapping, golden=golden
        )
        payload = {"text": "hello", "customer": "C", "channel": channel}
        request = Request(id="r", operation="o", version=1, source="s", payload=payload)
        return compare(made, request, revision="v", legacy=old, replacement=new)

    return judge


PHONE = {"right": "replacement", "when": {"request.channel": ["phone", "app"]}, "why": "calls"}


def test_a_table_decides_where_all_of_it_holds(judged):
    found = judged(channel="phone", rules=[PHONE])
    assert (found.winner, found.by, found.why) == ("replacement", "rule", "calls")
    assert judged(channel="mail", rules=[PHONE]).winner == "open"
    both = {**PHONE, "when": {"request.channel": "phone", "legacy.category": "quote"}}
    assert judged(channel="phone", rules=[both]).winner == "open"
    sides = {"right": "legacy", "when": {"legacy.category": "*", "replacement.score": "0.67"}}
    assert judged(rules=[sides]).winner == "legacy"
    assert judged(rules=[{"right": "both"}]).winner == "both"


def test_only_where_nothing_else_differs(judged):
    rule = {"right": "both", "fields": ["category"]}
    assert judged(rules=[rule]).winner == "both"
    assert judged(new={**NEW, "priority": "high"}, rules=[rule]).winner == "open"


def test_the_first_rule_that_says_something_decides(judged):
    rules = [PHONE, {"right": "neither"}]
    assert judged(channel="phone", rules=rules).winner == "replacement"
    assert judged(channel="mail", rules=rules).winner == "neither"


def test_a_function_decides_or_does_not(judged):
    found = judged(channel="vip", rules=[{"function": FUNCTIONS + "vip_is_right"}])
    assert (found.winner, found.by) == ("replacement", "rule")
    assert judged(rules=[{"function": FUNCTIONS + "vip_is_right"}]).winner == "open"


def test_a_rule_that_fails_decides_nothing_and_says_so(judged):
    rules = [{"function": FUNCTIONS + "rule_raises"}, {"right": "legacy"}]
    found = judged(rules=rules)
    assert (found.winner, found.by) == ("open", "none"), "the next one is no stand-in for it"
    assert "adjudication.rules[0] failed" in found.why
    assert "Anna" not in found.why


def test_labels_and_rules_decide_in_the_order_that_is_configured(judged):
    label = {"category": "quote", "priority": "normal", "score": "0.67"}
    rule = {"right": "legacy"}
    assert judged(label=label, rules=[rule]).by == "golden"
    assert judged(label=label, rules=[rule], order=["rule", "golden"]).by == "rule"
    assert judged(label=label, order=["people"]).winner == "open"
    assert judged(new=OLD, rules=[rule]).by == "agreement", "a rule decides differences only"


def test_a_label_is_held_against_the_answers_as_they_are_against_each_other(judged):
    near = {"fields": {"score": {"within": "0.05"}}}
    label = {"score": "0.70"}
    new = {**OLD, "score": Decimal("0.90")}
    assert judged(new=new, label=label, comparison=near).winner == "legacy"
    assert judged(new=new, label=label).winner == "neither"


def test_where_the_request_is_gone_what_asks_for_it_says_nothing(endpoint):
    said = msgspec.convert({"rules": [PHONE]}, AdjudicationRules)
    config = msgspec.structs.replace(endpoint.config, adjudication=said)
    made = type(endpoint)(config=config, operation=endpoint.operation, mapping=endpoint.mapping)
    found = compare_labelled(
        made, "r", revision="v", unit="u", legacy=OLD, replacement=NEW, label=None
    )
    assert found.winner == "open"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({}, "either 'right' or 'function'"),
        ({"right": "legacy", "function": FUNCTIONS + "vip_is_right"}, "either 'right' or"),
        ({"right": "legacy", "when": {"request.chanel": "x"}}, "did you mean 'channel'"),
        ({"right": "legacy", "when": {"reply.category": "x"}}, "legacy.FIELD"),
        ({"right": "legacy", "when": {"legacy.channel": "x"}}, "no such single field"),
        ({"right": "legacy", "fields": ["catgory"]}, "did you mean 'category'"),
        ({"function": "py:nowhere:f"}, "cannot import"),
        ({"function": "f"}, "py:package"),
    ],
)
def test_a_rule_that_does_not_fit_is_refused_with_its_place(judged, rule, words):
    with pytest.raises(ConfigError) as refused:
        judged(rules=[rule])
    assert words in str(refused.value)
    assert refused.value.place.startswith("endpoint.triage.adjudication.rules[0]")
