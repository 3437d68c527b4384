"""What the journal holds of a comparison."""

from __future__ import annotations

from decimal import Decimal

import pytest

from stranglerfig.acl.masking.compile import compile_mask
from stranglerfig.acl.masking.policy import DEFAULT, parse_policy
from stranglerfig.acl.operations.contract import Contract
from stranglerfig.acl.operations.field import Field
from stranglerfig.model import Comparison
from stranglerfig.routing.journalled import as_it_is, journalled, keeping

CONTRACT = Contract(
    "claim@1 output",
    (
        Field(name="category", type="text"),
        Field(name="score", type="decimal"),
        Field(name="customer.name", type="text", tag="pii.name"),
        Field(name="customer.since", type="date", tag="none"),
        Field(name="age", type="integer", tag="pii.age"),
    ),
)


def comparison(**changed):
    side = {"category": "a", "score": 1, "customer": {"name": "Anna"}, "age": 40}
    fields = {
        "request_id": "r",
        "endpoint": "e",
        "revision": "v",
        "unit": "u",
        "winner": "open",
        "by": "none",
        "differs": ("age", "dotted.name"),
        "legacy": {**side, "dotted.name": None},
        "replacement": {**side, "category": {"odd": ["Anna's"]}, "score": Decimal("1.50")},
        "golden": {"category": "a", "age": "40"},
    }
    return Comparison(**{**fields, **changed})


def test_tagged_fields_are_masked_and_all_others_are_untouched():
    before = comparison()
    found = journalled(compile_mask(CONTRACT, DEFAULT, "log"))(before)
    masked = {"customer": {"name": "⟦name⟧"}, "age": None}
    assert found.legacy == {**before.legacy, **masked}
    assert found.replacement == {**before.replacement, **masked}
    assert found.golden == {"category": "a", "age": None}
    assert list(found.legacy) == list(before.legacy)
    assert (found.winner, found.differs, found.unit) == ("open", before.differs, "u")


def test_without_labels_there_are_none():
    found = journalled(compile_mask(CONTRACT, DEFAULT, "log"))(comparison(golden=None))
    assert found.golden is None


def test_where_nothing_is_tagged_nothing_is_done():
    contract = Contract("x@1 output", (Field(name="category", type="text"),))
    one = comparison()
    assert journalled(compile_mask(contract, DEFAULT, "log"))(one) is one


@pytest.mark.parametrize("action", ["redact", "drop"])
def test_the_policy_for_the_log_may_be_stricter(action):
    contract = Contract("x@1 output", (Field(name="category", type="text", required=False),))
    policy = parse_policy({"log": {"untagged": action}}, "masking")
    found = journalled(compile_mask(contract, policy, "log"))(comparison())
    assert found.legacy["category"] in (None, "⟦value⟧")


def test_a_request_that_nobody_masked_is_not_journalled():
    one = comparison(request={"text": "Anna"}, sealed={"request": "x"})
    assert as_it_is(one).request is None
    assert as_it_is(one).sealed == {}
    assert as_it_is(comparison()) == comparison()


def test_a_request_is_kept_as_the_log_may_hold_it():
    kept = keeping(compile_mask(CONTRACT, DEFAULT, "log"))({"category": "a", "age": 40})
    assert (kept.request, kept.sealed) == ({"category": "a", "age": None}, {})


def test_both_answers_of_an_open_difference_are_sealed_and_of_no_other():
    def seal(what, payload):
        return f"{what} {sorted(payload)}"

    change = journalled(compile_mask(CONTRACT, DEFAULT, "log"), seal)
    found = change(comparison(sealed={"request": "r"}))
    assert set(found.sealed) == {"request", "legacy", "replacement"}
    assert found.sealed["legacy"].startswith("answer")
    assert change(comparison(winner="both")).sealed == {}
