"""Every pair, effect, latch and failure: what may never happen, looked for everywhere.

Through the very router, dispatcher, shadow and events that serve, with sides that count what they
do. Writes that go to both sides one after the other are walked in ``dual/test_dual_model.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
import json
import time

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from stranglerfig.acl.mapping.mapping import load_mapping
from stranglerfig.answer_settings import Blend, Fallback
from stranglerfig.config import Listen
from stranglerfig.errors import (
    DeadlineExceeded,
    FigError,
    InDoubt,
    LegacyUnavailable,
    NotAsked,
    ReplacementUnavailable,
    StoreUnavailable,
)
from stranglerfig.model import Data, Delivery, Intent, Record, Reply, Route, Side, Stage
from stranglerfig.routing.deciding import takers
from stranglerfig.routing.dispatch import Dispatcher
from stranglerfig.routing.moves import neighbours
from stranglerfig.routing.pairs import EFFECTS, PAIRS, is_legal, plan_of, written
from stranglerfig.routing.router import Router
from stranglerfig.routing.shadow import Shadow
from stranglerfig.store.outbox import Outbox
from stranglerfig.telemetry import Counters

NEW = ("ok", "abstains", "refuses", "unasked", "lost before", "lost after", "late", "unfit")
"""What a replacement may come to. ``after``: it had done it by then."""
OLD = ("ok", "fault", "unsent", "lost before", "lost after")
DOES = {"ok", "lost after", "late", "unfit"}
PAIRS_OF = {effect: [pair for pair in PAIRS if is_legal(*pair, effect)] for effect in EFFECTS}


class World:
    """Both sides, and what each of them has done. Nothing else tells what happened."""

    def __init__(self, mapping, effect):
        self.mapping, self.effect = mapping, effect
        self.old, self.new = "ok", "ok"
        self.done = []
        self.acts = False

    def do(self, side, request_id, *, shadow=False):
        if self.effect != "read":
            self.done.append((side, request_id, shadow))

    async def legacy(self, record, deadline):
        assert deadline > time.time()
        if self.old in DOES:
            self.do(Side.LEGACY, record.position)
        if self.old == "unsent":
            raise LegacyUnavailable("is down", place="legacy")
        if self.old.startswith("lost"):
            raise InDoubt("gave no answer", place="legacy")
        payload = {"category": "refund", "priority": "normal", "score": None}
        return Record(
            source=record.source,
            position=record.position,
            kind="soap",
            body=self.mapping.encode_reply({**payload, "score": _score()}, record),
            headers=((":status", "500" if self.old == "fault" else "200"),),
        )

    async def answer(self, request, revision):
        assert revision == "r1"
        if self.new in DOES and (self.acts or not request.shadow):
            # One that promises so does nothing in shadow; of any other nobody knows.
            self.do(Side.REPLACEMENT, request.record.position, shadow=request.shadow)
        if self.new == "unasked":
            raise NotAsked("too busy")
        if self.new.startswith("lost"):
            raise ReplacementUnavailable("went away with the request in hand")
        if self.new == "late":
            raise DeadlineExceeded("no answer in time")
        status = {"abstains": "abstained", "refuses": "refused"}.get(self.new, "ok")
        payload = {"category": "quote", "priority": "low", "score": _score()}
        if self.new == "unfit":
            payload = {"category": "quote"}
        return Reply(
            request_id=request.id,
            status=status,
            produced_by="test",
            payload=payload if status == "ok" else None,
            intents=(Intent(kind="mail", payload={"to": "somebody"}),),
        )


def _score():
    from decimal import Decimal

    return Decimal("0.9")


class Journal:
    """Takes all that is written, or, where it is lost, nothing."""

    lost = False

    async def commit(self, write):
        if self.lost:
            raise StoreUnavailable("is gone", place="store")
        return bool(write)

    def append(self, write):
        assert write is not None


class Table:
    def __init__(self, route):
        self.route = route

    def current(self, endpoint):
        assert endpoint == "triage"
        return self.route


class Offers:
    """Keeps what the shadow is offered; it is asked when the test says so."""

    def __init__(self):
        self.pairs = []

    def offer(self, pair):
        self.pairs.append(pair)


@pytest.fixture
def world(endpoint):
    """Give an endpoint of an effect, and its world."""

    def make(effect, *, acts=False, **tables):
        made = World(endpoint.mapping, effect)
        made.acts = acts
        ready = dataclasses.replace(
            endpoint,
            config=msgspec.structs.replace(endpoint.config, **tables),
            operation=msgspec.structs.replace(endpoint.operation, effect=effect),
            legacy=made.legacy,
            replacement=made,
            router=Router(effect=effect),
            acts=acts,
        )
        return ready, made

    return make


@contextlib.asynccontextmanager
async def running(journal):
    shadow = Shadow(journal, Counters())
    task = asyncio.create_task(shadow.run())
    yield shadow
    await shadow.drain()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def served(ready, route, record, journal, offers):
    dispatcher = Dispatcher(ready, Table(route), journal, offers, Counters())
    with contextlib.suppress(FigError):
        return await dispatcher.serve(record)


def routes(effect):
    """Give every route that an endpoint of an effect can stand at, with either side decided."""
    for (stage, data), killed, pinned in itertools.product(
        PAIRS_OF[effect], (False, True), (Side.LEGACY, Side.REPLACEMENT)
    ):
        yield Route(
            endpoint="triage",
            stage=stage,
            data=data,
            percent=50.0,
            revision="r1",
            salt="s",
            killed=killed,
            pins={"C-1": pinned},
        )


@pytest.mark.parametrize("acts", [False, True])
@pytest.mark.parametrize("effect", EFFECTS)
async def test_whatever_fails_nothing_is_done_twice_and_nothing_in_shadow(
    world, call, effect, acts
):
    ready, made = world(effect, acts=acts)
    journal, number = Journal(), 0
    async with running(journal) as shadow:
        for route, new, old, lost in itertools.product(routes(effect), NEW, OLD, (False, True)):
            if written(route, effect):
                continue
            made.done.clear()
            made.new, made.old, journal.lost = new, old, lost
            number += 1
            offers = Offers()
            await served(ready, route, call(position=str(number)), journal, offers)
            for pair in offers.pairs:
                shadow.offer(pair)
            await shadow.drain()
            case = (route.stage, route.data, route.killed, route.pins, new, old, lost)
            assert len(made.done) <= 1, case
            assert not any(shadowed for _, _, shadowed in made.done), case
            writes = plan_of(route).writes
            if made.done and writes and not route.killed:
                assert made.done[0][0] is writes[0], case
    assert number > 500


@pytest.mark.parametrize("effect", EFFECTS)
async def test_a_retired_legacy_is_not_needed_and_a_store_that_is_behind_not_read(
    world, call, effect
):
    ready, made = world(effect)
    journal = Journal()
    for route, new, lost in itertools.product(routes(effect), NEW, (False, True)):
        gone = route.stage is Stage.RETIRED
        behind = route.data is Data.REPLACEMENT_FIRST and effect == "read"
        if route.killed or written(route, effect) or not (gone or behind):
            continue
        asked = []

        async def refused(record, deadline, asked=asked):
            asked.append((record, deadline))
            raise AssertionError("legacy is gone")

        without = dataclasses.replace(ready, legacy=refused)
        made.new, journal.lost = new, lost
        offers = Offers()
        answer = await served(without, route, call(), journal, offers)
        assert asked == [], (route.stage, route.data, new)
        assert (answer is not None) is (new == "ok"), (route.stage, route.data, new)


@pytest.mark.parametrize("effect", EFFECTS[1:])
async def test_a_fallback_is_no_second_try(world, call, effect):
    """Where legacy answered in its place, the replacement had said that it did nothing."""
    ready, made = world(effect, fallback=Fallback(stale=True))
    for route, new in itertools.product(routes(effect), NEW):
        if written(route, effect) or route.killed:
            continue
        made.done.clear()
        made.new, made.old = new, "ok"
        await served(ready, route, call(), Journal(), Offers())
        if [side for side, _, _ in made.done] == [Side.LEGACY] and plan_of(route).fallback:
            decided = ready.router.decide(route, ready.request(call())).side
            assert decided is Side.LEGACY or new in ("abstains", "refuses", "unasked")


@pytest.mark.parametrize("effect", EFFECTS)
async def test_a_pair_that_is_asked_after_its_route_has_moved_on_does_nothing(world, call, effect):
    """The shadow is a queue: what was offered on one rung is asked on the next."""
    ready, made = world(effect)
    journal = Journal()
    async with running(journal) as shadow:
        for here in PAIRS_OF[effect]:
            for _ in neighbours(*here, effect):
                route = Route(
                    endpoint="triage", stage=here[0], data=here[1], revision="r1", salt="s"
                )
                if written(route, effect):
                    continue
                offers = Offers()
                await served(ready, route, call(), journal, offers)
                before = list(made.done)
                for pair in offers.pairs:
                    shadow.offer(pair)
                await shadow.drain()
                assert made.done == before


async def test_both_sides_at_once_only_where_nothing_is_done(world, call):
    ready, made = world("read", blend=Blend())
    for route, new, old in itertools.product(routes("read"), NEW, OLD):
        made.new, made.old = new, old
        answer = await served(ready, route, call(), Journal(), Offers())
        both_fail = old in ("unsent", "lost before", "lost after") and new != "ok"
        gone = route.stage is Stage.RETIRED and not route.killed
        if not gone and not both_fail and plan_of(route).fallback and not route.killed:
            decided = ready.router.decide(route, ready.request(call())).side
            if decided is Side.REPLACEMENT:
                assert answer is not None, (route.stage, route.data, new, old)


# A migration's whole life, in any order, with requests all along it.


class Migration(RuleBasedStateMachine):
    """Moves a route as ``moves.py`` allows, and serves requests on every pair that it comes to."""

    made = None

    def __init__(self):
        super().__init__()
        self.ready, self.world, self.calls, self.effect = type(self).made()
        self.pair, self.killed, self.number = (Stage.LEGACY, Data.NONE), False, 0

    @rule(which=st.integers(0, 20))
    def move(self, which):
        """Go one step on one axis, any that there is."""
        found = list(neighbours(*self.pair, self.effect))
        if found:
            self.pair = found[which % len(found)]

    @rule()
    def kill(self):
        """Pull the latch, or lift it."""
        self.killed = not self.killed

    @rule(new=st.sampled_from(NEW), old=st.sampled_from(OLD), side=st.sampled_from(Side))
    def request(self, new, old, side):
        """Serve one request, and let the shadow do its work."""
        stage, data = self.pair
        route = Route(
            endpoint="triage",
            stage=stage,
            data=data,
            percent=50.0,
            revision="r1",
            salt="s",
            killed=self.killed,
            pins={"C-1": side},
        )
        if written(route, self.effect):
            return
        self.number += 1
        self.world.new, self.world.old = new, old

        async def serve():
            journal = Journal()
            async with running(journal) as shadow:
                record = self.calls(position=str(self.number))
                await served(self.ready, route, record, journal, shadow)

        asyncio.run(serve())

    @invariant()
    def nothing_twice(self):
        """No request was done twice, none in shadow."""
        done = [number for _, number, _ in self.world.done]
        assert len(done) == len(set(done))
        assert not any(shadow for _, _, shadow in self.world.done)
        assert is_legal(*self.pair, self.effect)


@pytest.mark.parametrize("effect", EFFECTS)
def test_a_migrations_whole_life(world, call, effect):
    class Machine(Migration):
        made = staticmethod(lambda: (*world(effect), call, effect))

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=12,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


# Events: what leaves, leaves once, wherever the process died.


class Died(Exception):
    """The process is gone."""


@pytest.mark.parametrize("dies", ["asking", "writing", "written", "never"])
@pytest.mark.parametrize("pair", [(s, d) for s, d in PAIRS if d is Data.NONE], ids=str)
async def test_an_event_that_comes_again_sends_once(
    endpoint, example, store, replacement, monkeypatch, dies, pair
):
    table = Table(Route(endpoint="triage", stage=pair[0], revision="r1", salt="s", percent=50.0))
    ready = dataclasses.replace(
        endpoint,
        config=msgspec.structs.replace(
            endpoint.config, listen=Listen(source="tickets"), legacy="", send="decisions"
        ),
        mapping=load_mapping(example / "acl/ticket_row.toml", endpoint.operation, example),
        operation=msgspec.structs.replace(endpoint.operation, effect="idempotent"),
    )
    row = {"id": "7", "customer": "C-1", "channel": "M", "text": "refund", "category": "C05"}
    row |= {"priority": "2", "score": "0.67", "opened": "20261123", "status": "O"}
    record = Record(
        source="tickets",
        position="p",
        kind="row",
        body=json.dumps(row).encode(),
        headers=(("op", "insert"),),
    )

    async def settle(settlement):
        raise AssertionError(settlement)

    def delivery(attempt):
        return Delivery(record=record, settle=settle, attempt=attempt)

    plain, submit = replacement.answer, type(store.journal).submit_all

    async def asking(request, revision):
        if dies == "asking":
            raise ReplacementUnavailable("the process is gone")
        return await plain(request, revision)

    def writing(self, contents, *, patience):
        if dies == "writing":
            raise StoreUnavailable("the process is gone", place="store")
        return submit(self, contents, patience=patience)

    replacement.answer = asking
    monkeypatch.setattr(type(store.journal), "submit_all", writing)
    with contextlib.suppress(FigError, Died):
        taken = await takers([ready], table, store)["tickets"].begin(delivery(1))
        await taken.durable
        if dies == "written":
            raise Died  # before the source heard of it
    replacement.answer = plain
    monkeypatch.setattr(type(store.journal), "submit_all", submit)
    for attempt in (2, 3):
        taken = await takers([ready], table, store)["tickets"].begin(delivery(attempt))
        await taken.durable
    outgoing = Outbox(store.database).claim("decisions", "t", now=2e9, lease=1.0, limit=10)
    decided = ready.router.decide(table.route, ready.request(record)).side
    assert len(outgoing) == (1 if decided is Side.REPLACEMENT else 0)
    for request, _ in replacement.asked:
        assert request.shadow is (decided is Side.LEGACY), "nothing may be done in shadow"
