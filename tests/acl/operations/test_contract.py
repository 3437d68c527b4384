"""Contracts: the compiled check says what the careful one says."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.acl.operations.contract import Contract
from stranglerfig.acl.operations.field import Field
from stranglerfig.acl.operations.operation import load_operation
from stranglerfig.errors import ContractError

GOOD = {
    "person": {"id": 7, "name": "Ann", "phone": None},
    "channel": "phone",
    "opened": date(2024, 2, 29),
    "amount": Decimal("12.50"),
    "note": None,
}
CONTRACT = Contract(
    "t@1 input",
    (
        Field(name="g.text", type="text", max_length=2, tag="secret"),
        Field(name="g.h.number", type="integer", min=-1, max=2, required=False),
        Field(name="decimal", type="decimal", min=Decimal(0), enum=(Decimal(1), Decimal("2.5"))),
        Field(name="o.day", type="date", required=False, max=date(2020, 1, 1)),
        Field(name="flag", type="boolean", required=False),
    ),
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(),
    st.text(max_size=3),
    st.decimals(),
    st.sampled_from([Decimal(1), Decimal("2.50"), date(2019, 1, 1), date(2021, 1, 1)]),
    st.just(datetime(2019, 1, 1, tzinfo=UTC)),
    st.just([1]),
)


def group(**fields: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.one_of(VALUES, st.fixed_dictionaries({}, optional={**fields, "x": VALUES}))


PAYLOADS = st.fixed_dictionaries(
    {},
    optional={
        "g": group(text=VALUES, h=group(number=VALUES)),
        "decimal": VALUES,
        "o": group(day=VALUES),
        "flag": VALUES,
        "other": VALUES,
    },
)


@given(PAYLOADS)
def test_the_compiled_check_agrees_with_the_careful_one(payload: dict[str, object]):
    problems = CONTRACT.problems(payload)
    if not problems:
        CONTRACT.check(payload)
        return
    with pytest.raises(ContractError) as caught:
        CONTRACT.check(payload)
    assert caught.value.place == f"t@1 input: {problems[0].place}"


def test_what_fits_passes(workspace: Path):
    operation = load_operation(workspace, "desk.ask@1")
    operation.check_input(GOOD)
    operation.check_input({k: v for k, v in GOOD.items() if k not in ("note", "opened")})
    operation.check_output({"category": "other", "priority": 1, "score": 1})


@pytest.mark.parametrize(
    ("change", "place", "expected"),
    [
        ({"channel": "fax"}, "channel", "one of phone, mail"),
        ({"channel": None}, "channel", "one of phone, mail"),
        ({"amount": 12.5}, "amount", "decimal"),
        ({"opened": "2024-02-29"}, "opened", "date"),
        ({"person": {"id": 0, "name": "Ann"}}, "person.id", "at least 1"),
        ({"person": {"id": True, "name": "Ann"}}, "person.id", "integer"),
        ({"person": {"id": 1}}, "person.name", "at most 60"),
        ({"person": None}, "person.id", "integer"),
        ({"person": "Ann"}, "person", ""),
        ({"chanel": "phone"}, "chanel", "one of"),
    ],
)
def test_the_error_names_the_field(
    workspace: Path, change: dict[str, object], place: str, expected: str
):
    operation = load_operation(workspace, "desk.ask@1")
    with pytest.raises(ContractError) as caught:
        operation.check_input({**GOOD, **change})
    assert caught.value.place.startswith(f"desk.ask@1 input: {place}")
    assert expected in caught.value.expected


def test_tagged_values_are_masked_and_others_named(workspace: Path):
    operation = load_operation(workspace, "desk.ask@1")
    bad = {**GOOD, "person": {"id": 1, "name": "Annabel" * 20}, "channel": "fax"}
    with pytest.raises(ContractError) as caught:
        operation.check_input(bad)
    assert caught.value.value == "<masked>"
    assert "Annabel" not in str(caught.value)
    assert "(as well: channel)" in caught.value.message
