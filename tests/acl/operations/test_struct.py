"""Payloads as JSON bytes, and back, through the msgspec types of a contract."""

from __future__ import annotations

import keyword
import tomllib
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.acl.operations.operation import parse_operation
from stranglerfig.errors import ContractError, EnvelopeError

TEXT = """
name = "order.check"
version = 1
effect = "read"

[input."customer.id"]
type = "text"
tag = "pii.id"
max_length = 4
[input.address]
type = "group"
required = false
[input.address.city]
type = "text"
[input."lines[]"]
type = "group"
min_items = 1
[input."lines[].sku-no"]
type = "text"
enum = ["a", "b"]
tag = "secret"
[input."lines[].amount"]
type = "decimal"
min = "0.00"
[input."lines[].number"]
type = "integer"
min = 1
max = 99
required = false
[input."tags[]"]
type = "text"
required = false
[input.class]
type = "integer"
required = false
max = 99999999999999999999
[input.rest]
type = "json"
required = false
"""
CONTRACT = parse_operation(tomllib.loads(TEXT), "order.check@1.toml").input
GOOD = {
    "customer": {"id": "7"},
    "address": {"city": "Bern"},
    "lines": [{"sku-no": "a", "amount": Decimal("12.50"), "number": None}],
    "tags": ["x"],
    "class": 3,
    "rest": {"a": Decimal("0.10")},
}


def test_json_keeps_every_digit_both_ways():
    digits = b"123456789012345678901234567890.120"
    body = CONTRACT.encode(GOOD).replace(b"12.50", digits)
    payload = CONTRACT.decode(body)
    assert payload["lines"] == [{"sku-no": "a", "amount": Decimal(digits.decode()), "number": None}]
    assert str(payload["rest"]["a"]) == "0.10"  # type: ignore[index]
    assert digits in CONTRACT.encode(payload)


def test_what_is_absent_is_none():
    payload = CONTRACT.decode('{"customer":{"id":"7"},"lines":[{"sku-no":"b","amount":1}]}')
    assert payload["address"] is None
    assert payload["tags"] is None
    CONTRACT.check(payload)


def test_a_decimal_may_come_as_text_from_clients_whose_numbers_are_floats():
    body = CONTRACT.encode(GOOD).replace(b"12.50", b'"12345678901234567890.25"')
    assert CONTRACT.decode(body)["lines"][0]["amount"] == Decimal("12345678901234567890.25")  # type: ignore[index]


def test_the_types_are_validating_by_themselves():
    kind = CONTRACT.struct
    assert issubclass(kind, msgspec.Struct)
    fields = {one.encode_name: one for one in msgspec.structs.fields(kind)}
    assert list(fields) == ["customer", "address", "lines", "tags", "class", "rest"]
    assert all(not keyword.iskeyword(one.name) for one in fields.values())
    assert fields["customer"].required
    assert not fields["tags"].required
    made = msgspec.convert({"customer": {"id": "1"}, "lines": [{"sku-no": "a", "amount": 2}]}, kind)
    assert made.lines[0].sku_no == "a"
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.convert({"customer": {"id": "1"}, "x": 1, "lines": []}, kind)
    assert CONTRACT.struct is kind


LINE = b'{"sku-no":"a","amount":1}'


@pytest.mark.parametrize(
    ("body", "place", "expected"),
    [
        (b'{"customer":{},"lines":[%b]}' % LINE, "customer.id", "at most 4 characters"),
        (b'{"customer":{"id":"12345"},"lines":[%b]}' % LINE, "customer.id", "at most 4"),
        (b'{"customer":{"id":"1","ssn":1},"lines":[%b]}' % LINE, "customer.ssn", ""),
        (b'{"customer":{"id":"1"},"lines":[]}', "lines", ""),
        (b'{"customer":{"id":"1"},"lines":[%b,{"sku-no":"hidden","amount":1}]}' % LINE, "lines[1].sku-no", "one of a, b"),
        (b'{"customer":{"id":"1"},"lines":[{"sku-no":"a","amount":-1}]}', "lines[0].amount", "at least 0.00"),
        (b'{"customer":{"id":"1"},"lines":[{"sku-no":"a","amount":"NaN"}]}', "lines[0].amount", "decimal"),
        (b'{"customer":{"id":"1"},"lines":[{"sku-no":"a","amount":true}]}', "lines[0].amount", "decimal"),
        (b'{"customer":{"id":"1"},"lines":[{"sku-no":"a","amount":1,"number":1.0}]}', "lines[0].number", "integer"),
        (b'{"customer":{"id":"1"},"lines":[%b],"class":100000000000000000000}' % LINE, "class", "at most"),
        (b'{"customer":{"id":"1"},"lines":[%b],"tags":[null]}' % LINE, "tags[0]", "text"),
        (b"[]", "payload", ""),
        (b"null", "payload", ""),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_with_its_place_and_never_its_value(body, place, expected):
    with pytest.raises(ContractError) as caught:
        CONTRACT.decode(body)
    assert caught.value.place == f"order.check@1 input: {place}"
    assert expected in caught.value.expected
    assert "hidden" not in str(caught.value)
    assert "12345" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"a":}', b"\xff", b'{"customer":{"id":"\xff"}}', b"[" * 10**6, b'{"rest":' + b"[" * 10**6],
)  # fmt: skip
def test_what_is_not_json_is_refused(body: bytes):
    with pytest.raises((EnvelopeError, ContractError)) as caught:
        CONTRACT.decode(body)
    assert len(str(caught.value)) < 300


@given(
    st.binary(max_size=60) | st.from_regex(rb'\{"customer":\{"id":"[^"]{0,9}"\},"lines":\[.{0,40}')
)
def test_no_bytes_do_more_than_be_refused(body: bytes):
    try:
        payload = CONTRACT.decode(body)
    except (EnvelopeError, ContractError):
        return
    assert CONTRACT.decode(CONTRACT.encode(payload)) == payload


def test_half_a_character_is_refused():
    with pytest.raises(ContractError, match="half a character"):
        CONTRACT.encode({**GOOD, "tags": ["\ud800"]})
