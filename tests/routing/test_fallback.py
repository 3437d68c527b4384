"""Who answers where the replacement does not: never a write twice, never a store that is behind."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import sqlite3
import time

import msgspec
import pytest

from stranglerfig.answer_settings import Fallback
from stranglerfig.errors import (
    CircuitOpen,
    ContractError,
    DeadlineExceeded,
    Declined,
    MappingError,
    NotAsked,
    ReplacementError,
    ReplacementUnavailable,
)
from stranglerfig.model import Data, Reply, Route, Stage
from stranglerfig.routing.dispatch import Dispatcher
from stranglerfig.routing.fallback import may_have_happened, why_not
from stranglerfig.routing.guards import guarded
from stranglerfig.routing.pairs import EFFECTS, PAIRS, is_legal
from stranglerfig.settings import Guards, Retry
from stranglerfig.telemetry import Counters

SAYS_SO = [NotAsked("x"), CircuitOpen("x"), Declined("x")]
SAYS_NOTHING = [
    ReplacementUnavailable("x"),
    ReplacementError("x"),
    DeadlineExceeded("x"),
    ContractError("x"),
    RuntimeError("x"),
]


@pytest.mark.parametrize("error", SAYS_SO)
def test_errors_that_say_that_nothing_happened(error):
    assert not may_have_happened(error, asked=True)


@pytest.mark.parametrize("error", SAYS_NOTHING)
def test_of_all_others_nobody_knows_once_it_was_asked(error):
    assert may_have_happened(error, asked=True)
    assert not may_have_happened(error, asked=False)


def test_an_abstention_says_that_nothing_happened():
    assert not may_have_happened(None, asked=True)


ALL = [(pair, effect) for pair in PAIRS for effect in EFFECTS if is_legal(*pair, effect)]


@pytest.mark.parametrize(("pair", "effect"), ALL)
def test_every_case(pair, effect):
    """Said once more, in other words than the rule's."""
    stage, data = pair
    for happened, left, stale in itertools.product((False, True), (-0.1, 0.0, 5.0), (False, True)):
        allowed = not why_not(PAIRS[pair], effect, happened=happened, left=left, stale=stale)
        current = data is not Data.REPLACEMENT_FIRST
        if stage in (Stage.LEGACY, Stage.SHADOW):
            wanted = True  # nobody else answers there
        elif stage is Stage.RETIRED or left <= 0:
            wanted = False
        elif effect == "read":
            wanted = current or stale
        else:
            wanted = current and not happened
        assert allowed is wanted, (happened, left, stale)


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
def counters():
    return Counters()


@pytest.fixture
def made(endpoint, table, store, counters, call):
    """Serve with an effect and rules of fallback."""

    def make(effect="read", **rules):
        settings = msgspec.structs.replace(endpoint.config, fallback=Fallback(**rules))
        operation = msgspec.structs.replace(endpoint.operation, effect=effect)
        ready = dataclasses.replace(endpoint, config=settings, operation=operation)
        dispatcher = Dispatcher(ready, table, store.journal, Offers(), counters)
        return lambda **record: dispatcher.serve(call(**record))

    return make


def lines(store):
    assert store.journal.flush(10)
    return [entry.line.data for entry in store.journal.read(kinds=["request"])]


@pytest.mark.parametrize("effect", EFFECTS[1:])
@pytest.mark.parametrize("error", SAYS_NOTHING)
async def test_a_write_that_may_have_happened_is_not_repeated(
    made, store, legacy, replacement, counters, effect, error
):
    replacement.raises = error
    with pytest.raises((ReplacementError, ContractError)):
        await made(effect)()
    assert legacy.asked == []
    (line,) = lines(store)
    assert (line["status"], line["served_by"]) == ("error", "")
    assert "nothing is done twice" in line["detail"]
    assert not any(name == "fallbacks" for name, *_ in counters.snapshot())


@pytest.mark.parametrize("effect", EFFECTS[1:])
@pytest.mark.parametrize("error", SAYS_SO)
async def test_a_write_that_did_not_happen_goes_to_legacy(made, legacy, replacement, effect, error):
    replacement.raises = error
    assert b"C05" in (await made(effect)()).body
    assert len(legacy.asked) == 1


@pytest.mark.parametrize("status", ["abstained", "refused"])
async def test_one_that_says_no_did_nothing(made, legacy, replacement, status):
    replacement.status = status
    assert b"C05" in (await made("irreversible")()).body


async def test_an_answer_that_does_not_fit_came_from_a_write_that_was_done(
    made, legacy, replacement
):
    replacement.payload = {**replacement.payload, "category": "no code of legacy's"}
    with pytest.raises(MappingError):
        await made("compensable")()
    assert legacy.asked == []


@pytest.mark.parametrize("effect", EFFECTS)
async def test_in_shadow_legacy_answers_what_our_own_mapping_refuses(
    made, table, legacy, replacement, effect
):
    table.route = msgspec.structs.replace(table.route, stage=Stage.SHADOW)
    await made(effect)(channel="Z")
    assert (len(legacy.asked), replacement.asked) == (1, [])


async def test_what_our_own_mapping_refuses_has_reached_nobody(made, legacy, replacement):
    await made("irreversible")(channel="Z")
    assert (len(legacy.asked), replacement.asked) == (1, [])


async def test_a_write_that_was_done_is_answered_though_its_line_must_wait(
    made, store, file, legacy
):
    store.journal.patience = 0.1
    held = await asyncio.to_thread(
        sqlite3.connect, file, isolation_level=None, check_same_thread=False
    )
    held.execute("BEGIN IMMEDIATE")
    try:
        answer = await made("idempotent")()
    finally:
        held.execute("ROLLBACK")
        held.close()
    assert b"C10" in answer.body
    assert legacy.asked == []


@pytest.mark.parametrize(("stale", "asked"), [(True, 1), (False, 0)])
async def test_legacys_store_that_is_behind_answers_reads_only_where_allowed(
    made, table, store, legacy, replacement, stale, asked
):
    table.route = msgspec.structs.replace(table.route, data=Data.REPLACEMENT_FIRST)
    replacement.raises = NotAsked("no model")
    serving = made(stale=stale)
    if stale:
        assert b"C05" in (await serving()).body
    else:
        with pytest.raises(NotAsked):
            await serving()
        assert "stale" in lines(store)[0]["detail"]
    assert len(legacy.asked) == asked


async def test_some_of_the_callers_time_is_kept_for_legacy(made, replacement, legacy):
    replacement.gate = asyncio.Event()
    began = time.time()
    assert b"C05" in (await made(reserve=4.0)()).body
    ((request, _),) = replacement.asked
    assert request.deadline < began + 3.0, "the caller has 5 s"


async def test_a_caller_whose_time_is_over_is_told_so(endpoint, table, store, replacement, call):
    replacement.gate = asyncio.Event()
    late = dataclasses.replace(endpoint, timeout=0.05)
    dispatcher = Dispatcher(late, table, store.journal, Offers(), Counters())
    with pytest.raises(DeadlineExceeded):
        await dispatcher.serve(call())
    assert "time is over" in lines(store)[0]["detail"]


async def test_a_second_attempt_that_was_not_made_hides_no_first_one(endpoint, call):
    """The rate refuses the retry: of the first attempt still nobody knows."""
    attempts = iter([ReplacementUnavailable("its worker is gone"), NotAsked("too busy")])

    async def handler(request):
        raise next(attempts)

    guards = Guards(retry=Retry(attempts=2, first=0.001))
    asks = guarded(handler, guards, name="r", counters=Counters(), effect="idempotent")
    with pytest.raises(ReplacementUnavailable) as caught:
        await asks(endpoint.request(call()))
    assert not isinstance(caught.value, NotAsked)


async def test_attempts_none_of_which_was_made_say_so(endpoint, call):
    async def handler(request) -> Reply:
        raise NotAsked("too busy")

    guards = Guards(retry=Retry(attempts=3, first=0.001))
    asks = guarded(handler, guards, name="r", counters=Counters(), effect="idempotent")
    with pytest.raises(NotAsked):
        await asks(endpoint.request(call()))
