from __future__ import annotations

import datetime as dt
import decimal
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.store import Line
from stranglerfig.store.link import GENESIS, digest, encode, link, row, seal

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10
)


@given(st.dictionaries(st.text(), values))
def test_data_is_written_as_json_and_read_back(data):
    assert json.loads(encode(data)) == json.loads(json.dumps(data, allow_nan=True))


@pytest.mark.parametrize(
    "data",
    [
        {"cut": "\ud800"},
        {"big": 10**400},
        {"none": float("nan")},
        {"odd": object()},
        {object(): 1},
        {"raw": b"\xff", "money": decimal.Decimal("1.10"), "day": dt.date(2024, 2, 29)},
    ],
)
def test_whatever_a_line_holds_it_is_json(data):
    assert isinstance(json.loads(encode(data)), dict)


def test_money_keeps_its_digits():
    assert json.loads(encode({"money": decimal.Decimal("1.10")})) == {"money": "1.10"}


def test_data_that_holds_itself_does_not_end_a_request():
    data = {}
    data["self"] = data
    assert isinstance(json.loads(encode(data)), dict)


def linked(fields, previous=GENESIS):
    return link(previous, seal(*fields[:5], digest(fields[5])))


def test_every_field_counts_in_the_link():
    line = (1.5, "request", "e", "r", "v", "{}")
    links = {linked(line), linked(line, "f" * 64)}
    for place in range(6):
        changed = list(line)
        changed[place] = 2.5 if place == 0 else changed[place] + "x"
        links.add(linked(changed))
    assert len(links) == 8


def test_text_cannot_move_from_one_field_to_the_next():
    assert linked((1.0, "a", "b", "", "", "")) != linked((1.0, "ab", "", "", "", ""))


def test_a_row_carries_its_seal():
    *fields, sealed = row(Line(kind="note", at=2.0, data={"a": 1}))
    assert sealed == seal(*fields[:5], digest(fields[5]))


def test_a_field_that_is_not_text_is_refused():
    with pytest.raises(TypeError, match="are text"):
        row(Line(kind="request", endpoint=None))
