"""Routing on real stores, with the example's contract and mapping."""

from __future__ import annotations

import asyncio
import logging
import time
from decimal import Decimal
from pathlib import Path

import pytest

import stranglerfig
from stranglerfig import config
from stranglerfig.acl.mapping.mapping import load_mapping
from stranglerfig.acl.operations.operation import load_operation
from stranglerfig.errors import LegacyUnavailable
from stranglerfig.guardrail_settings import Guardrail
from stranglerfig.model import Comparison, Record, Reply, Route, Stage
from stranglerfig.routing.endpoint import Endpoint
from stranglerfig.routing.operator import Operator
from stranglerfig.store import Store, Write
from stranglerfig.telemetry import log
from stranglerfig.tests.stores import store_file

EXAMPLE = Path(stranglerfig.__file__).parent / "examples" / "helpdesk"
ANSWER = {"category": "quote", "priority": "low", "score": Decimal("0.99")}
LEGACY = {"category": "refund", "priority": "normal", "score": Decimal("0.67")}
CALL = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:t="urn:example:helpdesk"><s:Body><t:TriageTicket><t:customer>{}</t:customer>'
    "<t:channel>{}</t:channel><t:text>{}</t:text></t:TriageTicket></s:Body></s:Envelope>"
)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "fig.db"


@pytest.fixture
def store(file):
    store_file(file)
    store = Store(f"sqlite:///{file}", patience=5.0)
    store.open()
    yield store
    store.close()


@pytest.fixture
def until():
    """Wait for a condition without blocking the loop, and fail where it does not come."""

    async def wait(condition, seconds=60.0):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not come to be"
            await asyncio.sleep(0.01)

    return wait


@pytest.fixture
def logged():
    """Collect the log as text, whatever other tests made of the logger."""
    seen = []
    handler = logging.Handler()
    handler.emit = lambda record: seen.append(record.getMessage())
    before = log.level
    log.setLevel(logging.DEBUG)
    log.addHandler(handler)
    yield seen
    log.removeHandler(handler)
    log.setLevel(before)


class Legacy:
    """The legacy side of a test: answers as the mapping writes it, or fails."""

    def __init__(self):
        self.asked = []
        self.down = False
        self.mapping = None

    async def __call__(self, record, deadline):
        assert deadline > time.time()
        self.asked.append(record)
        if self.down:
            raise LegacyUnavailable("is down", place="legacy")
        body = self.mapping.encode_reply(LEGACY, record)
        return Record(
            source=record.source,
            position=record.position,
            kind="soap",
            body=body,
            headers=((":status", "200"),),
        )


class Replacement:
    """The replacement of a test: what it is told to answer, and what it was asked."""

    def __init__(self):
        self.asked = []
        self.payload = ANSWER
        self.status = "ok"
        self.raises = None
        self.gate = None

    async def answer(self, request, revision):
        self.asked.append((request, revision))
        if self.gate is not None:
            await self.gate.wait()
        if self.raises is not None:
            raise self.raises
        return Reply(
            request_id=request.id,
            status=self.status,
            produced_by="test",
            payload=self.payload if self.status == "ok" else None,
            confidence=0.9,
            reason="" if self.status == "ok" else "not sure",
        )


@pytest.fixture
def legacy():
    return Legacy()


@pytest.fixture
def replacement():
    return Replacement()


@pytest.fixture
def settings():
    """``[endpoint.triage]`` as fig.toml would have it."""
    return config.Endpoint(
        name="triage",
        operation="ticket.triage@1",
        listen=config.Listen(facade="soap", system="desk", operation="TriageTicket"),
        mapping="acl/triage_ticket.toml",
        legacy="desk",
        replacement="model",
        key="customer",
        compare=("category",),
        ladder=(10.0, 50.0),
        guardrail=Guardrail(stay=False, errors=False, ratio=False),
    )


@pytest.fixture
def endpoint(settings, legacy, replacement):
    operation = load_operation(EXAMPLE, settings.operation)
    mapping = load_mapping(EXAMPLE / settings.mapping, operation, EXAMPLE)
    legacy.mapping = mapping
    return Endpoint(
        config=settings,
        operation=operation,
        mapping=mapping,
        legacy=legacy,
        replacement=replacement,
        time_limit=0.2,
        timeout=5.0,
    )


@pytest.fixture
def call():
    """Make a call's record: each at a position of its own."""

    def make(customer="C-1", text="refund", channel="M", position="1"):
        return Record(
            source="desk",
            position=position,
            kind="soap",
            body=CALL.format(customer, channel, text).encode(),
            headers=((":method", "POST"), ("content-type", "text/xml; charset=utf-8")),
        )

    return make


@pytest.fixture
def operator(store, settings):
    return Operator(store, settings, effect="read", newest=lambda: "new.digest", who="a person")


@pytest.fixture
def put(store):
    """Store a route as it is given, whatever the rules."""

    def store_it(stage, **fields):
        before = store.routes.get("triage") or Route(endpoint="triage")
        given = {"revision": "r1", "salt": "s", **fields}
        route = Route(endpoint="triage", version=before.version, stage=Stage(stage), **given)
        return store.routes.put(route, action="test", who="test", why="", evidence={})

    return store_it


@pytest.fixture
def observe(store):
    """Journal comparisons on a revision: so many distinct inputs for each winner."""

    def see(revision="r1", **winners):
        for winner, count in winners.items():
            for number in range(count):
                seen = Comparison(
                    request_id=f"{revision}{winner}{number}",
                    endpoint="triage",
                    revision=revision,
                    unit=f"{winner}{number}",
                    winner=winner,
                    by="golden",
                )
                store.journal.append(Write(observations=(seen,)))
        assert store.journal.flush(10)

    return see


@pytest.fixture
def example():
    """The folder of the example's workspace."""
    return EXAMPLE
