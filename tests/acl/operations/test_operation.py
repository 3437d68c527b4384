"""Operations: what their files may say."""

from __future__ import annotations

import pickle
import tomllib
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stranglerfig.acl.operations.change import changes
from stranglerfig.acl.operations.openapi import document
from stranglerfig.acl.operations.operation import Operation, load_operation, parse_operation
from stranglerfig.acl.operations.schema import json_schema
from stranglerfig.acl.operations.structured import structured_schema
from stranglerfig.acl.operations.tools import tool
from stranglerfig.errors import ConfigError, ContractError, EnvelopeError

HEAD = 'name = "a.b"\nversion = 2\neffect = "idempotent"\n'


def parse(text: str) -> Operation:
    return parse_operation(tomllib.loads(text), "a.b@2.toml")


def test_an_operation_is_read(workspace: Path):
    operation = load_operation(workspace, "desk.ask@1")
    assert (operation.id, operation.effect, operation.owner) == ("desk.ask@1", "read", "desk")
    assert [field.name for field in operation.input.fields][:2] == ["person.id", "person.name"]
    assert operation.input.by_name["person.name"].tag == "pii.name"
    assert operation.output.by_name["score"].max == Decimal("1.00")
    assert operation.output.by_name["priority"].max == 3


def test_groups_may_be_written_as_tables():
    nested = parse(HEAD + '[input.customer.id]\ntype="text"\n[input.customer.type]\ntype="text"')
    dotted = parse(
        HEAD + '[input."customer.id"]\ntype="text"\n[input."customer.type"]\ntype="text"'
    )
    assert nested.input == dotted.input
    assert [field.path for field in nested.input.fields] == [
        ("customer", "id"),
        ("customer", "type"),
    ]


def test_bounds_take_the_types_of_their_fields():
    text = """
[input.d]
type = "date"
min = 2020-01-01
max = "2030-01-01"
[input.n]
type = "decimal"
min = 0.1
"""
    fields = parse(HEAD + text).input.by_name
    assert (fields["d"].min, fields["d"].max) == (date(2020, 1, 1), date(2030, 1, 1))
    assert fields["n"].min == Decimal("0.1")


def test_the_digest_is_of_what_is_said_not_of_how_it_is_laid_out():
    first = parse(HEAD + '[input.a]\ntype="text"\ntag="none"')
    same = parse(
        'effect="idempotent"\nversion=2\n# note\nname="a.b"\ninput.a={tag="none",type="text"}'
    )
    other = parse(HEAD + '[input.a]\ntype="text"\ntag="secret"')
    assert first.digest == same.digest
    assert first.digest != other.digest
    assert len(first.digest) == 64


def test_an_operation_goes_to_another_process():
    operation = parse(HEAD + '[input.a]\ntype="text"\nmax_length=3')
    again = pickle.loads(pickle.dumps(operation))
    assert again == operation
    again.check_input({"a": "abc"})


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        (HEAD + "ownr = 'x'", "a.b@2.toml: ownr", "did you mean 'owner'"),
        (HEAD + '[input.a]\ntype="text"\nmaxlength=3', "input.a.maxlength", "max_length"),
        (HEAD + '[input.a]\ntype="txt"', "input.a.type", "txt"),
        (HEAD + "[input.a]\nmin=3", "input.a", "type"),
        (HEAD + "[input]\na = 3", "input.a", "type = "),
        (HEAD + '[input."1x"]\ntype="text"', "input.1x", "letters"),
        (HEAD + '[input."a..b"]\ntype="text"', "input.a..b", "letters"),
        (HEAD + '[input.a]\ntype="text"\nmin=3', "input.a.min", "no bounds"),
        (HEAD + '[input.a]\ntype="integer"\nmax_length=3', "input.a.max_length", "only on text"),
        (HEAD + '[input.a]\ntype="text"\nmax_length=0', "input.a.max_length", "1 to 2147483647"),
        (HEAD + '[input.a]\ntype="integer"\nmin=3\nmax=2', "input.a.min", "at most 2"),
        (HEAD + '[input.a]\ntype="integer"\nmin=0.5', "input.a.min", "integer"),
        (HEAD + '[input.a]\ntype="integer"\nmin=true', "input.a.min", "integer"),
        (HEAD + '[input.a]\ntype="date"\nmin="soon"', "input.a.min", "date"),
        (HEAD + '[input.a]\ntype="decimal"\nmax="NaN"', "input.a.max", "decimal"),
        (HEAD + '[input.a]\ntype="text"\nenum=[1]', "input.a.enum", "text"),
        (HEAD + '[input.a]\ntype="boolean"\nenum=[true]', "input.a.enum", "boolean"),
        (HEAD + '[input.a]\ntype="text"\ntag="PII Name"', "input.a.tag", "pii.name"),
        (HEAD + '[input.a]\ntype="text"\n[input."a.b"]\ntype="text"', "input.a", "not both"),
        (HEAD + '[input.a.b]\ntype="text"\n[input."a.b"]\ntype="text"', "input", "once"),
        (HEAD.replace("idempotent", "harmless"), "effect", "harmless"),
        (HEAD.replace("a.b", "A b"), "name", "lower-case"),
        (HEAD.replace("2", "0"), "name", "version"),
        ('name="a.b"\nversion=1', "a.b@2.toml", "effect"),
    ],
)
def test_a_wrong_file_names_the_key(text: str, place: str, expected: str):
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert place in caught.value.place
    assert expected in str(caught.value)


@pytest.mark.parametrize("ident", ["desk.ask", "desk.ask@x", "../x@1", "desk.ask@0", ""])
def test_only_names_with_versions_are_looked_for(workspace: Path, ident: str):
    with pytest.raises(ConfigError, match="name@version"):
        load_operation(workspace, ident)


def test_the_file_must_say_its_own_name(workspace: Path):
    file = workspace / "operations/desk.ask@1.toml"
    file.rename(workspace / "operations/desk.ask@2.toml")
    with pytest.raises(ConfigError, match=r"desk\.ask@1"):
        load_operation(workspace, "desk.ask@2")
    with pytest.raises(ConfigError, match="no such file"):
        load_operation(workspace, "desk.ask@1")


KEYS = ("type", "required", "enum", "min", "max", "max_length", "min_items", "max_items", "zone", "tag", "unit", "description")  # fmt: skip
KINDS = ("text", "integer", "decimal", "boolean", "date", "time", "timestamp", "duration", "bytes", "json", "group")  # fmt: skip
SCALARS = st.one_of(
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([2**31, 2**63, 2**64, 10**30, -(10**30), 0.1, float("nan"), 1e300]),
    st.sampled_from(["", "a", "1", "0.5", "none", "required", "secret", "pii.name", "P1D", *KINDS]),
    st.dates(),
    st.times(),
    st.datetimes(),
)
SETTINGS = st.fixed_dictionaries(
    {"type": st.sampled_from(KINDS)},
    optional={key: SCALARS | st.lists(SCALARS, max_size=2) for key in KEYS[1:]},
)
PLAIN = st.fixed_dictionaries({"type": st.sampled_from(KINDS)}, optional={"required": st.booleans(), "max_length": st.sampled_from([1, 2**63, 10**30]), "max": st.sampled_from([5, 2**63, "0.5"])})  # fmt: skip
NAMES = st.sampled_from(["a", "b", "a.c", "a[]", "a[].b", "class", "x-y", "x_y", "__d", "self", "msgspec", ""])  # fmt: skip
SIDES = st.dictionaries(NAMES, PLAIN | SETTINGS | st.dictionaries(NAMES, PLAIN, max_size=2), max_size=4)  # fmt: skip


@settings(max_examples=1000)
@given(SIDES, SIDES)
def test_any_file_is_read_or_refused_and_all_can_be_made_of_what_was_read(inputs, outputs):
    tables = {"name": "a.b", "version": 1, "effect": "read", "description": "d"}
    try:
        operation = parse_operation({**tables, "input": inputs, "output": outputs}, "a.b@1.toml")
    except ConfigError:
        return
    for contract in (operation.input, operation.output):
        assert contract.problems({}) is not None
        json_schema(contract)
        structured_schema(contract)
        with suppress(ContractError, EnvelopeError):
            contract.check(contract.decode(b'{"a": "x", "class": 1}'))
    assert tool(operation)["name"] == "a_b"
    assert document([operation], title="t", version="1")["paths"]
    assert changes(operation, operation) == []
    assert pickle.loads(pickle.dumps(operation)) == operation
