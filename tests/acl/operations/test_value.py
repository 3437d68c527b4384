"""Values and their canonical text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.acl.operations.value import from_text, is_json, read, to_text

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda one: timezone(timedelta(minutes=one)))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda one: st.lists(one | st.none(), max_size=3) | st.dictionaries(TEXTS, one, max_size=3),
)
VALUES = st.one_of(
    st.tuples(st.just("text"), TEXTS),
    st.tuples(st.just("integer"), st.integers(-(10**50), 10**50)),
    st.tuples(st.just("decimal"), st.decimals(allow_nan=False, allow_infinity=False)),
    st.tuples(st.just("boolean"), st.booleans()),
    st.tuples(st.just("date"), st.dates()),
    st.tuples(st.just("time"), st.times()),
    st.tuples(st.just("timestamp"), st.datetimes() | st.datetimes(timezones=ZONES)),
    st.tuples(st.just("duration"), st.timedeltas()),
    st.tuples(st.just("bytes"), st.binary()),
)


@given(VALUES)
def test_a_text_comes_back_as_its_value(pair):
    kind, value = pair
    try:
        text = to_text(value)
    except ValueError:
        assert kind == "decimal"
        assert abs(value.adjusted()) >= 4000
        return
    assert from_text(kind, text) == value
    assert to_text(from_text(kind, text)) == text


@given(JSON.filter(lambda one: type(one) in (list, dict)))
def test_json_comes_back_with_every_digit(value):
    assert is_json(value)
    again = from_text("json", to_text(value))
    assert again == value
    # A decimal without a fraction comes back as an integer: JSON does not tell them apart.
    assert to_text(again) == to_text(value)


@given(st.sampled_from(["integer", "decimal", "boolean", "date", "time", "timestamp", "duration", "bytes", "json"]), st.text(max_size=30))  # fmt: skip
def test_any_text_is_read_or_refused(kind, text):
    try:
        value = from_text(kind, text)
    except ValueError:
        return
    assert value is not None or kind == "json"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("integer", "+1"), ("integer", "01"), ("integer", "1.0"), ("integer", "١"), ("integer", "-0"),
        ("decimal", "1e3"), ("decimal", "NaN"), ("decimal", ".5"), ("decimal", "1."), ("decimal", "1_0"),
        ("boolean", "True"), ("boolean", "1"), ("date", "20240101"), ("date", "2024-02-30"),
        ("time", "24:00:00"), ("timestamp", "2024-01-01"), ("duration", "1 day"), ("bytes", "a"),
        ("json", "{"), ("json", "[" * 10**6), ("integer", "9" * 10**6),
    ],
)  # fmt: skip
def test_what_has_another_form_is_refused_with_what_was_expected(kind, text):
    with pytest.raises(ValueError) as caught:
        from_text(kind, text)
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize(
    "value", [1.5, object(), Decimal("NaN"), Decimal("1e999999"), {1: 2}, (1,)]
)
def test_what_no_payload_holds_has_no_text(value):
    with pytest.raises(ValueError):
        to_text(value)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("decimal", 0.1, Decimal("0.1")),
        ("decimal", "12.50", Decimal("12.50")),
        ("decimal", 1e22, Decimal(10**22)),
        ("decimal", float("inf"), None),
        ("decimal", True, None),
        ("integer", True, None),
        ("integer", "1", None),
        ("boolean", "true", None),
        ("duration", "PT90S", timedelta(seconds=90)),
        ("bytes", "YWI=", b"ab"),
        ("timestamp", datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC)),
        ("date", datetime(2024, 1, 1, tzinfo=UTC), None),
        ("json", {"a": [0.5]}, {"a": [Decimal("0.5")]}),
        ("json", float("nan"), None),
    ],
)
def test_values_of_toml_become_those_of_the_type(kind, value, expected):
    assert read(kind, value) == expected
