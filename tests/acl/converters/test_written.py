"""What each converter makes of a text: examples, refusals, wrong arguments."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from stranglerfig.acl.converters import converter
from stranglerfig.acl.converters.traits import traits_of
from stranglerfig.errors import ConfigError
from stranglerfig.ports import Converter

CODES = {"status": {"07": "active"}}


def made(form: str) -> Converter:
    return converter(form, CODES)


def length(**parts: float) -> dt.timedelta:
    return dt.timedelta(**parts)


@pytest.mark.parametrize(
    ("form", "text", "value"),
    [
        ("text(pad=6)", "ab    ", "ab"),
        ("text(pad=6, left, fill=0)", "000042", "42"),
        ("text(upper)", "straße", "STRASSE"),
        ("text(normal=NFC)", "u\u0308", "\u00fc"),
        ("decimal(2, comma)", "12,50", Decimal("12.50")),
        ("decimal(2, comma, thousands='.')", "-1.234.567,80", Decimal("-1234567.80")),
        ("decimal(0, thousands='''')", "1'000", Decimal(1000)),
        ("decimal(2, trailing)", "12.50-", Decimal("-12.50")),
        ("decimal(2, implied)", "5", Decimal("0.05")),
        ("decimal(2, implied)", "-1250", Decimal("-12.50")),
        ("decimal(2, implied, width=9)", "000001250", Decimal("12.50")),
        ("decimal(2, implied, width=9)", "-00001250", Decimal("-12.50")),
        ("decimal(2, implied, width=9, trailing)", "000001250-", Decimal("-12.50")),
        ("decimal(2, lax, comma)", "+007,5", Decimal("7.50")),
        ("decimal(2, lax, thousands='.', comma)", "1234,5", Decimal("1234.50")),
        ("boolean", "true", True),
        ("boolean(J, N)", "N", False),
        ("date(DD.MM.YYYY)", "29.02.2024", dt.date(2024, 2, 29)),
        ("date(D/M/YYYY)", "3/12/2024", dt.date(2024, 12, 3)),
        ("date(YYYYDDD)", "2024060", dt.date(2024, 2, 29)),
        ("date(CYYMMDD)", "1240229", dt.date(2024, 2, 29)),
        ("date(YYMMDD, pivot=50)", "491231", dt.date(2049, 12, 31)),
        ("date(YYMMDD, pivot=50)", "500101", dt.date(1950, 1, 1)),
        ("date(DD-MMM-YYYY)", "29-Feb-2024", dt.date(2024, 2, 29)),
        ("time(hh:mm a)", "12:05 AM", dt.time(0, 5)),
        ("time(hh:mm a)", "12:05 PM", dt.time(12, 5)),
        ("time(HHmmssff)", "10110299", dt.time(10, 11, 2, 990_000)),
        ("timestamp(YYYYDDDHHmm)", "20240601011", dt.datetime(2024, 2, 29, 10, 11)),  # noqa: DTZ001
        ("timestamp(epoch)", "-1", dt.datetime(1969, 12, 31, 23, 59, 59, tzinfo=dt.UTC)),
        ("duration(minutes)", "90", length(minutes=90)),
        ("duration(HH:mm:ss)", "36:05:00", length(hours=36, minutes=5)),
        ("duration(HH:mm)", "-00:30", length(minutes=-30)),
        ("duration(iso)", "P1DT2H30M", length(days=1, hours=2, minutes=30)),
        ("duration(iso)", "-PT0.5S", length(milliseconds=-500)),
        ("duration(iso, lax)", "P2W", length(weeks=2)),
        ("duration(iso, lax)", "PT90M", length(minutes=90)),
        ("unit(cent, EUR)", "1250", Decimal("12.50")),
        ("unit(penny, GBP)", "-5", Decimal("-0.05")),
        ("unit(cm, m)", "180", Decimal("1.80")),
        ("unit(percent, ratio, digits=1)", "12.5", Decimal("0.125")),
        ("unit(lb, kg, places=2, half_even)", "10", Decimal("4.54")),
        ("unit(minutes, hours, places=2, half_up)", "100", Decimal("1.67")),
        ("unit(minutes, hours, places=0, half_even)", "30", Decimal(0)),
        ("unit(minutes, hours, places=0, half_even)", "90", Decimal(2)),
        ("unit(minutes, hours, places=0, floor)", "-1", Decimal(-1)),
        ("unit(minutes, hours, places=0, ceiling)", "-1", Decimal(0)),
        ("unit(minutes, hours, places=0, down)", "119", Decimal(1)),
        ("unit(minutes, hours, places=0, up)", "61", Decimal(2)),
        ("unit(factor=0.001)", "5", Decimal("0.005")),
        ("bytes(base64)", "AP8=", b"\x00\xff"),
        ("bytes(base64url)", "_w", b"\xff"),
        ("bytes(hex)", "00ff", b"\x00\xff"),
        ("bytes(base64, lax)", "AP\r\n8=", b"\x00\xff"),
        ("list(;)", "", []),
        ("list(;)", "a;;b", ["a", "", "b"]),
        ("list(comma, integer)", "1,2", [1, 2]),
        ("list(' / ', date, DD.MM.YYYY)", "29.02.2024", [dt.date(2024, 2, 29)]),
        ("list(;, code, status)", "07", ["active"]),
        (
            "json",
            '{"b":[1,1.50,true,null],"a":"x"}',
            {"b": [1, Decimal("1.50"), True, None], "a": "x"},
        ),
        ("json(lax)", ' { "a" : 1E2 } ', {"a": Decimal("1E2")}),
    ],
)
def test_decoding(form: str, text: str, value: object):
    decoded = made(form).decode(text)
    assert decoded == value
    assert type(decoded) is type(value)
    assert str(decoded) == str(value)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("text(pad=6)", "ab"),
        ("text(charset=ascii)", "ü"),
        ("decimal(2, comma)", "12.50"),
        ("decimal(2, thousands=',')", "1234.50"),
        ("decimal(2, thousands=',')", "12,34.50"),
        ("decimal(2, thousands=',')", "0,123.00"),
        ("decimal(2, implied)", "005"),
        ("decimal(2, implied)", "1.25"),
        ("decimal(2, implied, width=9)", "1250"),
        ("decimal(2, implied, width=9)", "+00001250"),
        ("decimal(2, trailing)", "-12.50"),
        ("boolean(Y, N)", "y"),
        ("boolean", "TRUE"),
        ("date(YYYYMMDD)", "20000101\u0663"),
        ("date(YYYYMMDD)", "2024W011"),
        ("date(YYYYDDD)", "2023366"),
        ("date(YYYYDDD)", "2024000"),
        ("date(DD-MMM-YYYY)", "29-FEB-2024"),
        ("date(D.M.YYYY)", "03.12.2024"),
        ("time(HH:mm)", "24:00"),
        ("time(hh:mm a)", "13:00 PM"),
        ("duration(iso)", "P1Y"),
        ("duration(iso)", "P"),
        ("duration(iso)", "PT"),
        ("duration(iso)", "P1DT"),
        ("duration(iso)", "PT90M"),
        ("duration(seconds)", "1" * 20),
        ("duration(HH:mm)", "1:00"),
        ("duration(HH:mm)", "-00:00"),
        ("unit(cent, EUR)", "12.50"),
        ("unit(cent, EUR)", "-0"),
        ("unit(minutes, hours, places=2)", "100"),
        ("enum(a, b)", "c"),
        ("bytes(base64)", "AP8"),
        ("bytes(base64)", "AP9="),
        ("bytes(base64)", "AP\n8="),
        ("bytes(hex)", "00 ff"),
        ("bytes(hex)", "00FF"),
        ("json", "null"),
        ("json", "NaN"),
        ("json", '{"a": 1}'),
        ("json(lax)", '{"a":1,"a":2}'),
        ("json(lax)", "1e400000000"),
        ("json(lax)", "[" * 100_000),
        ("json(lax)", "9" * 5000),
        ("list(comma, integer)", "1,,2"),
    ],
)
def test_what_is_refused(form: str, text: str):
    with pytest.raises(ValueError, match=r"\w") as caught:
        made(form).decode(text)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("text(pad=3)", "abcd"),
        ("text(pad=3)", "a "),
        ("text(charset=cp037)", "\u20ac"),
        ("decimal(2, implied, width=5)", Decimal("1000.00")),
        ("boolean", 1),
        ("boolean", "true"),
        ("date(YYMMDD, pivot=50)", dt.date(2050, 1, 1)),
        ("date(CYYMMDD)", dt.date(1899, 12, 31)),
        ("time(HH:mm)", dt.time(10, 11, 12)),
        ("time(HH:mm)", dt.time(10, tzinfo=dt.UTC)),
        ("duration(minutes)", length(seconds=90)),
        ("duration(HH:mm)", length(microseconds=1)),
        ("unit(cent, EUR)", Decimal("0.005")),
        ("unit(cent, EUR)", Decimal("1E+400000000")),
        ("unit(cent, EUR)", Decimal("1E-400000000")),
        ("unit(cent, EUR)", Decimal("9" * 38)),
        ("unit(cent, EUR)", 0.5),
        ("enum(a, b)", None),
        ("bytes(hex)", "00"),
        ("list(;)", [""]),
        ("list(;)", ["a;b"]),
        ("list(;)", [1]),
        ("list(;)", "ab"),
        ("json", None),
        ("json", {1: 2}),
        ("json", {"a": b""}),
        ("json", float("inf")),
        ("json", "\ud800"),
    ],
)
def test_what_is_not_written(form: str, value: object):
    with pytest.raises(ValueError, match=r"\w"):
        made(form).encode(value)


@pytest.mark.parametrize(
    "form",
    [
        "decimal(2, comma, thousands=',')",
        "decimal(2, thousands='.')",
        "decimal(2, thousands='x')",
        "decimal(2, implied, comma)",
        "decimal(2, width=3)",
        "decimal(2, width=9, thousands=',')",
        "decimal(2, up, down)",
        "boolean(Y)",
        "boolean(Y, Y)",
        "boolean(Y, N, X)",
        "date(YYYY)",
        "date(YYMMDD)",
        "date(YYYYMMDD, pivot=50)",
        "date(YYMMDD, pivot=101)",
        "date(YYYYMMDDHH)",
        "date(YYYYMMMDD, months='a b c')",
        "time(YYYY)",
        "time(mm:ss)",
        "time()",
        "duration()",
        "duration(years)",
        "duration(mm:ss)",
        "duration(seconds, lax)",
        "unit()",
        "unit(cent)",
        "unit(cent, kg)",
        "unit(EUR, USD)",
        "unit(centt, EUR)",
        "unit(minutes, hours)",
        "unit(factor=0)",
        "unit(factor=x)",
        "enum()",
        "enum(a, a)",
        "bytes()",
        "bytes(base32)",
        "list()",
        "list(;, 'integer | text')",
        "list(;, integer, 1)",
        "json(strict)",
    ],
)
def test_wrong_arguments_are_refused(form: str):
    with pytest.raises(ValueError, match=r"\w"):
        made(form)


def test_a_list_of_what_nobody_has():
    with pytest.raises(ConfigError, match="no such part"):
        made("list(;, decmal)")


def test_lists_say_what_they_are_of():
    assert traits_of(made("list(;, integer)")).type == "integer[]"
    assert traits_of(made("list(;, code, status)")).table == "status"


@pytest.mark.parametrize("text", ["1e" + "9" * 4000, "-1.5e-" + "9" * 30, "1e999"])
def test_json_refuses_numbers_beyond_all_bounds(text: str):
    with pytest.raises(ValueError, match="digits on either side"):
        made("json").decode(text)
