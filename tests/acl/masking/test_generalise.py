"""Values made coarser."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.acl.masking.generalise import generaliser
from stranglerfig.acl.masking.rule import parse_rule
from stranglerfig.errors import ConfigError

DAY = dt.date(1984, 5, 17)
MOMENT = dt.datetime(1984, 5, 17, 23, 45, tzinfo=dt.UTC)


def coarser(value, **options):
    return generaliser(parse_rule({"action": "generalise", **options}, "masking"))(value)


@pytest.mark.parametrize(
    ("value", "options", "expected"),
    [
        (DAY, {}, "1984"),
        (DAY, {"to": "month"}, "1984-05"),
        (DAY, {"to": "hour"}, "1984-05-17"),
        (MOMENT, {}, "1984"),
        (MOMENT, {"to": "hour"}, "1984-05-17T23"),
        (dt.date(7, 5, 17), {}, "0007"),
        (dt.time(23, 45), {}, "23"),
        (1234, {}, 1000),
        (-1850, {}, -2000),
        (7, {}, 10),
        (3, {}, 0),
        (Decimal("1234.56"), {}, Decimal(1000)),
        (Decimal("0.25"), {}, Decimal(0)),
        (1234, {"round": 50}, 1250),
        (Decimal("12.34"), {"round": "0.5"}, Decimal("12.5")),
        (1234, {"band": 100}, "1200..1300"),
        (-5, {"band": 10}, "-10..0"),
        (Decimal("0.25"), {"band": "0.1"}, "0.2..0.3"),
        (Decimal(300), {"band": 100}, "300..400"),
        ("70173", {}, "70…"),
        ("70173", {"prefix": 4}, "70…"),
        ("SW1A 2AA", {"prefix": 4}, "SW1A…"),
        ("x", {}, "…"),
        ("", {}, "…"),
        ("⟦name:7f3a09c4⟧ and more of it", {"prefix": 12}, "name:7f3a09…"),
        (True, {}, None),
        (b"bytes", {}, None),
        ({"a": 1}, {}, None),
        (Decimal("1e90"), {}, None),
    ],
)
def test_a_value_made_coarser(value, options, expected):
    found = coarser(value, **options)
    assert found == expected
    assert type(found) is type(expected)


@given(st.integers(-(10**30), 10**30) | st.decimals(-(10**9), 10**9, places=4))
def test_a_number_lies_in_its_band(value):
    low, high = map(int, coarser(value, band=25).split(".."))
    assert low <= value < high
    assert high - low == 25
    assert low % 25 == 0


@given(st.decimals(allow_nan=False, allow_infinity=False), st.decimals("1e-60", 10**60))
def test_no_number_and_no_width_is_too_odd(value, width):
    for name in ("band", "round"):
        assert coarser(value, **{name: str(width)}) is None or value.adjusted() <= 40
    assert coarser(value) is None or value.adjusted() <= 40


@given(st.text(max_size=30), st.integers(0, 20))
def test_never_more_than_half_of_a_text_stays(text, prefix):
    kept = coarser(text, prefix=prefix).removesuffix("…")
    assert len(kept) <= min(prefix, len(text) // 2)


@pytest.mark.parametrize(
    ("rule", "place", "message"),
    [
        ("hide", "m", "not an action"),
        ({"scope": "tenant"}, "m.action", "not an action"),
        ({"action": "keep", "scope": "tenant"}, "m.scope", "no meaning"),
        ({"action": "token", "to": "year"}, "m.to", "no meaning"),
        ({"action": "token", "scope": "world"}, "m.scope", "Invalid enum"),
        ({"action": "generalise", "band": 0}, "m.band", "not a width"),
        ({"action": "generalise", "round": "x"}, "m.round", "not a width"),
        ({"action": "generalise", "round": "inf"}, "m.round", "not a width"),
        ({"action": "generalise", "round": 1, "band": 1}, "m.band", "beside"),
        ({"action": "generalise", "prefix": -1}, "m.prefix", "not a length"),
        ({"action": "generalise", "step": 1}, "m: step", "unknown key"),
        (7, "m", "not a rule"),
        ([], "m", "not a rule"),
    ],
)
def test_a_rule_that_is_none(rule, place, message):
    with pytest.raises(ConfigError, match=message) as caught:
        parse_rule(rule, "m")
    assert caught.value.place.replace("m: ", "m: ") == place
