"""Payloads in the store come back as what they were."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.errors import StoreError
from stranglerfig.routing.payloads import dumps, loads

TEXT = st.text(st.characters(codec="utf-8"))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.dates()
    | st.datetimes(timezones=st.none() | st.just(dt.UTC)).map(lambda at: at.replace(fold=0))
    | st.times().map(lambda at: at.replace(fold=0))
    | st.timedeltas()
    | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(TEXT | st.just("$decimal"), inner),
    max_leaves=8,
)


@given(VALUES)
def test_whatever_a_payload_holds_is_read_back_as_it_was(value):
    again = loads(dumps(value))
    assert again == value
    assert repr(again) == repr(value), "1.50 stays 1.50, and True is not 1"


@pytest.mark.parametrize("name", ["$decimal", "$$decimal", "$", "$no mark of ours"])
def test_a_name_that_looks_like_a_mark_is_a_name(name):
    assert loads(dumps({name: "1"})) == {name: "1"}


def test_what_no_payload_holds_is_refused():
    with pytest.raises(StoreError, match="cannot"):
        dumps({"a": object()})


@pytest.mark.parametrize("text", ["", "{", '{"$decimal": "x"}', '{"$date": "13"}'])
def test_what_we_did_not_write_is_refused(text):
    with pytest.raises(StoreError):
        loads(text)
