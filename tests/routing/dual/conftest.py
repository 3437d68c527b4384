"""Two sides that are written to, as an endpoint of the example has them."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from decimal import Decimal

import msgspec
import pytest

from stranglerfig.errors import InDoubt, LegacyUnavailable, NotAsked, ReplacementUnavailable
from stranglerfig.model import Data, Record, Reply, Route, Stage
from stranglerfig.routing.dispatch import Dispatcher
from stranglerfig.routing.dual.copying import Copying
from stranglerfig.routing.dual.doubling import Doubling
from stranglerfig.routing.dual.writing import Writing
from stranglerfig.routing.guardrails.observations import Observations
from stranglerfig.routing.router import Router
from stranglerfig.telemetry import Counters

ANSWER = {"category": "quote", "priority": "low", "score": Decimal("0.9")}
FAULT = (
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault>'
    b"<faultcode>s:Client</faultcode><faultstring>no</faultstring></s:Fault></s:Body></s:Envelope>"
)


class Written:
    """A side of a test: what it has, in order, and what it does with the next requests.

    ``plan`` holds words, used up one a call: ``ok``, ``refuse``, ``unsent``, ``doubt`` (it does not
    have it), ``lost`` (it has it, and does not say so), ``hang``. Then all is well.
    """

    def __init__(self):
        self.has = []
        self.plan = []
        self.asked = 0
        self.gate = None
        self.mapping = None
        self.keys = []

    async def _act(self, text):
        self.asked += 1
        if self.gate is not None:
            await self.gate.wait()
        word = self.plan.pop(0) if self.plan else "ok"
        if word in ("ok", "lost"):
            self.has.append(text)
        if word == "hang":
            await asyncio.Event().wait()
        return word

    async def __call__(self, record, deadline):
        """Answer as legacy does."""
        assert deadline > time.time()
        payload = self.mapping.decode_request(record)
        word = await self._act(payload["text"])
        if word == "unsent":
            raise LegacyUnavailable("is down", place="legacy")
        if word in ("doubt", "lost"):
            raise InDoubt("gave no answer", place="legacy")
        body = FAULT
        if word == "ok":
            reply = {"category": "refund", "priority": "normal", "score": Decimal("0.9")}
            body = self.mapping.encode_reply(reply, record)
        status = "200" if word == "ok" else "500"
        return Record(
            source=record.source,
            position=record.position,
            kind="soap",
            body=body,
            headers=((":status", status), ("content-type", "text/xml")),
        )

    async def answer(self, request, revision):
        """Answer as the replacement does."""
        del revision
        self.keys.append(request.idempotency_key)
        word = await self._act(request.payload["text"])
        if word == "unsent":
            raise NotAsked("is not there", place="replacement")
        if word in ("doubt", "lost"):
            raise ReplacementUnavailable("went away", place="replacement")
        status = "ok" if word == "ok" else "abstained"
        return Reply(
            request_id=request.id,
            status=status,
            produced_by="test",
            payload=ANSWER if status == "ok" else None,
            reason="" if status == "ok" else "not sure",
        )


class Table:
    """The route of the test, as a process knows it."""

    def __init__(self):
        self.route = Route(
            endpoint="triage",
            revision="r1",
            salt="s",
            stage=Stage.SHADOW,
            data=Data.LEGACY_FIRST,
        )

    def current(self, endpoint):
        assert endpoint == "triage"
        return self.route

    def go(self, **fields):
        self.route = msgspec.structs.replace(self.route, **fields)

    def reversed(self):
        """The replacement first."""
        self.go(stage=Stage.LIVE, data=Data.REPLACEMENT_FIRST)


class Offers:
    """Takes what would be compared."""

    def __init__(self):
        self.pairs = []
        self.observations = Observations()

    def offer(self, pair):
        self.pairs.append(pair)


@pytest.fixture
def sides():
    """Legacy and the replacement, by name."""
    return {"legacy": Written(), "replacement": Written()}


@pytest.fixture
def effect():
    return "compensable"


@pytest.fixture
def dual():
    """``[endpoint.triage.dual]``: quick where a test would wait."""
    return {"first": 0.0, "longest": 0.0, "turn": 0.2}


@pytest.fixture
def doubled(endpoint, sides, effect, dual):
    """The endpoint of the example, as one that writes."""
    for side in sides.values():
        side.mapping = endpoint.mapping
    settings = endpoint.config
    settings = msgspec.structs.replace(settings, dual=msgspec.convert(dual, type(settings.dual)))
    return dataclasses.replace(
        endpoint,
        config=settings,
        operation=msgspec.structs.replace(endpoint.operation, effect=effect)
        if isinstance(endpoint.operation, msgspec.Struct)
        else dataclasses.replace(endpoint.operation, effect=effect),
        legacy=sides["legacy"],
        replacement=sides["replacement"],
        router=Router(effect=effect),
        time_limit=5.0,
    )


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
async def doubling(store, table, offers, counters):
    doubling = Doubling(store, table, offers, counters, owner="serving")
    yield doubling
    await doubling.drain(10.0)


@pytest.fixture
def dispatcher(doubled, table, store, offers, counters, doubling):
    writing = Writing(doubled, doubling)
    return Dispatcher(doubled, table, store.journal, offers, counters, writing=writing)


@pytest.fixture
def copying(doubled, store, table, offers, counters):
    """What copies, in a process of its own as it were."""
    other = Doubling(store, table, offers, counters, owner="copying")
    return Copying(other, lambda: {"triage": doubled})


@pytest.fixture
def copied(copying, store, until):
    """Copy until nothing more is done by itself."""

    async def go():
        for _ in range(100):
            if not await copying.look():
                return
        raise AssertionError("it does not come to an end")

    return go


@pytest.fixture
def work(store):
    return store.dual_work


@pytest.fixture
def states(store, work):
    """The states of all writes, oldest first."""

    def read():
        with store.database.read() as connection:
            query = "SELECT state FROM dual_writes ORDER BY id"
            return list(connection.exec_driver_sql(query).scalars())

    return read
