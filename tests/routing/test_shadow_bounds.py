"""What the shadow may cost: a sample, a queue, a budget of the day; and what it must never ask."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from math import inf

import msgspec
import pytest

from stranglerfig.answer_settings import ShadowRules
from stranglerfig.model import Reply, Route, Stage
from stranglerfig.route_settings import Compared
from stranglerfig.routing.bucket import inside
from stranglerfig.routing.guardrails.observations import Observations
from stranglerfig.routing.shadow import Pair, Shadow, compared, sampled
from stranglerfig.routing.spending import UNREAD, Spending, spent_of
from stranglerfig.telemetry import Counters

ROUTE = Route(endpoint="triage", stage=Stage.SHADOW, revision="r1", salt="s")


@pytest.fixture
def counters():
    return Counters()


@pytest.fixture
async def running(store, counters):
    """Run shadows that share the test's store, as processes do; each has its own observations."""
    tasks = []

    async def start(settings, **options):
        observations = Observations(store.measures)
        observations.follow([settings])
        await observations.flush()
        shadow = Shadow(store.journal, counters, observations, **options)
        tasks.append(asyncio.create_task(shadow.run()))
        return shadow

    yield start
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
def ready(endpoint):
    def make(effect="read", noise=None, acts=False, **rules):
        compared = {} if noise is None else {"comparison": Compared(noise=noise)}
        settings = msgspec.structs.replace(endpoint.config, shadow=ShadowRules(**rules), **compared)
        operation = msgspec.structs.replace(endpoint.operation, effect=effect)
        return dataclasses.replace(endpoint, config=settings, operation=operation, acts=acts)

    return make


@pytest.fixture
def pair(legacy, call):
    async def make(endpoint, position="1", **fields):
        record = call(position=position, text=f"refund {position}")
        answer = await legacy(record, 1e12)
        legacy.asked.clear()
        given = {"legacy": answer, "route": ROUTE, "took": 0.1, **fields}
        return Pair(endpoint=endpoint, request=endpoint.request(record), revision="r1", **given)

    return make


def served(request, replacement, **fields):
    return Reply(
        request_id=request.id,
        status="ok",
        produced_by="t",
        payload=replacement.payload,
        **fields,
    )


def dropped(counters):
    return {key[2]: n for key, n in counters.snapshot().items() if key[0] == "shadow_dropped"}


async def test_a_sample_of_the_requests_by_a_salt_of_its_own(ready, running, pair, counters):
    half = ready(sample=50.0)
    shadow = await running(half.config)
    pairs = [await pair(half, str(number)) for number in range(60)]
    for one in pairs:
        shadow.offer(one)
    await shadow.drain()
    assert 10 < dropped(counters)["sample"] < 50
    ids = [f"id {number}" for number in range(2000)]
    ours = [sampled(half, one) for one in ids]
    canary = [inside("s", one, 50) for one in ids]
    both = sum(a and b for a, b in zip(ours, canary, strict=True))
    assert 400 < both < 600, "half of a canary's: the one has nothing to do with the other"
    assert sum(ours) in range(900, 1100)


async def test_one_endpoints_queue_leaves_room_for_the_others(ready, running, pair, counters):
    small = ready(queue=3)
    shadow = await running(small.config, size=100)
    for one in [await pair(small, str(number)) for number in range(10)]:
        shadow.offer(one)
    assert dropped(counters) == {"queue": 7}
    await shadow.drain()
    shadow.offer(await pair(small, "again"))
    assert dropped(counters) == {"queue": 7}, "there is room again"


async def test_a_side_has_time_of_its_own_not_the_callers(ready, running, pair, replacement):
    one = ready(deadline=0.05)
    shadow = await running(one.config)
    offered = await pair(one)
    late = msgspec.structs.replace(offered.request, deadline=time.time() - 10.0)
    shadow.offer(dataclasses.replace(offered, request=late))
    await shadow.drain()
    ((request, _),) = replacement.asked
    assert time.time() - 5.0 < request.deadline < time.time() + 0.05
    assert request.shadow


async def test_no_deadline_is_none(ready, pair):
    offered = await pair(ready())
    assert offered.shadowed(inf).deadline is None


@pytest.mark.parametrize("workers", [1, 8])
async def test_calls_of_a_day_and_no_more(ready, running, pair, replacement, counters, workers):
    one = ready(calls=5)
    shadow = await running(one.config, workers=workers)
    for offered in [await pair(one, str(number)) for number in range(12)]:
        shadow.offer(offered)
    await shadow.drain()
    assert len(replacement.asked) == 5
    assert dropped(counters) == {"calls": 7}


async def test_what_another_process_has_used_counts(ready, running, pair, replacement, counters):
    one = ready(calls=5)
    first = await running(one.config)
    for offered in [await pair(one, str(number)) for number in range(4)]:
        first.offer(offered)
    await first.drain()
    await first.observations.flush()
    second = await running(one.config)
    for offered in [await pair(one, f"more {number}") for number in range(4)]:
        second.offer(offered)
    await second.drain()
    assert len(replacement.asked) == 5
    await second.observations.flush()
    await first.observations.flush()
    first.offer(await pair(one, "one more"))
    await first.drain()
    assert len(replacement.asked) == 5, "it has heard of the other's"


async def test_tokens_and_cost_are_known_with_the_answer(
    ready, running, pair, replacement, counters
):
    one = ready(tokens=100.0, cost=1.0)
    shadow = await running(one.config, workers=1)
    plain = replacement.answer

    async def answer(request, revision):
        usage = {"input_tokens": 30.0, "output_tokens": 15.0, "cost": 0.01, "unknown_tokens": 9.0}
        return msgspec.structs.replace(await plain(request, revision), usage=usage)

    replacement.answer = answer
    for offered in [await pair(one, str(number)) for number in range(6)]:
        shadow.offer(offered)
    await shadow.drain()
    assert len(replacement.asked) == 3, "45 and 90 leave room, 135 does not"
    assert dropped(counters) == {"tokens": 3}


async def test_legacy_is_asked_so_often_and_no_more(
    ready, running, pair, legacy, replacement, counters
):
    one = ready(legacy_calls=2)
    shadow = await running(one.config)
    for number in range(5):
        offered = await pair(one, str(number))
        reply = served(offered.request, replacement)
        shadow.offer(dataclasses.replace(offered, legacy=None, replacement=reply))
    await shadow.drain()
    assert len(legacy.asked) == 2
    assert dropped(counters) == {"legacy_calls": 3}


async def test_asking_twice_spends_too(ready, running, pair, replacement, legacy, counters):
    noise = {"replacement": 100.0, "legacy": 100.0}
    one = ready(noise=msgspec.convert(noise, type(Compared().noise)), calls=5, legacy_calls=1)
    shadow = await running(one.config, workers=1)
    for offered in [await pair(one, str(number)) for number in range(4)]:
        shadow.offer(offered)
    await shadow.drain()
    assert len(replacement.asked) == 5
    assert len(legacy.asked) == 1
    assert dropped(counters)["calls"] == 2


async def test_both_answers_there_cost_nothing(ready, running, pair, replacement, store):
    one = ready(calls=0, legacy_calls=0)
    shadow = await running(one.config)
    offered = await pair(one)
    shadow.offer(dataclasses.replace(offered, replacement=served(offered.request, replacement)))
    await shadow.drain()
    assert store.journal.flush(10)
    assert len(list(store.journal.read(kinds=["comparison"]))) == 1


async def test_before_anybody_knows_what_was_used_nothing_is(
    ready, store, pair, replacement, counters
):
    one = ready(calls=5)
    observations = Observations(store.measures)
    observations.follow([one.config])
    assert observations.shadows(ROUTE) == UNREAD
    await observations.flush()
    assert observations.shadows(ROUTE) == ""


async def test_a_store_that_is_lost_leaves_the_budget_where_it_was(ready, store):
    one = ready(calls=5)
    observations = Observations(store.measures)
    observations.follow([one.config])
    await observations.flush()
    store.close()
    asked = 0
    for _ in range(10):
        asked += observations.shadows(ROUTE) == ""
        await observations.flush()
    assert asked == 5


async def test_the_figures_are_in_the_store_for_whoever_looks(ready, running, pair, store):
    one = ready(sample=0.0)
    shadow = await running(one.config)
    shadow.offer(await pair(one))
    other = ready(calls=1)
    for number in range(3):
        shadow.offer(await pair(other, str(number)))
    await shadow.drain()
    await shadow.observations.flush()
    found = store.measures.shadowed(["triage"], time.time())["triage"]
    assert found["dropped:sample"][0] == 1
    assert found["shadow:calls"] == (3, 3.0)


# What must never be asked in shadow.


@pytest.mark.parametrize("effect", ["idempotent", "compensable", "irreversible"])
async def test_legacy_is_never_asked_to_do_it_again(
    ready, running, pair, legacy, replacement, counters, effect
):
    one = ready(effect)
    shadow = await running(one.config)
    offered = await pair(one)
    reply = served(offered.request, replacement)
    shadow.offer(dataclasses.replace(offered, legacy=None, replacement=reply))
    await shadow.drain()
    assert legacy.asked == []
    assert dropped(counters) == {"acts": 1}


@pytest.mark.parametrize("effect", ["idempotent", "compensable", "irreversible"])
@pytest.mark.parametrize("acts", [True, False])
async def test_a_replacement_that_promises_nothing_is_not_asked_to_write(
    ready, running, pair, replacement, counters, effect, acts
):
    noise = msgspec.convert({"replacement": 100.0}, type(Compared().noise))
    one = ready(effect, noise, acts=acts)
    shadow = await running(one.config)
    shadow.offer(await pair(one))
    await shadow.drain()
    assert len(replacement.asked) == (0 if acts else 2)
    assert all(request.shadow for request, _ in replacement.asked), "nothing may be done"


# The day's account.


def settings_of(**rules):
    return [type("Named", (), {"name": "e", "shadow": ShadowRules(**rules)})()]


def test_a_new_day_begins_with_nothing():
    spending, noon = Spending(), 43_200.0
    spending.follow(settings_of(calls=2))
    spending.known({"e": {"calls": 1.0}}, noon)
    spending.add("e", "calls", 1.0, noon)
    assert spending.refused("e", noon, legacy=False) == "calls"
    assert spending.refused("e", noon + 86_400.0, legacy=False) == ""


def test_what_is_on_its_way_to_the_store_is_not_forgotten_and_not_counted_twice():
    spending = Spending()
    spending.follow(settings_of(calls=10))
    spending.known({}, 1.0)
    spending.add("e", "calls", 3.0, 1.0)
    spending.writing()
    spending.add("e", "calls", 1.0, 1.0)
    assert spending.used("e", "calls") == 4.0
    spending.known({"e": {"calls": 8.0}}, 1.0)
    assert spending.used("e", "calls") == 9.0


def test_tokens_by_whatever_names_replies_tell_them():
    assert spent_of({"tokens": 5.0, "input_tokens": 3.0}) == {"tokens": 5.0}
    assert spent_of({"input_tokens": 3.0, "output_tokens": 4.0}) == {"tokens": 7.0}
    assert spent_of({"unknown_tokens": 3.0, "model_cost": 0.5}) == {"cost": 0.5}
    assert spent_of({}) == {}


async def test_not_even_by_hand_is_legacy_asked_to_write_again(ready, pair, legacy, replacement):
    one = ready("compensable")
    offered = await pair(one)
    reply = served(offered.request, replacement)
    both = dataclasses.replace(offered, legacy=None, replacement=reply)
    (line,) = (await compared(both)).lines
    assert (line.data["side"], legacy.asked) == ("legacy", [])
