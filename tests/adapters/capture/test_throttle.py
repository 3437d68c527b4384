"""What slows a walk down says what it waits for, and no more is waited for than must be."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.adapters.capture import throttle
from stranglerfig.adapters.capture.throttle import Backlog, Lag, Pace, Rate, Wait, Window, longest
from stranglerfig.errors import ConfigError, LegacyError
from stranglerfig.tests.adapters.capture.field import Field


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(throttle.time, "monotonic", lambda: now[0])
    return now


def test_a_rate_is_kept_on_average_and_not_saved_up(clock):
    rate = Rate(100)
    assert rate.wait(None) is None
    rate.took(50)
    assert rate.wait(None).seconds == pytest.approx(0.5)
    clock[0] += 0.5
    assert rate.wait(None) is None
    clock[0] += 1000
    rate.took(100)
    assert rate.wait(None).seconds == pytest.approx(1)


@pytest.mark.parametrize(
    ("window", "at", "hours"),
    [
        ("22:00-05:00", "2024-05-01T23:00", None),
        ("22:00-05:00", "2024-05-01T04:59", None),
        ("22:00-05:00", "2024-05-01T05:00", 17),
        ("22:00-05:00", "2024-05-01T21:00", 1),
        ("09:00-17:00", "2024-05-01T08:00", 1),
        ("09:00-17:00", "2024-05-01T18:00", 15),
        ("09:00-17:00", "2024-05-01T09:00", None),
    ],
)
def test_a_window_of_the_day(window, at, hours):
    found = Window(window).closed(datetime.fromisoformat(at))
    assert (found and found.seconds) == (hours and hours * 3600)


def test_a_window_in_a_zone_knows_its_summer_time():
    vienna = ZoneInfo("Europe/Vienna")
    window = Window("22:00-05:00 Europe/Vienna")
    spring = datetime(2024, 3, 30, 21, 30, tzinfo=vienna)
    assert window.closed(spring).seconds == 1800
    assert "22:00-05:00 Europe/Vienna" in window.closed(spring).reason


@pytest.mark.parametrize("text", ["", "22:00", "25:00-01:00", "01:00-01:00", "1:00-2:00 Mars/X"])
def test_what_is_no_window_is_said(text):
    with pytest.raises(ConfigError) as caught:
        Window(text)
    assert caught.value.place == "--window"


@given(st.lists(st.floats(0.0001, 10), max_size=60))
def test_a_chunk_never_grows_over_its_bound_nor_under_one_row(times):
    pace = Pace(5_000, 0.5)
    for seconds in times:
        before = pace.size
        pace.took(pace.size, seconds)
        assert 1 <= pace.size <= 5_000
        if seconds > 0.5 and before > 1:
            assert pace.size < before


def test_a_chunk_that_met_a_lock_is_halved_and_grows_again():
    pace = Pace(1_000, 0.5)
    for _ in range(20):
        pace.refused()
    assert pace.size == 1
    for _ in range(20):
        pace.took(pace.size, 0.001)
    assert pace.size == 1_000


def test_the_longest_wait_counts():
    short, long = Wait("a", 1), Wait("b", 2)
    assert longest([None, long, short]) is long
    assert longest([None, None]) is None


@pytest.fixture
def field(url, tmp_path):
    field = Field(url, tmp_path, "CREATE TABLE orders (nr INTEGER PRIMARY KEY)")
    field.run(*(f"INSERT INTO orders VALUES ({at})" for at in range(30)))
    field.install()
    return field


def test_events_that_wait_for_the_bridge_are_bounded(field):
    ground = field.ground()
    reasons = []

    def settle(stand):
        if stand.waiting:
            reasons.append(stand.waiting)
            assert len(field.events(where="done_at IS NULL")) <= 15
            field.run("UPDATE fig_event SET done_at = 1")

    assert field.backfill(most=5, bounds=[Backlog(ground, 11)], report=settle).rows == 30
    assert set(reasons) == {"the bridge: 11 rows taken before wait for it"}


def test_replicas_that_are_behind_are_waited_for(field, clock):
    ground = field.ground()
    field.run("CREATE TABLE lag (seconds INTEGER)", "INSERT INTO lag VALUES (7)")
    lag = Lag(ground, 5.0, "SELECT seconds FROM lag WHERE 7 % 2 = 1")
    with ground.connected() as connection:
        assert lag.wait(connection).reason == "replicas are 7.0 s behind, at most 5 s"
        field.run("UPDATE lag SET seconds = 2")
        assert lag.wait(connection) is not None  # asked once a second
        clock[0] += 1
        assert lag.wait(connection) is None
        with pytest.raises(LegacyError, match="gave no number"):
            Lag(ground, 5.0, "SELECT NULL").wait(connection)
        if field.backend == "postgresql":
            assert Lag(ground, 5.0).wait(connection) is None  # there are none
        else:
            with pytest.raises(LegacyError, match="does not tell"):
                Lag(ground, 5.0).wait(connection)
