"""Every converter, both ways: what is written is read again, what is read is written again."""

from __future__ import annotations

import datetime as dt
import string
import tomllib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stranglerfig.acl.converters import BUILT_IN, converter, find_converter
from stranglerfig.acl.converters.traits import traits_of
from stranglerfig.acl.generate import Function
from stranglerfig.errors import ConfigError
from stranglerfig.ports import Converter

CODES = {"status": {"07": "active", "08": "closed", "": "none"}}
REFUSED = object()
SOME = settings(max_examples=30)


def made(form: str) -> Converter:
    return converter(form, CODES)


def scaled(places: int, digits: int = 12) -> st.SearchStrategy[Decimal]:
    top = 10**digits
    return st.integers(-top, top).map(lambda number: Decimal(number).scaleb(-places))


def positive(places: int, digits: int) -> st.SearchStrategy[Decimal]:
    return st.integers(0, 10**digits - 1).map(lambda number: Decimal(number).scaleb(-places))


def moments(step: dt.timedelta, zone: dt.tzinfo | None = None, **bounds: dt.datetime):
    def cut(value: dt.datetime) -> dt.datetime:
        start = dt.datetime(1, 1, 1, tzinfo=value.tzinfo)
        return start + (value - start) // step * step

    return st.datetimes(**bounds, timezones=st.just(zone)).map(cut)


def day(*parts: int) -> dt.datetime:
    return dt.datetime(*parts)  # noqa: DTZ001 - hypothesis adds the zone


PLAIN = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
WORDS = st.text(string.ascii_letters + "äöü", max_size=8)
SECOND, MILLI, MICRO = (
    dt.timedelta(**{name: 1}) for name in ("seconds", "milliseconds", "microseconds")
)
DAYS = st.timedeltas(dt.timedelta(-9999), dt.timedelta(9999))
LEAF = st.one_of(st.booleans(), st.integers(), PLAIN, scaled(2), scaled(30))
JSON = st.recursive(
    LEAF,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(PLAIN, inner, max_size=4)),
    max_leaves=12,
)

EXACT: dict[str, st.SearchStrategy[object]] = {
    "text": PLAIN,
    "text(max=8)": PLAIN,
    "text(pad=9)": WORDS,
    "text(pad=9, left, fill=0)": WORDS,
    "text(pad=9, fill='''')": WORDS,
    "text(charset=latin-1)": WORDS,
    "text(charset=cp037, pad=12)": WORDS,
    "integer": st.integers(-(10**38) + 1, 10**38 - 1),
    "integer(6)": st.integers(-99_999, 999_999),
    "decimal(0)": scaled(0),
    "decimal(2)": scaled(2),
    "decimal(6)": scaled(6),
    "decimal(9)": scaled(9),
    "decimal(2, comma)": scaled(2),
    "decimal(2, comma, thousands='.')": scaled(2),
    "decimal(2, thousands=',', trailing)": scaled(2),
    "decimal(0, thousands='''')": scaled(0),
    "decimal(2, trailing)": scaled(2),
    "decimal(2, implied)": scaled(2),
    "decimal(0, implied)": scaled(0),
    "decimal(2, implied, trailing)": scaled(2),
    "decimal(2, implied, width=9)": scaled(2, 7),
    "decimal(2, implied, width=9, trailing)": scaled(2, 9).filter(lambda one: abs(one) < 10**7),
    "decimal(3, width=9)": positive(3, 8),
    "decimal(3, width=9, comma)": scaled(3, 6),
    "boolean": st.booleans(),
    "boolean(Y, N)": st.booleans(),
    "boolean(1, '')": st.booleans(),
    "date(YYYYMMDD)": st.dates(),
    "date(YYYY-MM-DD)": st.dates(),
    "date(DD.MM.YYYY)": st.dates(),
    "date(D.M.YYYY)": st.dates(),
    "date(YYYYDDD)": st.dates(),
    "date(DD-MMM-YYYY)": st.dates(),
    "date(DDMMMYY, pivot=30, months='JAN FEB MRZ APR MAI JUN JUL AUG SEP OKT NOV DEZ')": st.dates(
        dt.date(1930, 1, 1), dt.date(2029, 12, 31)
    ),
    "date(YYMMDD, pivot=50)": st.dates(dt.date(1950, 1, 1), dt.date(2049, 12, 31)),
    "date(YYDDD, pivot=0)": st.dates(dt.date(1900, 1, 1), dt.date(1999, 12, 31)),
    "date(YYDDD, pivot=100)": st.dates(dt.date(2000, 1, 1), dt.date(2099, 12, 31)),
    "date(CYYMMDD)": st.dates(dt.date(1900, 1, 1), dt.date(2899, 12, 31)),
    "date('YYYY{MM}DD')": st.dates(),
    "time(HHmmss)": st.times().map(lambda one: one.replace(microsecond=0)),
    "time(HH:mm)": st.times().map(lambda one: one.replace(second=0, microsecond=0)),
    "time(HH:mm:ss.ffffff)": st.times(),
    "time(hh:mm:ss a)": st.times().map(lambda one: one.replace(microsecond=0)),
    "time(HH.mm.ss.f)": st.times().map(
        lambda one: one.replace(microsecond=one.microsecond // 100_000 * 100_000)
    ),
    "timestamp(YYYYMMDDHHmmss)": moments(SECOND),
    "timestamp(YYYY-MM-DD-HH.mm.ss.ffffff)": moments(MICRO),
    "timestamp(YYYY-MM-DDTHH:mm:ss.fffZ)": moments(MILLI, dt.UTC),
    "timestamp(YYYY-MM-DD HH:mm:ssZ)": moments(SECOND, dt.timezone(dt.timedelta(minutes=-570))),
    "timestamp(DD.MM.YY HH:mm:ss, pivot=70, zone=+02:00)": moments(
        SECOND, dt.UTC, min_value=day(1970, 1, 2), max_value=day(2069, 12, 30)
    ),
    "timestamp(YYYYMMDDHHmmss, zone=UTC)": moments(SECOND, dt.UTC),
    "timestamp(iso)": st.one_of(
        moments(MICRO), moments(SECOND, dt.UTC), moments(MILLI, dt.timezone(dt.timedelta(hours=2)))
    ),
    "timestamp(iso, zone=Asia/Kolkata)": moments(
        SECOND, dt.UTC, min_value=day(1950, 1, 1), max_value=day(9999, 1, 1)
    ),
    "timestamp(epoch)": moments(SECOND, dt.UTC),
    "timestamp(epoch_millis)": moments(MILLI, dt.UTC),
    "timestamp(epoch_micros)": moments(MICRO, dt.UTC),
    "duration(seconds)": DAYS.map(lambda one: one // SECOND * SECOND),
    "duration(minutes)": DAYS.map(lambda one: one // (60 * SECOND) * (60 * SECOND)),
    "duration(days)": DAYS.map(lambda one: dt.timedelta(one.days)),
    "duration(milliseconds)": DAYS.map(lambda one: one // MILLI * MILLI),
    "duration(HH:mm)": DAYS.map(lambda one: one // (60 * SECOND) * (60 * SECOND)),
    "duration(HHmmss)": DAYS.map(lambda one: one // SECOND * SECOND),
    "duration(HH:mm:ss.fff)": DAYS.map(lambda one: one // MILLI * MILLI),
    "duration(iso)": DAYS,
    "code(status)": st.sampled_from(list(CODES["status"].values())),
    "code(status, pass)": PLAIN.filter(lambda one: one not in CODES["status"]),
    "unit(cent, EUR)": scaled(2),
    "unit(EUR, cent, digits=2)": scaled(0),
    "unit(g, kg)": scaled(3),
    "unit(kg, g, digits=3)": scaled(0),
    "unit(hours, minutes, digits=1)": st.integers(-999, 999).map(lambda one: Decimal(one * 6)),
    "unit(minutes, hours, places=2)": st.integers(-999, 999).map(
        lambda one: Decimal(one * 5).scaleb(-2)
    ),
    "unit(percent, ratio, digits=2)": scaled(4),
    "unit(factor=1/8)": st.integers(-999, 999).map(lambda one: Decimal(one * 125).scaleb(-3)),
    "enum(a, b, '')": st.sampled_from(["a", "b", ""]),
    "bytes(base64)": st.binary(),
    "bytes(base64url)": st.binary(),
    "bytes(hex)": st.binary(),
    "bytes(HEX)": st.binary(),
    "list(;)": st.lists(st.text("abc", max_size=3)).filter(lambda one: one != [""]),
    "list(comma, integer)": st.lists(st.integers(-(10**9), 10**9)),
    "list(bar, 'decimal(2, comma)')": st.lists(scaled(2)),
    "list(', ', date, YYYYMMDD)": st.lists(st.dates()),
    "json": JSON,
}
LOOSE = {
    "text(trim)": "text(pad=9)",
    "text(trim, max=3)": "text",
    "text(upper)": "text",
    "text(lower)": "text",
    "text(fold)": "text",
    "text(normal=NFC)": "text",
    "text(normal=NFKD, fold)": "text",
    "integer(lax)": "integer(6)",
    "decimal(2, lax)": "decimal(2)",
    "decimal(2, half_even)": "decimal(6)",
    "decimal(2, comma, thousands='.', lax)": "decimal(2, comma)",
    "decimal(2, implied, lax)": "decimal(2, implied, width=9)",
    "decimal(2, implied, width=9, lax)": "decimal(2, implied)",
    "timestamp(iso, lax)": "timestamp(iso)",
    "timestamp(iso, lax, zone=Europe/Berlin, fold=later, gap=forward)": "timestamp(iso)",
    "duration(iso, lax)": "duration(iso)",
    "bytes(base64, lax)": "bytes(base64)",
    "bytes(HEX, lax)": "bytes(hex)",
    "json(lax)": "json",
    "unit(minutes, hours, places=2, half_up)": "integer",
}
"""Forms that take more than they write, with one whose texts they take."""
FORMS = [*EXACT, *LOOSE]
MARKS = string.digits + ".,-+ :;TZPWeE'_\"[]{}\u0663\uff11"
TEXTS = st.one_of(
    st.text(max_size=12),
    st.text(MARKS, max_size=24),
    st.sampled_from(
        ["", " ", "0", "-0", "1E5", "NaN", "0x1", "true", "null", "2024-02-30", "24:00"]
    ),
)


def outcome(call: Callable[..., object], value: object) -> object:
    try:
        return call(value)
    except ValueError:
        return REFUSED


@st.composite
def near(draw: st.DrawFn, form: str) -> str:
    """Draw a text that the converter takes, or nearly so."""
    if draw(st.booleans()):
        return draw(TEXTS)
    form = LOOSE.get(form, form)
    text = made(form).encode(draw(EXACT[form]))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(text)))
        text = (
            text[:at] + draw(st.sampled_from(["", *MARKS])) + text[at + draw(st.integers(0, 1)) :]
        )
    return text


@SOME
@given(st.data())
@pytest.mark.parametrize("form", EXACT)
def test_every_value_goes_there_and_back(form: str, data: st.DataObject):
    value = data.draw(EXACT[form])
    text = made(form).encode(value)
    assert isinstance(text, str)
    again = made(form).decode(text)
    assert again == value
    assert made(form).encode(again) == text


@SOME
@given(st.data())
@pytest.mark.parametrize("form", EXACT)
def test_what_is_taken_comes_back_as_it_was(form: str, data: st.DataObject):
    text = data.draw(near(form))
    value = outcome(made(form).decode, text)
    assert value is REFUSED or made(form).encode(value) == text


@SOME
@given(st.data())
@pytest.mark.parametrize("form", LOOSE)
def test_what_is_taken_loosely_is_the_same_when_read_again(form: str, data: st.DataObject):
    one = made(form)
    value = outcome(one.decode, data.draw(near(form)))
    if value is not REFUSED:
        written = outcome(one.encode, value)
        assert written is REFUSED or one.decode(written) == value


@SOME
@given(st.data())
@pytest.mark.parametrize("form", FORMS)
def test_nothing_but_a_value_error(form: str, data: st.DataObject):
    value = data.draw(
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(),
            st.floats(),
            st.text(),
            st.binary(),
            st.decimals(),
            st.dates(),
            st.times(),
            st.datetimes(),
            st.datetimes(timezones=st.just(dt.UTC)),
            st.timedeltas(),
            st.lists(st.one_of(st.none(), st.integers(), st.text())),
            st.dictionaries(st.integers(), st.none()),
        )
    )
    text = outcome(made(form).encode, value)
    if text is not REFUSED:
        assert isinstance(text, str)
        assert outcome(made(form).decode, text) is not REFUSED


def quick(write: Callable[[Function, str], str]) -> Callable[[object], object]:
    function = Function("quick", "x")
    function.line(f"return {write(function, 'x')}")
    return function.build()


def tried(call: Callable[[object], object], value: object) -> object:
    try:
        return call(value)
    except Exception:  # noqa: BLE001 - a quick form may raise anything
        return REFUSED


QUICK = [form for form in FORMS if traits_of(made(form)).inline]
WRITTEN = [form for form in FORMS if traits_of(made(form)).inline_encode]
NATIVE = [(form, kind) for form in FORMS for kind in traits_of(made(form)).native]
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(),
    st.floats(),
    st.dates(),
    st.lists(st.text(max_size=2), max_size=10),
    st.lists(st.integers(), max_size=3),
)


@SOME
@given(st.data())
@pytest.mark.parametrize("form", QUICK)
def test_quick_forms_read_the_same(form: str, data: st.DataObject):
    text = data.draw(near(form))
    one = made(form)
    expected = outcome(one.decode, text)
    found = tried(quick(traits_of(one).inline), text)
    assert found == expected
    assert type(found) is type(expected)


@SOME
@given(st.data())
@pytest.mark.parametrize(
    "form", [form for form in QUICK if not form.startswith(("enum", "code", "boolean"))]
)
def test_quick_forms_read_text_only(form: str, data: st.DataObject):
    assert tried(quick(traits_of(made(form)).inline), data.draw(ODD)) is REFUSED


@SOME
@given(st.data())
@pytest.mark.parametrize("form", WRITTEN)
def test_quick_forms_write_the_same(form: str, data: st.DataObject):
    one = made(form)
    known = EXACT.get(form, ODD)
    value = data.draw(
        st.one_of(known, ODD.filter(lambda one: one is not None), scaled(2), scaled(7))
    )
    assert tried(quick(traits_of(one).inline_encode), value) == outcome(one.encode, value)


@SOME
@given(st.data())
@pytest.mark.parametrize(("form", "kind"), NATIVE)
def test_native_values_mean_what_their_text_does(form: str, kind: str, data: st.DataObject):
    native = {
        "integer": st.integers(),
        "decimal": st.one_of(scaled(2), st.decimals(allow_nan=False, allow_infinity=False)),
        "boolean": st.booleans(),
    }
    value = data.draw(st.one_of(native[kind], ODD))
    found = tried(quick(traits_of(made(form)).native[kind]), value)
    texts = {int: str, bool: lambda one: str(one).lower(), Decimal: lambda one: format(one, "f")}
    assume(not isinstance(value, Decimal) or (value.is_finite() and abs(value.adjusted()) < 60))
    if type(value) in texts:
        expected = outcome(made(form).decode, texts[type(value)](value))
        assert found is REFUSED or (found == expected and type(found) is type(expected))
        if {"integer": int, "decimal": Decimal, "boolean": bool}[kind] is type(value):
            assert (found is REFUSED) == (expected is REFUSED)
    else:
        assert found is REFUSED


@pytest.mark.parametrize(
    "text",
    ["2000010166", "20000101\u0663", "200001\u0663\u0663", "2000010\uff11", "2024W011", "2000-1-1"],
)
def test_what_the_standard_library_would_take_for_a_day(text: str):
    one = converter("date(YYYYMMDD)")
    assert outcome(one.decode, text) is REFUSED
    assert tried(quick(traits_of(one).inline), text) is REFUSED


def test_the_entry_points_are_the_table():
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())
    points = project["project"]["entry-points"]["stranglerfig.converters"]
    assert {name: target.partition(":")[2] for name, target in points.items()} == {
        name: factory.__name__ for name, factory in BUILT_IN.items()
    }


def test_a_name_that_nobody_has():
    with pytest.raises(ConfigError, match="no such part"):
        find_converter("decmal")
