"""The watch takes back by itself what the guardrail fails, and survives everything."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from stranglerfig.errors import RouteConflict, RouteError
from stranglerfig.model import Stage
from stranglerfig.routing.operator import Operator
from stranglerfig.routing.guardrails.watch import Watch


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
