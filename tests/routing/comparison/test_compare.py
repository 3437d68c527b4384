"""Two answers held against each other, and who was right."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.model import Request
from stranglerfig.routing.adjudication.golden import Golden
from stranglerfig.routing.comparison.compare import compare, unit_of

FIELDS = ("category", "priority")
REQUEST = Request(
    id="r", operation="o", version=1, source="s", payload={"text": "hello", "customer": "C"}
)


@pytest.fixture
def judged(made):
    def judge(legacy, replacement, label=None, fields=FIELDS, noisy=(), **tables):
        golden = None if label is None else Golden(("text",), {("hello",): label})
        endpoint = made(fields, golden=golden, **tables)
        return compare(
            endpoint,
            REQUEST,
            revision="r1",
            legacy=legacy,
            replacement=replacement,
            noisy=noisy,
        )

    return judge


A = {"category": "a", "priority": "low"}
B = {"category": "b", "priority": "low"}
BOTH = {"category": "b", "priority": "high"}


@pytest.mark.parametrize(
    ("legacy", "replacement", "label", "winner", "by"),
    [
        (A, A, None, "both", "agreement"),
        (A, B, None, "open", "none"),
        (A, A, {"category": "a"}, "both", "golden"),
        (A, B, {"category": "a"}, "legacy", "golden"),
        (A, B, {"category": "b"}, "replacement", "golden"),
        (A, B, {"category": "c"}, "neither", "golden"),
        (A, A, {"category": "c"}, "neither", "golden"),
        (A, BOTH, {"category": "b"}, "open", "none"),
        (A, BOTH, {"category": "b", "priority": "high"}, "replacement", "golden"),
        (A, BOTH, {"category": "b", "priority": "low"}, "neither", "golden"),
        (A, B, {"amount": "1"}, "open", "none"),
        (A, A, {"amount": "1"}, "both", "agreement"),
    ],
)
def test_who_was_right(judged, legacy, replacement, label, winner, by):
    found = judged(legacy, replacement, label)
    assert (found.winner, found.by) == (winner, by)
    assert found.differs == tuple(n for n in FIELDS if legacy[n] != replacement[n])


def test_only_the_named_fields_are_held_against_each_other(judged):
    found = judged({**A, "note": 1}, {**A, "note": 2})
    assert (found.winner, found.differs) == ("both", ())
    assert found.legacy == A
    every = judged({**A, "note": 1}, {**A, "note": 2}, fields=())
    assert every.differs == ("note",)


def test_an_answer_without_the_field_differs(judged):
    assert judged(A, {"category": "a"}).differs == ("priority",)


def test_labels_are_text_and_values_are_not(judged):
    found = judged({"count": 7}, {"count": 8}, {"count": "7"}, fields=("count",))
    assert found.winner == "legacy"


def test_the_comparison_names_request_revision_and_unit(judged):
    found = judged(A, B, {"category": "a"})
    named = (found.request_id, found.endpoint, found.revision, found.unit)
    assert named == ("r", "e", "r1", unit_of(REQUEST.payload, Golden(("text",), {("hello",): A})))
    assert found.golden == {"category": "a"}


values = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.decimals(-9, 9)
payloads = st.dictionaries(st.text(max_size=5), values, max_size=5)


@given(payloads)
def test_a_unit_is_the_input_whatever_the_order_of_its_fields(payload):
    again = dict(reversed(payload.items()))
    assert unit_of(payload) == unit_of(again)
    assert len(unit_of(payload)) == 32


@given(payloads, payloads)
def test_other_inputs_are_other_units(one, other):
    if {k: repr(v) for k, v in one.items()} != {k: repr(v) for k, v in other.items()}:
        texts = [{k: str(v) for k, v in p.items()} for p in (one, other)]
        assert unit_of(one) != unit_of(other) or texts[0] == texts[1]
