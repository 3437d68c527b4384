"""Local times: the hours that come twice or never, and what is far away."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.acl.converters import timestamp
from stranglerfig.ports import Converter

PATTERN = "YYYY-MM-DD HH:mm:ss"
BERLIN = "zone=Europe/Berlin"
TWICE, NEVER = "2024-10-27 02:30:00", "2024-03-31 02:30:00"


def berlin(*more: str) -> Converter:
    return timestamp([PATTERN, BERLIN, *more], {})


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)


def test_local_times_become_instants():
    assert berlin().decode("2024-02-29 12:00:00") == utc(2024, 2, 29, 11)
    assert berlin().decode("2024-07-01 12:00:00") == utc(2024, 7, 1, 10)
    assert berlin().encode(utc(2024, 7, 1, 10)) == "2024-07-01 12:00:00"
    assert berlin().decode("2024-07-01 12:00:00").tzinfo is dt.UTC


def test_a_time_that_came_twice_is_refused_by_name():
    with pytest.raises(ValueError, match="2024-10-27 02:30:00 .* Europe/Berlin .* twice .*fold="):
        berlin().decode(TWICE)
    with pytest.raises(ValueError, match="twice"):
        berlin().encode(utc(2024, 10, 27, 0, 30))


def test_one_of_the_two_is_chosen():
    early, late = utc(2024, 10, 27, 0, 30), utc(2024, 10, 27, 1, 30)
    assert berlin("fold=earlier").decode(TWICE) == early
    assert berlin("fold=later").decode(TWICE) == late
    assert berlin("fold=later").encode(late) == TWICE
    with pytest.raises(ValueError, match="read as the later of two"):
        berlin("fold=later").encode(early)


def test_a_time_that_never_was_is_refused_by_name():
    with pytest.raises(ValueError, match="2024-03-31 02:30:00 .* Europe/Berlin .*gap="):
        berlin().decode(NEVER)
    assert berlin("gap=forward").decode(NEVER) == utc(2024, 3, 31, 1, 30)
    assert berlin("gap=forward").encode(utc(2024, 3, 31, 1, 30)) == "2024-03-31 03:30:00"


@given(st.datetimes(min_value=dt.datetime(1950, 1, 1), timezones=st.just(dt.UTC)))  # noqa: DTZ001
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_every_instant_comes_back_or_is_refused(zone: str, value: dt.datetime):
    value = value.replace(microsecond=0)
    converter = timestamp([PATTERN, f"zone={zone}"], {})
    try:
        text = converter.encode(value)
    except ValueError as error:
        assert "twice" in str(error) or "9999" in str(error)
    else:
        assert converter.decode(text) == value
        assert converter.encode(converter.decode(text)) == text


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([PATTERN, "zone=+02:00"], "0001-01-01 00:00:00"),
        ([PATTERN, "zone=Asia/Tokyo"], "0001-01-01 00:00:00"),
        ([PATTERN, "zone=America/New_York"], "9999-12-31 23:59:59"),
        (["iso"], "2024-02-29T24:00:00Z"),
        (["iso"], "2024-02-29 10:00:00"),
        (["iso"], "2024-02-29T10:00:00.1Z"),
        (["iso"], "2024-02-29T10:00:00+00:00"),
        (["iso"], "2024-02-29T10:00Z"),
        (["iso"], "20240229T100000Z"),
        (["iso", BERLIN], "2024-02-29T10:00:00Z"),
        (["epoch"], "1.5"),
        (["epoch"], "99999999999999"),
        (["epoch_millis"], "+1"),
        (["YYYY-MM-DDTHH:mm:ssZ"], "2024-02-29T10:00:00+00:00"),
        (["YYYY-MM-DDTHH:mm:ssZ"], "2024-02-29T10:00:00+99:00"),
    ],
)
def test_what_is_refused(arguments: list[str], text: str):
    with pytest.raises(ValueError, match=r"\w"):
        timestamp(arguments, {}).decode(text)


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ([PATTERN, BERLIN], dt.datetime(2024, 1, 1)),  # noqa: DTZ001
        ([PATTERN], utc(2024, 1, 1)),
        (["YYYY-MM-DDTHH:mm:ssZ"], dt.datetime(2024, 1, 1)),  # noqa: DTZ001
        ([PATTERN, BERLIN], utc(2024, 1, 1, 0, 0, 0, 1)),
        (["epoch"], utc(1970, 1, 1, 0, 0, 0, 1)),
        (["epoch"], dt.datetime(2024, 1, 1)),  # noqa: DTZ001
        (["iso"], dt.date(2024, 1, 1)),
        ([PATTERN, "zone=+02:00"], utc(9999, 12, 31, 23)),
    ],
)
def test_what_is_not_written(arguments: list[str], value: object):
    with pytest.raises(ValueError, match=r"\w"):
        timestamp(arguments, {}).encode(value)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["YYYYMMDD"],
        ["HHmmss"],
        ["YYYYMMDDmmss"],
        ["YYYYMMDDHHss"],
        [PATTERN, "zone=Europe/Bonn"],
        [PATTERN, "zone=+25:00"],
        [PATTERN, "zone=../etc/passwd"],
        [PATTERN, "fold=earlier"],
        [PATTERN, BERLIN, "fold=both"],
        [PATTERN, BERLIN, "gap=back"],
        ["YYYYMMDDHHmmssZ", BERLIN],
        ["epoch", BERLIN],
        [PATTERN, "pivot=50"],
        ["YYMMDDHHmm"],
        [PATTERN, "months=a b"],
    ],
)
def test_wrong_arguments_are_refused(arguments: list[str]):
    with pytest.raises(ValueError, match=r"\w"):
        timestamp(arguments, {})
