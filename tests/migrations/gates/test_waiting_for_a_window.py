"""A window of time: zones, days, nights over midnight, holidays, and the hour that comes twice."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.errors import ConfigError
from stranglerfig.migrations.opening import Opening
from stranglerfig.migrations.ports import Met, Waiting

VIENNA = ZoneInfo("Europe/Vienna")
NIGHT = {"from": "22:00", "to": "05:00", "zone": "Europe/Vienna"}


def at(text, zone=VIENNA):
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def look(bench, when, **options):
    bench.time = at(when)
    return bench.gate("window", **{**NIGHT, **options}).look(bench.ctx())


@pytest.mark.parametrize("when", ["2026-11-24T22:00", "2026-11-24T23:59", "2026-11-25T04:59"])
def test_a_night_is_open_until_the_morning(bench, when):
    met = look(bench, when)
    assert isinstance(met, Met)
    assert met.found == "open until Wed 2026-11-25 05:00 CET"


@pytest.mark.parametrize("when", ["2026-11-24T05:00", "2026-11-24T12:00", "2026-11-24T21:59:59"])
def test_by_day_it_says_when_it_opens(bench, when):
    waiting = look(bench, when)
    assert waiting.reason == "waits for its window"
    assert waiting.missing.endswith("until Tue 2026-11-24 22:00 CET")
    assert 0 < waiting.again_after <= 30


def test_it_belongs_to_the_day_on_which_it_opens(bench):
    saturday_morning = "2026-11-28T03:00"
    assert isinstance(look(bench, saturday_morning, days=["fri"]), Met)
    assert isinstance(look(bench, saturday_morning, days=["sat"]), Waiting)
    waiting = look(bench, "2026-11-27T23:00", days=["tue"])
    assert waiting.missing.endswith("until Tue 2026-12-01 22:00 CET")


def test_on_a_holiday_it_does_not_open(bench):
    (bench.folder / "days").write_text("2026-12-25  Christmas\n# more\n\n2026-12-26\n", "utf-8")
    holidays = {"holidays": [dt.date(2026, 12, 24)], "holidays_file": "days"}
    waiting = look(bench, "2026-12-24T23:00", **holidays)
    assert waiting.missing.endswith("until Sun 2026-12-27 22:00 CET")
    assert isinstance(look(bench, "2026-12-24T04:00", **holidays), Met), "opened on the 23rd"


@pytest.mark.parametrize("text", ["Christmas\n", None])
def test_without_its_holidays_it_does_not_open_at_all(bench, text):
    if text:
        (bench.folder / "days").write_text(text, "utf-8")
    with pytest.raises(ConfigError, match="holidays cannot be read") as refused:
        look(bench, "2026-11-24T23:00", holidays_file="days")
    assert refused.value.place == "night.toml: step it: window.holidays_file"


def test_what_is_left_of_it_may_be_too_little(bench):
    assert isinstance(look(bench, "2026-11-25T03:00", left="2h"), Met)
    waiting = look(bench, "2026-11-25T03:01", left="2h")
    assert "only 1 h 59 min are left of this one" in waiting.reason


def test_the_clock_that_is_set_back_makes_a_night_of_one_hour_more(bench):
    # On 25 October 2026, 02:30 comes twice: the window is open at both, and closes at 03:00 CET.
    twice = dt.datetime(2026, 10, 25, 2, 30, tzinfo=VIENNA)
    for moment in (twice, twice.replace(fold=1)):
        bench.time = moment.timestamp()
        gate = bench.gate("window", **{**NIGHT, "to": "03:00"})
        assert gate.look(bench.ctx()).found == "open until Sun 2026-10-25 03:00 CET"


def test_never_is_said(bench):
    days = [dt.date(2026, 1, 1) + dt.timedelta(days=n) for n in range(800)]
    waiting = look(bench, "2026-11-24T12:00", holidays=days)
    assert "does not open within a year" in waiting.reason


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"zone": "Europe/Wien"}, "no time zone"),
        ({"zone": "../../etc/passwd"}, "no time zone"),
        ({"from": "ten"}, "no times of day"),
        ({"from": "22:00+01:00"}, "the zone is said once"),
        ({"days": ["someday"]}, "Invalid enum value"),
        ({"holidays": ["Christmas"]}, "date"),
        ({"left": "a bit"}, "left is no length of time"),
    ],
)
def test_what_is_no_window_is_refused_with_its_place(bench, options, says):
    with pytest.raises(ConfigError, match=says) as refused:
        bench.gate("window", **{**NIGHT, **options})
    assert refused.value.place.startswith("night.toml: step it.needs[0]")


def test_it_says_what_it_asks_for(bench):
    gate = bench.gate("window", **NIGHT, days=["tue", "thu"], left="2h", holidays_file="days")
    assert gate.asks() == "tue, thu 22:00 to 05:00 Europe/Vienna, no holiday, with 2 h left"


TIMES = st.times(timezones=st.none()).map(lambda one: one.replace(second=0, microsecond=0))


@given(
    first=TIMES,
    last=TIMES,
    days=st.frozensets(st.integers(0, 6), min_size=1),
    zone=st.sampled_from(["UTC", "Europe/Vienna", "America/New_York", "Australia/Lord_Howe"]),
    now=st.integers(1_600_000_000, 1_900_000_000),
)
def test_it_is_open_at_its_opening_and_shut_right_before_its_next_one(first, last, days, zone, now):
    opening = Opening(first=first, last=last, zone=ZoneInfo(zone), days=days)
    opens = opening.opens(now)
    assert opens > now
    local = dt.datetime.fromtimestamp(opens, ZoneInfo(zone))
    assert local.weekday() in days
    closes = opening.closes(opens)
    if closes is not None:  # else it opens in an hour that its zone leaves out
        assert opens < closes <= opens + 25.5 * 3600
    if (end := opening.closes(now)) is not None:
        assert end > now
