"""How a table differs from what was agreed on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.adapters.capture.dialect import Shape
from stranglerfig.adapters.capture.drift import drift, drifted
from stranglerfig.errors import SchemaDrift


def shape(columns: dict[str, str], key: tuple[str, ...] = (), every: tuple[str, ...] = ()) -> Shape:
    return Shape(
        table="t", columns=tuple(columns.items()), key=key, all_columns=every or tuple(columns)
    )


def test_each_kind_of_difference_is_told_by_its_column():
    recorded = shape({"id": "int", "name": "varchar(20)", "gone": "date"}, ("id",))
    present = shape({"id": "int", "name": "varchar(40)", "new": "text"}, ("id", "name"))
    found = drift(recorded, present)
    assert {(one.kind, one.column) for one in found} == {
        ("type", "name"),
        ("removed", "gone"),
        ("key", ""),
        ("added", "new"),
    }
    assert [str(one) for one in found if one.kind == "type"] == [
        "column name was varchar(20), is varchar(40)"
    ]
    assert {one.kind for one in found if not one.breaks} == {"added"}


def test_columns_that_are_not_captured_may_come_and_go():
    recorded = shape({"id": "int"}, ("id",), ("id", "other"))
    assert drift(recorded, shape({"id": "int", "other": "text"}, ("id",))) == []
    assert drift(recorded, shape({"id": "int"}, ("id",))) == []
    assert drift(recorded, shape({"id": "int", "other": "date"}, ("id",))) == []


def test_the_error_says_what_to_look_at():
    differences = drift(shape({"a": "int"}), shape({"a": "text"}))
    error = drifted(differences, place="db: t", source="orders")
    assert isinstance(error, SchemaDrift)
    assert "column a was int, is text" in error.value
    assert "fig adapter install orders" in error.remedy


columns = st.dictionaries(st.text(max_size=5), st.sampled_from(["int", "text", "date"]), max_size=6)


@given(columns, columns)
def test_nothing_differs_exactly_where_all_is_the_same(before, after):
    found = drift(shape(before), shape(after))
    assert (found == []) == (before == after)
    assert {one.column for one in found} == {
        name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
    }
