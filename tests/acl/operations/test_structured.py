"""The schema for language models, and the way back from what one answers."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from stranglerfig.acl.operations.contract import Contract
from stranglerfig.acl.operations.operation import parse_operation
from stranglerfig.acl.operations.structured import Limits, restore, structured_schema
from stranglerfig.errors import ConfigError, ContractError

HEAD = 'name = "a.b"\nversion = 1\neffect = "read"\n'
TEXT = """
[output.decision]
type = "text"
enum = ["approve", "refer"]
description = "What to do"
[output.amount]
type = "decimal"
min = "0.00"
max = "99.99"
unit = "EUR"
[output.level]
type = "integer"
enum = [1, 2, 3]
[output.note]
type = "text"
max_length = 5
required = false
[output.due]
type = "date"
required = false
min = 2020-01-01
[output.rest]
type = "json"
required = false
[output."steps[]"]
type = "group"
required = false
max_items = 2
[output."steps[].at"]
type = "timestamp"
[output."steps[].for"]
type = "duration"
[output."steps[].from"]
type = "time"
[output."steps[].scan"]
type = "bytes"
"""
CONTRACT = parse_operation(tomllib.loads(HEAD + TEXT), "a.b@1.toml").output
SCHEMA = structured_schema(CONTRACT)
ALL_TAKE = {"type", "properties", "required", "additionalProperties", "items", "anyOf", "enum", "description"}  # fmt: skip


def schemas(schema: dict[str, object]) -> Iterator[dict[str, object]]:
    yield schema
    inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", [])]
    for one in [*inner, *([schema["items"]] if "items" in schema else [])]:
        yield from schemas(one)


def test_only_what_all_vendors_take_stands_in_it():
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["type"] == "object"
    for one in schemas(SCHEMA):
        assert one.keys() <= ALL_TAKE
        assert isinstance(one.get("type", ""), str)
        if one.get("type") == "object":
            assert one["additionalProperties"] is False
            assert one["required"] == list(one["properties"])
        assert all(isinstance(choice, str) for choice in one.get("enum", []))


def test_what_it_may_not_say_stands_in_words():
    words = {key: one.get("description", "") for key, one in SCHEMA["properties"].items()}
    assert words["decision"] == "What to do"
    assert words["amount"] == "In EUR; at least 0.00, at most 99.99."
    assert words["level"] == "One of 1, 2, 3."
    assert words["due"] == "YYYY-MM-DD; at least 2020-01-01."
    assert words["steps"] == "Entries: at most 2."


OUTPUT = {
    "decision": "approve",
    "amount": 12.5,
    "level": 2,
    "note": None,
    "due": "2024-02-29",
    "rest": '{"a": [1.10]}',
    "steps": [
        {"at": "2024-01-01T10:00:00+01:00", "for": "PT1M", "from": "09:30:00", "scan": "YWI="}
    ],
}


def test_an_answer_comes_back_as_a_payload():
    assert Draft202012Validator(SCHEMA).is_valid(OUTPUT)
    payload = restore(CONTRACT, json.dumps(OUTPUT).replace("12.5", "12.50"))
    assert str(payload["amount"]) == "12.50"
    assert payload["due"] == date(2024, 2, 29)
    assert payload["rest"] == {"a": [Decimal("1.10")]}
    assert payload["steps"] == [
        {
            "at": datetime(2024, 1, 1, 9, tzinfo=UTC),
            "for": timedelta(minutes=1),
            "from": time(9, 30),
            "scan": b"ab",
        }
    ]
    assert restore(CONTRACT, {**OUTPUT, "level": 2.0})["amount"] == Decimal("12.5")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"amount": 100}, "amount"),
        ({"amount": float("nan")}, "amount"),
        ({"amount": "12.5"}, "amount"),
        ({"level": 4}, "level"),
        ({"level": 2.5}, "level"),
        ({"level": Decimal("1e999999")}, "level"),
        ({"note": "longer"}, "note"),
        ({"due": "2019-12-31"}, "due"),
        ({"due": "2023-02-29"}, "due"),
        ({"rest": "{"}, "rest"),
        ({"rest": "[" * 100_000}, "rest"),
        ({"steps": [{**OUTPUT["steps"][0], "at": "2024-01-01T10:00:00"}]}, "steps[0].at"),  # type: ignore[index]
        ({"steps": [None]}, "steps[0]"),
        ({"steps": "none"}, "steps"),
        ({"extra": 1}, "extra"),
        ({"decision": None}, "decision"),
    ],
)
def test_the_whole_check_holds_for_an_answer(change, place):
    with pytest.raises(ContractError) as caught:
        restore(CONTRACT, {**OUTPUT, **change})
    assert caught.value.place == f"a.b@1 output: {place}"


@pytest.mark.parametrize("output", ["", "I think: {}", "[]", "null", b"\xff", "[" * 10**6])
def test_what_is_no_object_is_refused(output):
    with pytest.raises(ContractError):
        restore(CONTRACT, output)


STEPS = st.fixed_dictionaries(
    {
        "at": st.datetimes(timezones=st.just(UTC)),
        "for": st.timedeltas(timedelta(days=-9), timedelta(days=9)),
        "from": st.times(),
        "scan": st.binary(max_size=5),
    }
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
PAYLOADS = st.fixed_dictionaries(
    {
        "decision": st.sampled_from(["approve", "refer"]),
        "amount": st.decimals(0, "99.99", places=2),
        "level": st.integers(1, 3),
        "note": st.none() | TEXTS,
        "due": st.none() | st.dates(date(2020, 1, 1)),
        "rest": st.none(),
        "steps": st.none() | st.lists(STEPS, max_size=2),
    }
)


@given(PAYLOADS)
def test_every_payload_can_be_answered(payload):
    body = CONTRACT.encode(payload)
    assert Draft202012Validator(SCHEMA).is_valid(json.loads(body))
    assert restore(CONTRACT, body) == payload


def contract(text: str) -> Contract:
    return parse_operation(tomllib.loads(HEAD + text), "a.b@1.toml").output


@pytest.mark.parametrize(
    ("text", "value", "limits"),
    [
        ('[output."a.b.c.d.e.f"]\ntype="text"', "6 levels", Limits(levels=6)),
        ("".join(f'[output.f{n}]\ntype="text"\n' for n in range(101)), "101 properties", Limits(properties=101)),
        ("".join(f'[output.f{n}]\ntype="text"\nrequired=false\n' for n in range(17)), "17 nullable", Limits(nullable=17)),
        (f'[output.a]\ntype="text"\nenum={json.dumps([str(n) for n in range(501)])}', "501 choices", Limits(choices=501)),
    ],
)  # fmt: skip
def test_what_is_too_large_is_refused_unless_the_vendor_takes_it(text, value, limits):
    with pytest.raises(ConfigError) as caught:
        structured_schema(contract(text))
    assert caught.value.value == value
    assert structured_schema(contract(text), limits)["type"] == "object"
