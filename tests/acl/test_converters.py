"""Converters: exact both ways, and clear about what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date as day
from datetime import datetime
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.acl.converters import code, date, decimal, integer, text
from stranglerfig.acl.converters.traits import Factory, traits_of
from stranglerfig.ports import Converter
from stranglerfig.registry import find

CODES = {"status": {"07": "active", "08": "closed"}, "loose": {"1": "a", "2": "a"}}
EXACT: list[Converter] = [
    text([], CODES),
    text(["max=5"], CODES),
    integer([], CODES),
    integer(["4"], CODES),
    decimal(["0"], CODES),
    decimal(["2"], CODES),
    date(["YYYYMMDD"], CODES),
    date(["YYYY-MM-DD"], CODES),
    date(["DD.MM.YYYY"], CODES),
    code(["status"], CODES),
]
ANY = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.decimals(),
    st.dates(),
    st.datetimes(),
)
REFUSED = object()
NUMBERS = st.from_regex(r"[+-]?[0-9]{0,4}(\.[0-9]{0,4})?", fullmatch=True)
TEXTS = st.one_of(st.text(), NUMBERS, st.from_regex(r"[0-9.-]{8,10}", fullmatch=True))


@given(st.sampled_from(EXACT), TEXTS)
def test_what_is_taken_comes_back(converter: Converter, legacy: str):
    value = outcome(converter.decode, legacy)
    assert value is REFUSED or converter.encode(value) == legacy


@given(st.sampled_from([*EXACT, decimal(["2", "half_even"], {}), integer(["lax"], {})]), ANY)
def test_what_is_written_is_read_again(converter: Converter, value: object):
    legacy = outcome(converter.encode, value)
    if legacy is not REFUSED:
        assert isinstance(legacy, str)
        assert converter.encode(converter.decode(legacy)) == legacy


@given(st.sampled_from(EXACT), st.one_of(TEXTS, ANY))
def test_the_quick_forms_agree(converter: Converter, value: object):
    traits = traits_of(converter)
    for quick, careful in (
        (traits.decoding, converter.decode),
        (traits.encoding, converter.encode),
    ):
        if quick is None or (careful == converter.decode and not isinstance(value, str)):
            continue
        assert outcome(quick, value) == outcome(careful, value)


def outcome(call: Callable[..., object], value: object) -> object:
    try:
        return call(value)
    except (ValueError, KeyError, TypeError):
        return REFUSED


@given(st.integers(-(10**38) + 1, 10**38 - 1))
def test_integers(number: int):
    assert integer([], {}).decode(str(number)) == number
    assert integer([], {}).encode(number) == str(number)


@given(st.dates())
@pytest.mark.parametrize("pattern", ["YYYYMMDD", "YYYY-MM-DD", "DD.MM.YYYY", "MM/DD/YYYY"])
def test_every_day_goes_both_ways(pattern: str, value: day):
    converter = date([pattern], {})
    assert converter.decode(converter.encode(value)) == value


@given(st.decimals(min_value=-(10**30), max_value=10**30, places=4))
def test_rounding_is_the_one_that_was_asked_for(value: Decimal):
    for name, rounding in (("half_up", ROUND_HALF_UP), ("half_even", ROUND_HALF_EVEN)):
        written = decimal(["2", name], {}).encode(value)
        scaled = value.scaleb(2).to_integral_value(rounding=rounding)
        assert Decimal(written).scaleb(2) == scaled


@pytest.mark.parametrize(
    ("converter", "legacy", "value"),
    [
        (text(["trim"], {}), "  a b ", "a b"),
        (integer(["lax"], {}), "+007", 7),
        (integer(["4"], {}), "0042", 42),
        (integer(["4"], {}), "-042", -42),
        (decimal(["2"], {}), "-0.50", Decimal("-0.50")),
        (decimal(["2"], {}), "9" * 38 + ".99", Decimal("9" * 38 + ".99")),
        (decimal(["2", "lax"], {}), "+07.5", Decimal("7.50")),
        (decimal(["2", "half_even"], {}), "0.125", Decimal("0.12")),
        (decimal(["2", "half_up"], {}), "0.125", Decimal("0.13")),
        (date(["YYYYMMDD"], {}), "20240229", day(2024, 2, 29)),
        (code(["status"], CODES), "07", "active"),
    ],
)
def test_decoding(converter: Converter, legacy: str, value: object):
    decoded = converter.decode(legacy)
    assert decoded == value
    assert type(decoded) is type(value)


@pytest.mark.parametrize(
    ("converter", "legacy"),
    [
        (integer([], {}), "007"),
        (integer([], {}), "+7"),
        (integer([], {}), " 7"),
        (integer([], {}), "-0"),
        (integer([], {}), "\u0667"),
        (integer([], {}), "1_0"),
        (integer([], {}), "9" * 39),
        (integer(["4"], {}), "42"),
        (integer(["4"], {}), "-000"),
        (decimal(["2"], {}), "1.5"),
        (decimal(["2"], {}), "1.500"),
        (decimal(["2"], {}), "1e2"),
        (decimal(["2"], {}), "NaN"),
        (decimal(["2"], {}), "01.50"),
        (decimal(["2"], {}), "1,50"),
        (decimal(["2", "lax"], {}), "1.505"),
        (date(["YYYYMMDD"], {}), "20230229"),
        (date(["YYYYMMDD"], {}), "00000000"),
        (date(["YYYYMMDD"], {}), "2024-02-29"),
        (date(["YYYY-MM-DD"], {}), "2024-W01-1"),
        (code(["status"], CODES), "7"),
        (text(["max=3"], {}), "abcd"),
    ],
)
def test_what_is_refused(converter: Converter, legacy: str):
    with pytest.raises(ValueError, match=r"\w"):
        converter.decode(legacy)


@pytest.mark.parametrize(
    ("converter", "value"),
    [
        (text([], {}), 5),
        (integer([], {}), True),
        (integer([], {}), 10**38),
        (integer(["4"], {}), 12345),
        (integer(["4"], {}), -1234),
        (decimal(["2"], {}), 0.5),
        (decimal(["2"], {}), Decimal("0.505")),
        (decimal(["2"], {}), Decimal("Infinity")),
        (decimal(["2"], {}), Decimal("1E+40")),
        (decimal(["2"], {}), True),
        (date(["YYYYMMDD"], {}), "20240229"),
        (date(["YYYYMMDD"], {}), datetime(2024, 2, 29)),  # noqa: DTZ001
        (code(["status"], CODES), "open"),
        (code(["status"], CODES), ["active"]),
    ],
)
def test_what_is_not_written(converter: Converter, value: object):
    with pytest.raises(ValueError, match=r"\w"):
        converter.encode(value)


@pytest.mark.parametrize(
    ("factory", "arguments"),
    [
        (text, ["max=0"]),
        (text, ["max=x"]),
        (text, ["capitals"]),
        (text, ["fill=x"]),
        (text, ["pad=5", "left", "right"]),
        (text, ["charset=klingon"]),
        (text, ["normal=NFX"]),
        (integer, ["1"]),
        (integer, ["4", "5"]),
        (decimal, []),
        (decimal, ["x"]),
        (decimal, ["39"]),
        (decimal, ["2", "sometimes"]),
        (decimal, ["2", "up", "down"]),
        (date, []),
        (date, ["YYMMDD"]),
        (date, ["YYYYMMDDMM"]),
        (date, ["YYYYxMMDD"]),
        (code, []),
        (code, ["nosuch"]),
        (code, ["status", "loose"]),
    ],
)
def test_wrong_arguments_are_refused(factory: Factory, arguments: list[str]):
    with pytest.raises(ValueError, match=r"\w"):
        factory(arguments, CODES)


@pytest.mark.parametrize("factory", [text, integer, decimal, date, code])
def test_the_registry_finds_them(factory: Factory):
    assert find("converters", factory.__name__) is factory
