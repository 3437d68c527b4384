"""Contracts with lists, declared groups and every type of value."""

from __future__ import annotations

import pickle
import tomllib
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.acl.operations.contract import Contract
from stranglerfig.acl.operations.operation import Operation, parse_operation
from stranglerfig.errors import ConfigError, ContractError

TEXT = """
name = "order.check"
version = 1
effect = "read"

[input."customer.id"]
type = "text"
tag = "pii.id"

[input.address]
type = "group"
required = false
description = "Where it goes"
[input.address.city]
type = "text"
[input.address.zip]
type = "text"
required = false

[input."lines[]"]
type = "group"
min_items = 1
max_items = 3
[input."lines[].sku"]
type = "text"
max_length = 3
tag = "secret"
[input."lines[].amount"]
type = "decimal"
min = "0.00"
[input."lines[].parts[].at"]
type = "timestamp"
required = false
[input."lines[].parts[].number"]
type = "integer"

[input."tags[]"]
type = "text"
required = false
max_items = 2

[input.at]
type = "time"
required = false
max = 18:00:00
[input.local]
type = "timestamp"
zone = "none"
required = false
min = 2020-01-01T00:00:00
[input.wait]
type = "duration"
required = false
max = "P1D"
[input.scan]
type = "bytes"
required = false
max_length = 4
[input.rest]
type = "json"
required = false

[output."done[]"]
type = "date"
"""


def parse(text: str) -> Operation:
    return parse_operation(tomllib.loads(text), "order.check@1.toml")


CONTRACT = parse(TEXT).input
NAIVE = datetime.fromisoformat("2024-01-01T00:00:00")
EARLY = datetime.fromisoformat("2019-01-01T00:00:00")
LINE = {"sku": "a", "amount": Decimal("1.5"), "parts": []}
GOOD = {
    "customer": {"id": "7"},
    "address": None,
    "lines": [LINE, {**LINE, "parts": [{"at": datetime(2024, 1, 1, tzinfo=UTC), "number": 1}]}],
    "tags": ["x", "y"],
    "at": time(9, 30),
    "local": NAIVE,
    "wait": timedelta(hours=2),
    "scan": b"abcd",
    "rest": {"a": [1, Decimal("2.5"), None, True, "x"]},
}


def test_what_fits_passes():
    CONTRACT.check(GOOD)
    CONTRACT.check({"customer": {"id": "7"}, "lines": [LINE]})
    CONTRACT.check({**GOOD, "address": {"city": "Bern"}})
    assert parse(TEXT).output.problems({"done": []}) == []


@pytest.mark.parametrize(
    ("change", "place", "expected"),
    [
        ({"address": {}}, "address.city", "text"),
        ({"address": {"zip": "1"}}, "address.city", "text"),
        ({"address": []}, "address", ""),
        ({"lines": None}, "lines", "a list of at least 1 and at most 3 entries"),
        ({"lines": []}, "lines", "at least 1"),
        ({"lines": [LINE] * 4}, "lines", "at most 3"),
        ({"lines": (LINE,)}, "lines", "a list"),
        ({"lines": {"0": LINE}}, "lines", "a list"),
        ({"lines": [LINE, {**LINE, "sku": "long"}]}, "lines[1].sku", "at most 3 characters"),
        ({"lines": [LINE, {**LINE, "qty": 1}]}, "lines[1].qty", "one of sku, amount, parts"),
        ({"lines": [LINE, None]}, "lines[1]", ""),
        ({"lines": [{**LINE, "parts": [{"number": 1}, {"at": None}]}]}, "lines[0].parts[1].number", "integer"),
        ({"lines": [{**LINE, "parts": [{"number": 1, "at": NAIVE}]}]}, "lines[0].parts[0].at", "timestamp with a time zone"),
        ({"tags": ["a", None]}, "tags[1]", "text"),
        ({"tags": ["a", 1]}, "tags[1]", "text"),
        ({"tags": "ab"}, "tags", "a list of at most 2"),
        ({"tags": ["a"] * 3}, "tags", "a list of at most 2"),
        ({"at": time(18, 0, 1)}, "at", "at most 18:00:00"),
        ({"at": time(9, tzinfo=UTC)}, "at", "time"),
        ({"local": datetime(2024, 1, 1, tzinfo=UTC)}, "local", "without a time zone"),
        ({"local": EARLY}, "local", "at least 2020-01-01T00:00:00"),
        ({"local": date(2024, 1, 1)}, "local", "timestamp"),
        ({"wait": timedelta(days=1, microseconds=1)}, "wait", "at most P1D"),
        ({"scan": b"abcde"}, "scan", "at most 4 bytes"),
        ({"rest": 1.5}, "rest", "json"),
        ({"rest": {1: 2}}, "rest", "json"),
        ({"rest": Decimal("NaN")}, "rest", "json"),
    ],
)  # fmt: skip
def test_the_error_names_the_path_with_its_index(change, place, expected):
    with pytest.raises(ContractError) as caught:
        CONTRACT.check({**GOOD, **change})
    assert caught.value.place == f"order.check@1 input: {place}"
    assert expected in caught.value.expected


def test_a_list_of_secrets_is_masked_and_one_without_end_is_cut():
    bad = {**GOOD, "lines": [{**LINE, "sku": "hidden"}] * 5000}
    problems = CONTRACT.problems(bad)
    assert len(problems) == 100
    assert all("hidden" not in str(problem) for problem in problems)


def test_json_of_any_depth_is_refused_in_bounded_time():
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert [one.place for one in CONTRACT.problems({**GOOD, "rest": deep})] == ["rest"]


def test_it_goes_to_another_process():
    again: Contract = pickle.loads(pickle.dumps(CONTRACT))
    assert again == CONTRACT
    assert again.groups["address"].description == "Where it goes"
    again.check(GOOD)


VALUES = st.one_of(
    st.none(),
    st.sampled_from(["a", "", "abcd", 1, True, -1, 1.5, b"abc", b"abcde"]),
    st.sampled_from([Decimal(1), Decimal(-1), Decimal("NaN"), date(2024, 1, 1), time(9), time(19)]),
    st.sampled_from([NAIVE, datetime(2024, 1, 1, tzinfo=UTC), EARLY]),
    st.sampled_from([timedelta(0), timedelta(2), [], {}, ["a"], [None], [1.5]]),
)


def some(**fields: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    whole = st.fixed_dictionaries({}, optional={**fields, "other": VALUES})
    return st.one_of(VALUES, whole, st.fixed_dictionaries(fields))


def many(entry: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.one_of(VALUES, st.lists(entry, max_size=4))


STRINGS = st.sampled_from(["a", "ab"])
LINES = some(
    sku=STRINGS | VALUES,
    amount=st.just(Decimal(2)) | VALUES,
    parts=many(some(at=VALUES, number=st.integers(0, 3) | VALUES)),
)
PAYLOADS = st.fixed_dictionaries(
    {"customer": some(id=STRINGS), "lines": st.lists(LINES, min_size=1, max_size=2) | many(LINES)},
    optional={
        "address": some(city=STRINGS, zip=VALUES),
        "tags": many(STRINGS | VALUES),
        **dict.fromkeys(("at", "local", "wait", "scan", "rest", "other"), VALUES),
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
    assert caught.value.place == f"order.check@1 input: {problems[0].place}"


HEAD = 'name = "order.check"\nversion = 1\neffect = "read"\n'


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ('[input.a]\ntype="group"', "input.a", "a field in it"),
        ('[input.a]\ntype="group"\nmin_items=1\n[input.a.b]\ntype="text"', "input.a.min_items", "only on a list"),
        ('[input."a[]"]\ntype="group"\nmax_items=0\n[input."a[].b"]\ntype="text"', "max_items", "1 to 2147483647"),
        ('[input."a[]"]\ntype="group"\nmax_items=1\nmin_items=2\n[input."a[].b"]\ntype="text"', "min_items", "at most 1"),
        ('[input."a[]"]\ntype="group"\ntag="secret"\n[input."a[].b"]\ntype="text"', "input.a[].tag", "one of"),
        ('[input."a[].b"]\ntype="text"\n[input."a.c"]\ntype="text"', "input.a", "not both"),
        ('[input."a[]"]\ntype="text"\n[input."a[].c"]\ntype="text"', "input.a[]", "not both"),
        ('[input."a[]"]\ntype="text"\n[input."a"]\ntype="text"', "input.a", "not both"),
        ('[input."a[][]"]\ntype="text"', "input.a[][]", "[] behind a list"),
        ('[input."a"]\ntype="text"\nmax_items=3', "input.a.max_items", "only on a list"),
        ('[input."a"]\ntype="time"\nmin=2020-01-01T00:00:00', "input.a.min", "time"),
        ('[input."a"]\ntype="timestamp"\nmin=2020-01-01T00:00:00', "input.a.min", "required"),
        ('[input."a"]\ntype="timestamp"\nzone="none"\nmin=2020-01-01T00:00:00Z', "input.a.min", "none"),
        ('[input."a"]\ntype="text"\nzone="none"', "input.a.zone", "timestamp"),
        ('[input."a"]\ntype="duration"\nmin="1 day"', "input.a.min", "duration"),
        ('[input."a"]\ntype="duration"\nenum=["P1D"]', "input.a.enum", "no enum on duration"),
        ('[input."a"]\ntype="json"\nmax=3', "input.a.max", "no bounds"),
        ('[input."a"]\ntype="text"\ntag="nome"', "input.a.tag", "did you mean 'none'"),
        ('[input."a"]\ntype="text"\ntag="pii"', "input.a.tag", "pii.name"),
        (f'[input."{".".join("a" * 17)}"]\ntype="text"', "input.a", "at most 16 levels"),
    ],
)  # fmt: skip
def test_a_wrong_file_names_the_key(text: str, place: str, expected: str):
    with pytest.raises(ConfigError) as caught:
        parse(HEAD + text)
    assert place in caught.value.place
    assert expected in str(caught.value)


def test_sixteen_lists_in_lists_are_compiled():
    name = ".".join(["a[]"] * 15 + ["b"])
    contract = parse(HEAD + f'[input."{name}"]\ntype="integer"').input
    payload: dict[str, object] = {"b": 1}
    for _ in range(15):
        payload = {"a": [payload]}
    contract.check(payload)
