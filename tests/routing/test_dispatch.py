"""One request, whatever its route, its replacement, legacy and the store are like."""

from __future__ import annotations

import asyncio
import dataclasses
import sqlite3

import msgspec
import pytest

from stranglerfig.errors import (
    ContractError,
    FigError,
    LegacyUnavailable,
    ReplacementUnavailable,
)
from stranglerfig.model import Route, Stage
from stranglerfig.routing.bucket import inside
from stranglerfig.routing.dispatch import Dispatcher
from stranglerfig.telemetry import Counters


class Table:
    """The route of the test, as a process knows it."""

    def __init__(self):
        self.route = Route(endpoint="triage", revision="r1", salt="s")

    def current(self, endpoint):
        assert endpoint == "triage"
        return self.route

    def go(self, stage, **fields):
        self.route = msgspec.structs.replace(self.route, stage=Stage(stage), **fields)


class Offers:
    """Takes what the dispatcher would have compared."""

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
def dispatcher(endpoint, table, store, offers, counters):
    return Dispatcher(endpoint, table, store.journal, offers, counters)


def lines(store):
    assert store.journal.flush(10)
    return [entry.line for entry in store.journal.read(kinds=["request"])]


async def test_legacy_serves_untouched_bytes(dispatcher, store, legacy, replacement, offers, call):
    record = call(channel="no such channel")
    answer = await dispatcher.serve(record)
    assert legacy.asked == [record], "the very record, not one of ours"
    assert b"C05" in answer.body
    assert replacement.asked == offers.pairs == []
    (line,) = lines(store)
    assert (line.data["served_by"], line.data["status"]) == ("legacy", "ok")


async def test_shadow_serves_legacy_and_offers_the_pair(
    dispatcher, table, legacy, replacement, offers, call
):
    table.go("shadow")
    answer = await dispatcher.serve(call())
    assert b"C05" in answer.body
    assert replacement.asked == [], "nothing of it on the caller's path"
    (pair,) = offers.pairs
    assert (pair.legacy, pair.replacement, pair.revision) == (answer, None, "r1")


@pytest.mark.parametrize("stage", ["live", "retired"])
async def test_the_replacement_serves(
    dispatcher, table, store, legacy, replacement, offers, call, stage
):
    table.go(stage)
    answer = await dispatcher.serve(call())
    assert b"C10" in answer.body
    assert b"0.99" in answer.body
    assert answer.header(":status") == "200"
    assert legacy.asked == []
    assert len(offers.pairs) == (stage == "live")
    (line,) = lines(store)
    assert (line.data["served_by"], line.data["confidence"]) == ("replacement", 0.9)
    assert line.revision == "r1"
    ((request, revision),) = replacement.asked
    assert (request.key, request.payload["channel"], revision) == ("C-1", "mail", "r1")


async def test_a_canary_goes_by_the_bucket_of_the_key(dispatcher, table, store, call):
    table.go("canary", percent=50.0)
    for number in range(30):
        answer = await dispatcher.serve(call(f"C-{number}", position=str(number)))
        assert (b"C10" in answer.body) is inside("s", f"C-{number}", 50)
    sides = {line.data["key"]: line.data["served_by"] for line in lines(store)}
    assert set(sides.values()) == {"legacy", "replacement"}


async def test_killed_goes_to_legacy_whatever_the_stage(
    dispatcher, table, replacement, offers, call
):
    table.go("live", killed=True)
    assert b"C05" in (await dispatcher.serve(call())).body
    assert replacement.asked == offers.pairs == []


async def test_killed_beats_retired(dispatcher, table, replacement, call):
    table.go("retired", killed=True)
    assert b"C05" in (await dispatcher.serve(call())).body


@pytest.mark.parametrize(
    ("breaks", "reason"),
    [
        ({"raises": RuntimeError("boom")}, "raised"),
        ({"raises": ReplacementUnavailable("no model")}, "unavailable"),
        ({"raises": FigError("something of ours")}, "error"),
        ({"raises": TimeoutError()}, "raised"),
        ({"raises": asyncio.CancelledError()}, "raised"),
        ({"payload": {"category": "quote"}}, "contract"),
        ({"payload": {"category": "q", "priority": "low", "score": "x"}}, "contract"),
        ({"payload": None}, "raised"),
        ({"status": "abstained"}, "abstained"),
        ({"status": "error"}, "raised"),
        ({"status": "refused"}, "raised"),
    ],
)
async def test_legacy_answers_when_the_replacement_does_not(
    dispatcher, table, store, replacement, counters, call, breaks, reason
):
    table.go("live")
    for name, value in breaks.items():
        setattr(replacement, name, value)
    assert b"C05" in (await dispatcher.serve(call())).body
    (line,) = lines(store)
    assert (line.data["fallback"], line.data["served_by"]) == (reason, "legacy")
    assert line.data["detail"]
    assert counters.snapshot()["fallbacks", "triage", reason] == 1


async def test_a_hanging_replacement_costs_its_time_limit_and_no_more(
    dispatcher, table, store, replacement, call
):
    table.go("live")
    replacement.gate = asyncio.Event()
    answer = await asyncio.wait_for(dispatcher.serve(call()), 60)
    assert b"C05" in answer.body
    (line,) = lines(store)
    assert line.data["fallback"] == "deadline"
    assert line.data["ms"] >= 200


async def test_cancelling_the_caller_is_not_the_replacements_failure(
    dispatcher, table, store, replacement, call, until
):
    table.go("live")
    replacement.gate = asyncio.Event()
    task = asyncio.create_task(dispatcher.serve(call()))
    await until(lambda: replacement.asked)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert lines(store) == []


async def test_what_the_mapping_refuses_is_for_legacy(dispatcher, table, store, replacement, call):
    table.go("live")
    await dispatcher.serve(call(channel="Z"))
    (line,) = lines(store)
    assert (line.data["fallback"], line.data["served_by"]) == ("input", "legacy")
    assert replacement.asked == []


async def test_a_mapping_that_is_broken_costs_no_answer(
    endpoint, table, store, offers, counters, call, logged
):
    """An error of ours that nobody foresaw."""

    class Broken:
        def __getattr__(self, name):
            raise ZeroDivisionError

    broken = dataclasses.replace(endpoint, mapping=Broken())
    dispatcher = Dispatcher(broken, table, store.journal, offers, counters)
    table.go("live")
    assert b"C05" in (await dispatcher.serve(call())).body
    (line,) = lines(store)
    assert line.data["fallback"] == "error"
    assert "ZeroDivisionError" in line.data["detail"]
    assert "an error that should not be" in logged


async def test_legacy_down_is_told_to_the_caller_and_the_journal(
    dispatcher, store, legacy, counters, call
):
    legacy.down = True
    with pytest.raises(LegacyUnavailable):
        await dispatcher.serve(call())
    (line,) = lines(store)
    assert (line.data["served_by"], line.data["status"]) == ("", "error")
    assert counters.snapshot()["route_requests", "triage", "legacy", "legacy", "error"] == 1


async def test_retired_has_no_legacy_to_fall_back_to(dispatcher, table, store, legacy, call):
    table.go("retired")
    dispatcher_replacement_error = ReplacementUnavailable("no model")
    dispatcher._endpoint.replacement.raises = dispatcher_replacement_error
    with pytest.raises(ReplacementUnavailable):
        await dispatcher.serve(call())
    dispatcher._endpoint.replacement.raises = None
    dispatcher._endpoint.replacement.status = "abstained"
    with pytest.raises(ContractError, match="legacy is retired"):
        await dispatcher.serve(call(position="2"))
    assert legacy.asked == []
    assert [line.data["status"] for line in lines(store)] == ["error", "error"]


async def hold(file):
    held = await asyncio.to_thread(
        sqlite3.connect, file, isolation_level=None, check_same_thread=False
    )
    held.execute("BEGIN IMMEDIATE")
    return held


async def test_no_answer_of_the_replacement_without_its_line(
    dispatcher, table, store, file, call, replacement
):
    table.go("live")
    store.journal.patience = 0.1
    held = await hold(file)
    try:
        assert b"C05" in (await dispatcher.serve(call())).body
    finally:
        held.close()
    (line,) = lines(store)
    assert (line.data["fallback"], line.data["served_by"]) == ("store", "legacy")


async def test_retired_serves_without_a_store(dispatcher, table, store, file, call, legacy):
    """There is nobody else to answer."""
    table.go("retired")
    store.journal.patience = 0.1
    held = await hold(file)
    try:
        assert b"C10" in (await dispatcher.serve(call())).body
    finally:
        held.close()
    assert legacy.asked == []
    (line,) = lines(store)
    assert line.data["served_by"] == "replacement", "the line came when the store was back"


async def test_a_replacement_that_is_down_does_not_flood_the_log(
    dispatcher, table, replacement, call, logged
):
    table.go("live")
    replacement.raises = RuntimeError("boom")
    for number in range(20):
        await dispatcher.serve(call(position=str(number)))
    assert len([text for text in logged if "answered from legacy (raised)" in text]) == 1
