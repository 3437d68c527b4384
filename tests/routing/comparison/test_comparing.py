"""Where two answers differ: by fields, tolerances, sets, keys and functions."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.errors import ConfigError
from stranglerfig.routing.comparison.path import field_of, values_at

FUNCTIONS = "py:stranglerfig.tests.routing.comparison.comparers:"
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def paths(comparing, old, new):
    return comparing.differences(old, new).paths


def test_nothing_said_is_equal_or_not_and_names_the_place_inside(comparing):
    one = {"amount": 1, "customer": {"name": "A"}, "lines": [{"sku": "1"}, {"sku": "2"}]}
    other = {"amount": Decimal("1.00"), "customer": {"name": "B"}, "lines": [{"sku": "1"}]}
    assert paths(comparing(), one, other) == ["customer.name", "-lines[1]"]
    assert paths(comparing(), other, one) == ["customer.name", "+lines[1]"]
    assert paths(comparing(), {"tags": ["a", "b"]}, {"tags": ["b", "b"]}) == ["tags[0]"]


def test_only_the_fields_that_are_named_and_what_is_in_them(comparing):
    both = {"amount": 1, "customer": {"name": "A", "since": None}}
    other = {"amount": 2, "customer": {"name": "B", "since": dt.date(2026, 1, 1)}}
    assert paths(comparing(only=["customer"]), both, other) == ["customer.name", "customer.since"]
    assert paths(comparing(only=["customer.name"]), both, other) == ["customer.name"]
    assert comparing(only=["customer.name"]).names(both) == ("customer",)


def test_without_names_only_what_legacy_answers_is_compared(comparing):
    assert paths(comparing(), {"note": "a"}, {"note": "a", "amount": 3}) == []
    assert paths(comparing(), {"note": "a", "amount": None}, {"note": "a", "amount": 3}) == [
        "amount"
    ]


def test_fields_left_out(comparing):
    found = comparing(ignore=["note", "lines[].seen", "customer.*"])
    old = {"note": "a", "customer": {"name": "x"}, "lines": [{"seen": NOON, "sku": "1"}]}
    new = {"note": "b", "customer": None, "lines": [{"seen": None, "sku": "2"}]}
    assert paths(found, old, new) == ["lines[0].sku"]
    assert found.names(old) == ("lines",)


@pytest.mark.parametrize(
    ("rule", "field", "one", "other", "same"),
    [
        ({"within": "0.01"}, "amount", Decimal("0.1"), Decimal("0.11"), True),
        ({"within": 0.01}, "amount", Decimal("0.1"), Decimal("0.1100000000000000001"), False),
        ({"within": 2}, "count", 5, 7, True),
        ({"relative": "0.1"}, "amount", Decimal(90), Decimal(100), True),
        ({"relative": "0.1"}, "amount", Decimal(100), Decimal(90), True),
        ({"relative": "0.1"}, "amount", Decimal("89.9"), Decimal(100), False),
        ({"within": 1, "relative": "0.001"}, "amount", 1000, 1001, True),
        ({"scale": 2}, "amount", Decimal("0.994"), Decimal("0.99"), True),
        ({"scale": 2}, "amount", Decimal("0.996"), Decimal("0.99"), False),
        ({"scale": 2}, "amount", Decimal("1E+9000"), Decimal(1), False),
        ({"within": 1}, "amount", Decimal("1E+9000"), Decimal(1), False),
        ({"days": 1}, "due", dt.date(2026, 2, 28), dt.date(2026, 3, 1), True),
        ({"days": 1}, "due", dt.date(2026, 2, 27), dt.date(2026, 3, 1), False),
        ({"seconds": 5}, "at", NOON, NOON + dt.timedelta(seconds=5), True),
        ({"seconds": 5}, "at", NOON, NOON + dt.timedelta(seconds=6), False),
        ({"seconds": 60}, "hour", dt.time(12), dt.time(12, 1), True),
        ({"seconds": 1}, "lasts", dt.timedelta(1), dt.timedelta(1, 1), True),
        ({"fold": ["case", "blanks"]}, "note", "Zur  STRASSE ", "zur straße", True),
        ({"fold": ["unicode"]}, "note", "ﬁve ①", "five 1", True),
        ({"fold": ["unicode"]}, "note", "Five", "five", False),
        ({"similar": 0.8}, "note", "the car was stolen", "the car was stolen.", True),
        ({"similar": 0.95}, "note", "the car was stolen", "a car got stolen", False),
        ({"within": 1}, "amount", Decimal(1), None, False),
        ({"function": FUNCTIONS + "same_first_letter"}, "note", "abc", "axe", True),
        ({"function": FUNCTIONS + "same_first_letter"}, "note", "abc", "b", False),
    ],
)
def test_values_that_are_near_enough(comparing, rule, field, one, other, same):
    found = comparing(fields={field: rule})
    assert paths(found, {field: one}, {field: other}) == ([] if same else [field])
    assert found.alike(field, other, one) is same


def test_an_instant_is_the_same_in_any_zone_and_a_decimal_at_any_scale(comparing):
    there = NOON.astimezone(dt.timezone(dt.timedelta(hours=-5)))
    assert (
        paths(comparing(), {"at": NOON, "amount": 1}, {"at": there, "amount": Decimal("1.0")}) == []
    )


def test_lists_whose_order_does_not_matter_count_duplicates(comparing):
    found = comparing(fields={"tags[]": {"order": False}})
    assert paths(found, {"tags": ["a", "b", "b"]}, {"tags": ["b", "a", "b"]}) == []
    assert paths(found, {"tags": ["a", "b", "b"]}, {"tags": ["b", "a", "a"]}) == [
        "-tags[2]",
        "+tags[2]",
    ]
    assert paths(found, {"tags": None}, {"tags": ["x"]}) == ["+tags[0]"]


def test_a_near_entry_is_not_taken_away_from_the_only_one_that_it_fits(comparing):
    found = comparing(fields={"prices[]": {"order": False, "within": "0.01"}})
    one = {"prices": [Decimal("1.00"), Decimal("1.01")]}
    other = {"prices": [Decimal("1.01"), Decimal("1.02")]}
    assert paths(found, one, other) == []
    assert paths(found, one, {"prices": [Decimal("1.02"), Decimal("1.02")]}) == [
        "-prices[0]",
        "+prices[1]",
    ]


def line(sku, amount, **more):
    return {"sku": sku, "amount": Decimal(amount), **more}


def test_rows_are_matched_by_their_key_and_the_others_named(comparing):
    found = comparing(fields={"lines[]": {"key": "sku"}, "lines[].amount": {"within": "0.5"}})
    old = {"lines": [line("7", 1), line("8", 2), line("7", 3)]}
    new = {"lines": [line("8", "2.4"), line("7", 9), line("9", 1)]}
    assert paths(found, old, new) == ["lines[sku=7].amount", "-lines[sku=7#2]", "+lines[sku=9]"]
    assert values_at("lines[sku=7].amount", old, new) == (Decimal(1), Decimal(9))
    assert values_at("-lines[sku=7#2]", old, new) == (line("7", 3), None)
    assert values_at("+lines[sku=9]", old, new) == (None, line("9", 1))


def test_keys_of_several_fields_and_keys_with_odd_texts(comparing):
    found = comparing(fields={"lines[]": {"key": ["sku", "size"]}})
    old = {"lines": [line("a]b'c", 1, size="x,y=1"), line("/", 1)]}
    new = {"lines": [line("a]b'c", 2, size="x,y=1")]}
    changed, gone = paths(found, old, new)
    assert changed == "lines[sku='a]b''c',size='x,y=1'].amount"
    assert values_at(changed, old, new) == (Decimal(1), Decimal(2))
    assert values_at(gone, old, new) == (line("/", 1), None)
    assert {field_of(changed), field_of(gone)} == {"lines[].amount", "lines[]"}


def test_a_key_that_is_somebodys_name_stands_in_no_path(comparing):
    found = comparing(fields={"lines[]": {"key": "owner"}})
    old = {"lines": [line("1", 1, owner="Anna"), line("2", 1, owner="Bert")]}
    new = {"lines": [line("2", 5, owner="Bert")]}
    assert paths(found, old, new) == ["-lines[0]", "lines[1~0].amount"]
    assert values_at("lines[1~0].amount", old, new) == (Decimal(1), Decimal(5))
    assert field_of("lines[1~0].amount") == "lines[].amount"


@pytest.mark.parametrize("name", ["raises", "gives_text"])
def test_a_function_that_fails_is_a_difference_that_is_told_of(comparing, name):
    found = comparing(fields={"note": {"function": FUNCTIONS + name}})
    seen = found.differences({"note": "a"}, {"note": "b"})
    assert seen.paths == ["note"]
    assert list(seen.broken) == ["note"]
    assert "Anna" not in seen.broken["note"], "an error's words may hold the values"
    assert found.differences({"note": "a"}, {"note": "a"}).broken == {}


@pytest.mark.parametrize(
    ("table", "place", "words"),
    [
        ({"ignore": ["note2"]}, "comparison.ignore", "did you mean 'note'"),
        ({"fields": {"lines[].amont": {"within": 1}}}, 'fields."lines[].amont"', "lines[].amount"),
        ({"fields": {"note": {"within": 1}}}, 'fields."note".within', "integer or decimal"),
        ({"fields": {"amount": {"similar": 0.5}}}, "similar", "text"),
        ({"fields": {"due": {"seconds": 5}}}, "seconds", "timestamp"),
        ({"fields": {"amount": {"within": -1}}}, "within", "not a bound"),
        ({"fields": {"amount": {"within": "x"}}}, "within", "not a bound"),
        ({"fields": {"amount": {"within": 1, "scale": 2}}}, "amount", "exclude"),
        ({"fields": {"note": {"similar": 2}}}, "similar", "likeness"),
        ({"fields": {"note": {"xml": True, "fold": ["case"]}}}, "note", "exclude"),
        ({"fields": {"note": {"unwrap": ["a"]}}}, "unwrap", "xml = true"),
        ({"fields": {"note": {"order": False}}}, "order", "a list"),
        ({"fields": {"tags[]": {"key": "x"}}}, "key", "a list of groups"),
        ({"fields": {"lines[]": {"key": "skuu"}}}, "key", "sku, size"),
        ({"fields": {"lines[]": {"within": 1}}}, "within", "group"),
        ({"fields": {"lines[]": {"key": "sku", "order": False}}}, "lines[]", "exclude"),
        ({"fields": {"note": {"function": "py:nowhere:at_all"}}}, "function", "cannot import"),
        ({"fields": {"note": {"function": "text"}}}, "function", "py:package"),
        ({"only": ["nothing"]}, "compare", "is no field"),
    ],
)
def test_what_does_not_fit_the_operation_is_refused_with_its_place(comparing, table, place, words):
    with pytest.raises(ConfigError) as refused:
        comparing(**table)
    assert place in refused.value.place
    assert words in str(refused.value)


def test_a_pattern_gives_way_to_a_name(comparing):
    rules = {"lines[].*": {"function": FUNCTIONS + "raises"}, "lines[].amount": {"within": 1}}
    found = comparing(fields=rules)
    assert paths(found, {"lines": [line("1", 1)]}, {"lines": [line("1", 2)]}) == []


texts = st.text("abA ß\u0301ﬁ\n", max_size=6)
numbers = st.decimals(-3, 3, places=2) | st.integers(-3, 3)
rows = st.fixed_dictionaries({"sku": st.sampled_from("123"), "amount": numbers, "size": texts})
answers = st.fixed_dictionaries(
    {
        "note": texts,
        "amount": st.none() | numbers,
        "tags": st.lists(texts, max_size=4),
        "prices": st.lists(numbers, max_size=5),
        "lines": st.lists(rows, max_size=5),
        "customer": st.none() | st.fixed_dictionaries({"name": texts}),
    }
)
SETTINGS = {
    "ignore": ["customer.since"],
    "fields": {
        "note": {"fold": ["case", "blanks", "unicode"], "similar": 0.7},
        "amount": {"within": "0.1", "relative": "0.05"},
        "tags[]": {"order": False},
        "prices[]": {"order": False, "within": "0.05"},
        "lines[]": {"key": "sku"},
        "lines[].amount": {"scale": 1},
    },
}


def turned(path):
    return {"-": "+", "+": "-"}.get(path[0], "") + path.lstrip("+-")


@given(answers, answers)
def test_it_is_reflexive_and_symmetric(comparing, one, other):
    for settings in ({}, SETTINGS):
        found = comparing(**settings)
        assert paths(found, one, one) == []
        there, back = paths(found, one, other), paths(found, other, one)
        assert sorted(turned(path) for path in there) == sorted(back)
        names = {field_of(path) for path in there}
        assert all(values_at(path, one, other) for path in there)
        assert names <= {"note", "amount", "tags[]", "prices[]", "lines[]", "customer.name"} | {
            f"lines[].{name}" for name in ("sku", "amount", "size")
        }


@given(answers, st.randoms(use_true_random=False))
def test_the_order_of_sets_and_of_keyed_rows_is_nothing(comparing, one, chance: random.Random):
    other = {**one}
    for name in ("tags", "prices"):
        other[name] = chance.sample(one[name], len(one[name]))
    once = {row["sku"]: row for row in one["lines"]}
    one = {**one, "lines": list(once.values())}
    other["lines"] = chance.sample(one["lines"], len(one["lines"]))
    assert paths(comparing(**SETTINGS), one, other) == []


@given(answers, answers)
def test_both_values_of_a_difference_are_found_again(comparing, one, other):
    for path in paths(comparing(**SETTINGS), one, other):
        old, new = values_at(path, one, other)
        assert old != new or path[0] in "+-"
