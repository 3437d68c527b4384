"""Two answers merged into one: by rule, by the key of rows, and where a side has none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.acl.operations.operation import parse_operation
from stranglerfig.answer_settings import Blend
from stranglerfig.errors import ConfigError
from stranglerfig.routing.blend import compile_blend

TEXT = {"type": "text"}
OUTPUT = {
    "name": TEXT,
    "balance": {"type": "integer"},
    "whole": {"type": "boolean"},
    "address.city": TEXT,
    "address.street": TEXT,
    "orders[].id": TEXT,
    "orders[].state": TEXT,
    "orders[].note": TEXT,
    "tags[]": TEXT,
}
CONTRACT = parse_operation(
    {"name": "customer.show", "version": 1, "effect": "read", "output": OUTPUT}, "test"
).output


def blending(**settings):
    return compile_blend(Blend(**settings), CONTRACT, "endpoint.show")


def largest(one, other):
    return max(one, other)


def row(ident, state="open", note=None):
    return {"id": ident, "state": state, "note": note}


def test_the_preferred_side_says_what_no_rule_does():
    old, new = {"name": "A", "tags": ["x"]}, {"name": "B", "tags": ["y"]}
    assert blending().merge(old, new) == new
    assert blending(prefer="legacy").merge(old, new) == old


def test_fields_by_rule():
    rules = {
        "name": "legacy",
        "balance": f"py:{__name__}:largest",
        "address.city": "first-not-null",
        "orders": "replacement",
    }
    old = {"name": "A", "balance": 7, "address": {"city": "Rome", "street": "old"}, "orders": []}
    new = {"name": "B", "balance": 5, "address": {"city": None, "street": "new"}, "orders": [1]}
    assert blending(fields=rules).merge(old, new) == {
        "name": "A",
        "balance": 7,
        "address": {"city": "Rome", "street": "new"},
        "orders": [1],
    }


def test_rows_are_matched_by_key_and_none_is_lost():
    merge = blending(lists={"orders[]": "id"}, fields={"orders[].note": "legacy"}).merge
    old = {"orders": [row("1", note="kept"), row("2", "closed"), row("2", "again")]}
    new = {"orders": [row("2", "open", "gone"), row("3"), row("1", "paid", "gone")]}
    assert merge(old, new) == {
        "orders": [
            row("2", "open"),
            {**row("3"), "note": None},
            row("1", "paid", "kept"),
            row("2", "again"),
        ]
    }


def test_rows_without_a_key_are_nobodys_other():
    merge = blending(lists={"orders": ("id", "state")}).merge
    merged = merge({"orders": [row(None), row(None)]}, {"orders": [row(None)]})
    assert len(merged["orders"]) == 3


def test_without_a_side_only_what_is_its_alone_is_missing():
    blend = blending(
        prefer="legacy",
        fields={"name": "legacy", "balance": f"py:{__name__}:largest"},
        lists={"orders": "id"},
        partial="whole",
    )
    answer = {
        "name": "B",
        "balance": 5,
        "address": {"city": "Rome"},
        "orders": [row("1")],
        "whole": False,
    }
    assert blend.merge(None, answer) == {**answer, "name": None, "whole": True}
    assert blend.merge(answer, None) == {**answer, "whole": True}
    assert blend.merge(answer, answer) == answer


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"fields": {"nam": "legacy"}}, "did you mean 'name'"),
        ({"fields": {"name": "newest"}}, "first-not-null"),
        ({"fields": {"name": "py:stranglerfig.model:Nobody"}}, "Nobody"),
        ({"lists": {"name": "id"}}, "no list of rows"),
        ({"lists": {"orders": "sku"}}, "'sku'.*one of id, state, note"),
        ({"partial": "name"}, "a boolean field"),
    ],
)
def test_what_does_not_fit_the_contract_is_refused(settings, says):
    with pytest.raises(ConfigError) as caught:
        blending(**settings)
    import re

    assert re.search(says, str(caught.value))
    assert str(caught.value).startswith("endpoint.show.blend")


orders = st.lists(
    st.builds(
        row, st.one_of(st.none(), st.sampled_from("abc")), st.sampled_from(["open", "closed"])
    ),
    max_size=6,
)


@given(orders, orders, st.sampled_from(["legacy", "replacement"]))
def test_merging_loses_no_row_and_doubles_none(old, new, prefer):
    merged = blending(lists={"orders": "id"}, prefer=prefer).merge(
        {"orders": old}, {"orders": new}
    )["orders"]

    def keys(rows):
        return [one["id"] for one in rows]

    for key in "abc":
        most = max(keys(old).count(key), keys(new).count(key))
        assert keys(merged).count(key) == most
    assert keys(merged).count(None) == keys(old).count(None) + keys(new).count(None)
    leading = old if prefer == "legacy" else new
    assert merged[: len(leading)] == leading


@given(orders)
def test_merging_an_answer_with_itself_changes_nothing(rows):
    keyed = [one for one in rows if one["id"] is not None]
    merge = blending(lists={"orders": "id"}).merge
    assert merge({"orders": keyed}, {"orders": keyed}) == {"orders": keyed}
