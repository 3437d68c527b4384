"""The JSON Schema of a contract says what our own check says."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from stranglerfig.acl.operations.contract import Contract
from stranglerfig.acl.operations.field import Field
from stranglerfig.acl.operations.operation import parse_operation
from stranglerfig.acl.operations.schema import DIALECT, json_schema

TEXT = """
name = "order.check"
version = 1
effect = "read"

[input."customer.id"]
type = "text"
max_length = 3
tag = "pii.id"
description = "Who asks"
[input."customer.kind"]
type = "text"
enum = ["person", "firm"]
required = false
[input.address]
type = "group"
required = false
description = "Where it goes"
[input.address.city]
type = "text"
[input."lines[]"]
type = "group"
min_items = 1
max_items = 2
[input."lines[].amount"]
type = "decimal"
min = "0.10"
max = "9999999999999999.99"
unit = "EUR"
[input."lines[].count"]
type = "integer"
min = 1
max = 12
required = false
[input."lines[].parts[].size"]
type = "decimal"
enum = ["0.5", "1"]
[input."tags[]"]
type = "text"
required = false
max_items = 2
[input."days[]"]
type = "date"
required = false
[input.flag]
type = "boolean"
required = false
[input.at]
type = "time"
required = false
[input.stamp]
type = "timestamp"
required = false
min = 2000-01-01T00:00:00Z
[input.local]
type = "timestamp"
zone = "none"
required = false
[input.wait]
type = "duration"
required = false
[input.scan]
type = "bytes"
required = false
[input.rest]
type = "json"
required = false
"""
CONTRACT = parse_operation(tomllib.loads(TEXT), "order.check@1.toml").input
SCHEMA = json_schema(CONTRACT)
VALIDATOR = Draft202012Validator(SCHEMA)


def test_it_is_a_schema_of_2020_12_and_plain_json():
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == DIALECT == Draft202012Validator.META_SCHEMA["$id"]
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    assert "$schema" not in json_schema(CONTRACT, dialect=False)


def test_it_says_what_the_operation_says():
    properties = SCHEMA["properties"]
    identity = properties["customer"]["properties"]["id"]
    assert identity == {
        "type": "string",
        "maxLength": 3,
        "x-tag": "pii.id",
        "description": "Who asks",
    }
    assert properties["customer"]["properties"]["kind"]["enum"] == ["person", "firm", None]
    assert properties["address"]["description"] == "Where it goes"
    assert properties["address"]["type"] == ["object", "null"]
    amount = properties["lines"]["items"]["properties"]["amount"]
    assert amount["minimum"] == 0.1
    assert amount["x-unit"] == "EUR"
    # No float is that bound: the schema is a little wider, never narrower.
    assert 9999999999999999.99 <= amount["maximum"] <= 10**16
    assert properties["stamp"]["format"] == "date-time"
    assert properties["stamp"]["x-minimum"] == "2000-01-01T00:00:00Z"
    assert properties["scan"]["contentEncoding"] == "base64"
    assert SCHEMA["required"] == ["customer", "lines"]


NUMBERS = st.decimals("0.11", 12, places=2)
ZONED = st.datetimes(datetime.fromisoformat("2000-01-02T00:00:00")).map(
    lambda one: one.replace(tzinfo=timezone(timedelta(hours=one.hour - 12, minutes=one.minute)))
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=3)
JSON = st.recursive(
    TEXTS | NUMBERS | st.booleans(),
    lambda one: st.lists(one | st.none(), max_size=2) | st.dictionaries(TEXTS, one, max_size=2),
)
PARTS = st.fixed_dictionaries({"size": st.sampled_from([Decimal("0.5"), 1])})
LINES = st.fixed_dictionaries(
    {"amount": NUMBERS | st.integers(1, 9), "parts": st.lists(PARTS, max_size=2)},
    optional={"count": st.integers(1, 12) | st.none()},
)
KINDS = st.sampled_from(["person", "firm", None])
FITTING = st.fixed_dictionaries(
    {
        "customer": st.fixed_dictionaries({"id": TEXTS}, optional={"kind": KINDS}),
        "lines": st.lists(LINES, min_size=1, max_size=2),
    },
    optional={
        "address": st.none() | st.fixed_dictionaries({"city": TEXTS}),
        "tags": st.none() | st.lists(TEXTS, max_size=2),
        "days": st.lists(st.dates(), max_size=3),
        "flag": st.none() | st.booleans(),
        "at": st.times(),
        "stamp": ZONED,
        "local": st.datetimes(),
        "wait": st.timedeltas(timedelta(days=-400), timedelta(days=4000)),
        "scan": st.binary(max_size=6),
        "rest": st.none() | JSON,
    },
)
# None of these is, in JSON, what a field of another type may be: a str for a date is not here.
SPOILT = st.sampled_from([None, True, -1, 13, Decimal("0.07"), "longer", [], {}, [1], {"a": 1}])


@st.composite
def payloads(draw: st.DrawFn) -> object:
    """Give a payload that fits, or one with something spoilt somewhere in it."""
    payload = draw(FITTING)
    if draw(st.booleans()):
        return payload
    place: dict[object, object] | list[object] = payload
    while True:
        keys: list[object] = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw(st.sampled_from([*keys, "other"] if isinstance(place, dict) else keys))
        inner = place[key] if key in keys else None  # type: ignore[index,call-overload]
        if isinstance(inner, dict | list) and inner and draw(st.booleans()):
            place = inner
            continue
        place[key] = draw(SPOILT)  # type: ignore[index,call-overload]
        return payload


@settings(max_examples=400)
@given(payloads())
def test_a_payload_fits_exactly_where_its_json_fits_the_schema(payload):
    body = _json(payload)
    fits = not CONTRACT.problems(payload)
    assert VALIDATOR.is_valid(json.loads(body)) == fits
    if fits:
        assert CONTRACT.encode(payload) == body
        assert CONTRACT.problems(CONTRACT.decode(body)) == []


def _json(payload: object) -> bytes:
    return msgspec.json.Encoder(decimal_format="number").encode(payload)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("at", ["24:00:00", "9:30:00", "09:30", "09:30:00Z"]),
        ("stamp", ["2024-01-01T00:00:00", "2024-13-01T00:00:00Z", "2024-01-01"]),
        ("local", ["2024-01-01T00:00:00Z", "2024-01-32T00:00:00"]),
        ("wait", ["P", "PT", "P1Y", "1D", "P1DT"]),
        ("scan", ["a", "ab=", "a b="]),
        ("flag", ["true", 1]),
    ],
)
def test_texts_of_another_form_are_refused_by_both(field: str, values: list[object]):
    good = {"customer": {"id": "1"}, "lines": [{"amount": 1, "parts": []}]}
    assert VALIDATOR.is_valid(good)
    for value in values:
        assert not VALIDATOR.is_valid({**good, field: value}), value


def test_real_values_of_every_type_are_valid():
    stamp = datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=UTC)
    payload = {
        "customer": {"id": "1"},
        "lines": [{"amount": Decimal("9999999999999999.99"), "parts": [{"size": Decimal("0.5")}]}],
        "days": [date(2024, 2, 29)],
        "at": time(23, 59, 59, 5),
        "stamp": stamp,
        "local": stamp.replace(tzinfo=None),
        "wait": timedelta(days=-1, microseconds=7),
        "scan": b"\x00\xff",
    }
    assert VALIDATOR.is_valid(json.loads(CONTRACT.encode(payload)))


def test_bounds_beyond_all_floats_are_whole_numbers_outside():
    many = "9" * 400
    field = Field(name="a", type="decimal", min=Decimal(f"-{many}.5"), max=Decimal(f"{many}.5"))
    schema = json_schema(Contract("x@1 input", (field,)))["properties"]["a"]
    assert schema["maximum"] == -schema["minimum"] == 10**400
    assert json.loads(json.dumps(schema, allow_nan=False)) == schema
