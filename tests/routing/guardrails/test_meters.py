"""Metrics of one's own: asked in the background, and never holding up a verdict."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from stranglerfig.errors import ConfigError, FigError
from stranglerfig.guardrail_settings import Metric, Metrics, MetricSource
from stranglerfig.routing.guardrails.meters import Meters, check_source
from stranglerfig.routing.guardrails.metric import Reading


def source(timeout=0.05):
    given = MetricSource(sql="sqlite:///x.db", timeout=timeout)
    return {"s": Metrics(name="s", source=given, root=Path(), place="fig.toml: metrics.s")}


def metric(**given):
    return Metric(**{"name": "m", "source": "s", "query": "q", "max": 1.0, "every": 1e-6, **given})


def until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.005)


def test_the_first_look_of_a_command_waits_for_a_reading() -> None:
    meters = Meters([metric()], source(timeout=10), lambda *_: 0.5)
    assert meters.read(wait=True) == {"m": (Reading(0.5),)}


def test_a_source_that_hangs_holds_up_nobody_and_becomes_an_error() -> None:
    gate = threading.Event()

    def hang(*_: object) -> float:
        gate.wait(20)
        return 0.0

    meters = Meters([metric(every=3600.0)], source(), hang)
    began = time.monotonic()
    assert meters.read(wait=False) == {"m": ()}
    assert time.monotonic() - began < 5
    until(lambda: meters.read(wait=False)["m"])
    (reading,) = meters.read(wait=False)["m"]
    assert "no answer within 0.05 s" in reading.error
    gate.set()
    # What comes after its time is no reading any more.
    assert meters.read(wait=False)["m"] == (reading,)


def test_readings_are_those_of_the_last_askings_oldest_first() -> None:
    values = iter(range(100))
    meters = Meters([metric()], source(timeout=10), lambda *_: float(next(values)))
    until(lambda: len(meters.read(wait=True)["m"]) == 5)
    until(lambda: meters.read(wait=True)["m"][0].value > 0)
    found = [reading.value for reading in meters.read(wait=True)["m"]]
    assert found == [found[0] + step for step in range(5)]


def test_it_is_asked_no_more_often_than_its_settings_say() -> None:
    asked = []
    meters = Meters([metric(every=3600.0)], source(timeout=10), lambda *_: asked.append(1) or 0.0)
    for _ in range(20):
        meters.read(wait=True)
    assert len(asked) == 1


@pytest.mark.parametrize("error", [FigError("is down", place="there"), RuntimeError("a bug")])
def test_an_error_of_a_source_is_a_reading_too(error) -> None:
    def fail(*_: object) -> float:
        raise error

    (reading,) = Meters([metric(every=3600.0)], source(timeout=10), fail).read(wait=True)["m"]
    assert ("is down" in reading.error) == isinstance(error, FigError)
    assert reading.value is None


def test_a_source_is_checked_without_asking_it(tmp_path, monkeypatch) -> None:
    def made(**given):
        return Metrics(name="s", source=MetricSource(**given), root=tmp_path, place="metrics.s")

    assert "x.db" in check_source(made(sql="sqlite:///x.db"))
    assert not (tmp_path / "x.db").exists()
    wanted = made(prometheus="http://127.0.0.1:1", token="env:NO_SUCH_TOKEN")
    with pytest.raises(ConfigError, match="leads to no secret"):
        check_source(wanted)
    monkeypatch.setenv("NO_SUCH_TOKEN", "s3cret")
    assert check_source(wanted) == "prometheus at http://127.0.0.1:1"
