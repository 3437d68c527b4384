"""The watch takes back by itself what the guardrail fails, and survives everything."""

from __future__ import annotations

import asyncio
import contextlib
import time

import msgspec
import pytest

from stranglerfig.errors import RouteConflict, RouteError
from stranglerfig.guardrail_settings import Guardrail, Metric, Metrics, MetricSource
from stranglerfig.model import Stage
from stranglerfig.routing.guardrails.rung import Rung
from stranglerfig.routing.guardrails.watch import Watch
from stranglerfig.routing.operator import Operator
from stranglerfig.store.measures import Failure, Place


@pytest.fixture
def watched(store, settings):
    return Operator(store, settings, effect="read", newest=lambda: "r1", who="guardrail")


async def test_takes_back_a_failure(watched, put, observe, store, logged):
    put("live")
    observe("r1", legacy=12)
    verdict = await Watch([watched]).look(watched)
    assert verdict.outcome == "fail"
    assert watched.route().stage is Stage.SHADOW
    assert store.routes.history("triage")[-1].who == "guardrail"
    assert any("taken back to shadow" in text for text in logged)


@pytest.mark.parametrize("winners", [{}, {"both": 300}, {"open": 300}, {"replacement": 30}])
async def test_leaves_alone_what_does_not_fail(watched, put, observe, winners):
    before = put("live")
    observe("r1", **winners)
    assert (await Watch([watched]).look(watched)).outcome in ("hold", "pass")
    assert watched.route() == before


async def test_two_watches_take_back_once(watched, put, observe, store, settings):
    other = Operator(store, settings, effect="read", newest=lambda: "r1", who="other process")
    put("live")
    observe("r1", legacy=12)
    await asyncio.gather(Watch([watched]).look(watched), Watch([other]).look(other))
    actions = [change.action for change in store.routes.history("triage")]
    assert actions == ["test", "take back"]


async def test_survives_a_store_that_is_lost_and_a_change_that_is_refused(
    watched, put, observe, file, monkeypatch
):
    put("live")
    observe("r1", legacy=12)
    watch = Watch([watched])
    for error in (RouteConflict("somebody else"), RouteError("not allowed")):

        def refuse(evidence, error=error):
            raise error

        monkeypatch.setattr(watched, "take_back", refuse)
        assert await watch.look(watched) is None
    monkeypatch.undo()
    away = file.with_name("away.db")
    file.rename(away)
    assert await watch.look(watched) is None
    away.rename(file)
    assert (await watch.look(watched)).outcome == "fail"


async def test_runs_until_it_is_cancelled(watched, put, observe, until):
    put("live")
    task = asyncio.create_task(Watch([watched]).run(0.01))
    observe("r1", legacy=12)
    await until(lambda: watched.route().stage is Stage.SHADOW)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@pytest.fixture
def metered(store, settings, tmp_path):
    """An operator whose endpoint has a metric from a database that is not there."""
    source = MetricSource(sql="sqlite:///none.db", timeout=10.0)
    place = Metrics(
        name="own", source=source, root=tmp_path / "away", place="fig.toml: metrics.own"
    )
    metric = Metric(name="queue", source="own", query="SELECT 1", max=5.0, every=1e-6)
    bounds = Guardrail(stay=False, errors=False, ratio=False, metrics=(metric,))
    given = msgspec.structs.replace(settings, guardrail=bounds, sources={"own": place})
    return Operator(store, given, effect="read", newest=lambda: "r1", who="guardrail")


async def test_five_errors_in_a_row_pause_the_route_and_take_nothing_back(
    metered, put, observe, logged
):
    put("canary", percent=10.0)
    observe("r1", both=300)
    watch, looks = Watch([metered]), 0
    while not metered.route().paused:
        verdict = await watch.look(metered)
        assert verdict.outcome in ("hold", "error")
        looks += 1
        await asyncio.sleep(0.01)
        assert looks < 2000
    assert looks >= 5
    assert (metered.route().stage, metered.route().percent) == (Stage.CANARY, 10.0)
    change = metered._store.routes.history("triage")[-1]
    assert change.action == "pause"
    assert "metric queue cannot be read" in change.why
    version = metered.route().version
    for _ in range(3):
        await watch.look(metered)
    assert metered.route().version == version
    assert any("paused: metric queue" in text for text in logged)


async def test_an_error_never_hides_harm(metered, put, observe):
    put("live")
    observe("r1", legacy=12)
    assert (await Watch([metered]).look(metered)).outcome == "fail"
    assert metered.route().stage is Stage.SHADOW


async def test_the_breaker_takes_a_live_route_back(store, settings, put):
    bounds = Guardrail()
    given = msgspec.structs.replace(settings, guardrail=bounds)
    live = Operator(store, given, effect="read", newest=lambda: "r1", who="guardrail")
    route = put("live")
    place = Place("triage", "r1", Rung.of(route).label)
    failures = [Failure(place, str(n), "replacement", "", "deadline") for n in range(5)]
    store.measures.add(time.time(), failures=failures)
    await Watch([live]).look(live)
    assert live.route().stage is Stage.SHADOW
    assert "hard breaker" in store.routes.history("triage")[-1].why
    # It stays there: nobody goes on before a person says so, and then it begins anew.
    await Watch([live]).look(live)
    assert live.route().stage is Stage.SHADOW
    put("live")
    await Watch([live]).look(live)
    assert live.route().stage is Stage.LIVE
