"""Both sides asked for one answer, whichever of them fails."""

from __future__ import annotations

import asyncio
import dataclasses
import time

import msgspec
import pytest

from stranglerfig.answer_settings import Blend
from stranglerfig.errors import (
    ConfigError,
    ContractError,
    LegacyUnavailable,
    ReplacementUnavailable,
)
from stranglerfig.model import Route, Stage
from stranglerfig.routing.dispatch import Dispatcher
from stranglerfig.routing.guardrails.observations import Observations
from stranglerfig.settings import Listen
from stranglerfig.telemetry import Counters


class Table:
    def __init__(self):
        self.route = Route(endpoint="triage", revision="r1", salt="s", stage=Stage.LIVE)

    def current(self, endpoint):
        assert endpoint == "triage"
        return self.route


class Offers:
    def __init__(self):
        self.pairs = []

    def offer(self, pair):
        self.pairs.append(pair)


@pytest.fixture
def table():
    return Table()


@pytest.fixture
def offers():
    return Offers()


@pytest.fixture
def counters():
    return Counters()


@pytest.fixture
def serve(endpoint, table, store, offers, counters, call):
    def make(**rules):
        settings = msgspec.structs.replace(endpoint.config, blend=Blend(**rules))
        ready = dataclasses.replace(endpoint, config=settings)
        dispatcher = Dispatcher(ready, table, store.journal, offers, counters)
        return lambda **record: dispatcher.serve(call(**record))

    return make


def boom(one, other):
    raise ZeroDivisionError


def lines(store):
    assert store.journal.flush(10)
    return [entry.line.data for entry in store.journal.read(kinds=["request"])]


async def test_one_answer_of_both(serve, store, legacy, replacement, offers):
    answer = await serve(fields={"category": "legacy"})()
    assert b"C05" in answer.body, "legacy's category"
    assert b"0.99" in answer.body, "the replacement's score"
    assert len(legacy.asked) == len(replacement.asked) == 1
    (line,) = lines(store)
    assert line["blend"] == {"answer": "both"}
    assert line["served_by"] == "replacement"
    (pair,) = offers.pairs
    assert pair.legacy is not None
    assert pair.replacement is not None, "both have answered: nobody is asked again"


async def test_both_are_asked_at_once(serve, replacement, legacy, until):
    replacement.gate = asyncio.Event()
    task = asyncio.create_task(serve()())
    await until(lambda: legacy.asked and replacement.asked)
    replacement.gate.set()
    assert b"C10" in (await task).body


async def test_a_canary_blends_for_its_keys_only(serve, table, legacy, replacement):
    table.route = msgspec.structs.replace(table.route, stage=Stage.CANARY, percent=50.0)
    serving = serve()
    for number in range(30):
        await serving(customer=f"C-{number}", position=str(number))
    assert len(legacy.asked) == 30
    assert 5 < len(replacement.asked) < 25


@pytest.mark.parametrize("fields", [{"stage": Stage.SHADOW}, {"stage": Stage.LEGACY}])
async def test_where_legacy_serves_nothing_is_blended(serve, table, replacement, fields):
    table.route = msgspec.structs.replace(table.route, **fields)
    assert b"C05" in (await serve()()).body
    assert replacement.asked == []


async def test_a_retired_legacy_is_not_asked(serve, table, legacy):
    table.route = msgspec.structs.replace(table.route, stage=Stage.RETIRED)
    assert b"C10" in (await serve()()).body
    assert legacy.asked == []


@pytest.mark.parametrize(("rule", "body"), [("other", b"C05"), ("partial", b"C05"), ("fail", None)])
async def test_without_the_replacement(serve, store, replacement, counters, rule, body, offers):
    replacement.raises = ReplacementUnavailable("no model")
    serving = serve(replacement=rule)
    if body is None:
        with pytest.raises(ReplacementUnavailable):
            await serving()
    else:
        assert body in (await serving()).body
        assert counters.snapshot()["fallbacks", "triage", "unavailable"] == 1
    (line,) = lines(store)
    assert line["blend"]["replacement"] == "unavailable"
    assert line["served_by"] == ("" if body is None else "legacy")
    assert offers.pairs == []


@pytest.mark.parametrize("rule", ["other", "fail"])
async def test_a_replacement_that_is_not_sure(serve, store, replacement, rule):
    replacement.status = "abstained"
    if rule == "other":
        assert b"C05" in (await serve()()).body
    else:
        with pytest.raises(ContractError, match="not sure"):
            await serve(replacement="fail")()
    assert lines(store)[0]["fallback"] == "abstained"


@pytest.mark.parametrize("rule", ["other", "partial", "fail"])
async def test_without_legacy(serve, store, legacy, rule):
    legacy.down = True
    serving = serve(legacy=rule)
    if rule == "fail":
        with pytest.raises(LegacyUnavailable):
            await serving()
    else:
        assert b"C10" in (await serving()).body
    (line,) = lines(store)
    assert line["blend"]["legacy"] == "LegacyUnavailable"


async def test_without_either_it_is_legacys_failure(serve, legacy, replacement):
    legacy.down, replacement.raises = True, ReplacementUnavailable("no model")
    with pytest.raises(LegacyUnavailable):
        await serve(legacy="partial", replacement="partial")()


async def test_a_rule_that_fails_costs_no_answer(serve, store):
    answer = await serve(fields={"category": f"py:{__name__}:boom"})()
    assert b"C05" in answer.body
    (line,) = lines(store)
    assert line["blend"] == {"answer": "legacy", "blend": "error"}
    assert "ZeroDivisionError" in line["detail"]


async def test_what_legacys_words_cannot_say_is_legacys_answer(serve, replacement):
    replacement.payload = {**replacement.payload, "category": "no code of legacy's"}
    assert b"C05" in (await serve()()).body


async def test_a_slow_replacement_leaves_legacys_answer_in_time(serve, replacement):
    replacement.gate = asyncio.Event()
    began = time.monotonic()
    assert b"C05" in (await serve()()).body
    assert time.monotonic() - began < 5.0, "its own limit is 0.2 s, the caller's 5 s"


async def test_a_failure_counts_for_the_breaker(endpoint, table, store, offers, call, replacement):
    settings = msgspec.structs.replace(endpoint.config, blend=Blend(replacement="partial"))
    ready = dataclasses.replace(endpoint, config=settings)
    observations = Observations(store.measures)
    dispatcher = Dispatcher(ready, table, store.journal, offers, Counters(), observations)
    replacement.raises = ReplacementUnavailable("no model")
    await dispatcher.serve(call())
    (cell,) = observations._cells.values()
    assert [one.reason for one in cell.failed] == ["unavailable"]


def test_only_what_reads_may_be_asked_of_both(endpoint):
    blends = msgspec.structs.replace(endpoint.config, blend=Blend())
    with pytest.raises(ConfigError, match="both do it"):
        dataclasses.replace(
            endpoint,
            config=blends,
            operation=msgspec.structs.replace(endpoint.operation, effect="idempotent"),
        )
    event = msgspec.structs.replace(blends, listen=Listen(source="tickets"))
    with pytest.raises(ConfigError, match="both do it"):
        dataclasses.replace(endpoint, config=event)
