"""A process that serves three writes to both sides, and is killed at a step of the second.

Called as ``one_writer.py URL MAPPINGS FOLDER ORDER STEP``. Each side is a file of lines in FOLDER,
that nobody but it knows. Says a line for each write whose caller has his answer. STEP is a name
and ``before`` or ``after``: of a method of ``DualWrites``, or of the side that is asked. It is no
test.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import sys
from decimal import Decimal
from pathlib import Path

import msgspec

from stranglerfig import config
from stranglerfig.acl.mapping.mapping import load_mapping
from stranglerfig.acl.operations.operation import load_operation
from stranglerfig.model import Data, Record, Reply, Route, Side, Stage
from stranglerfig.routing.dispatch import Dispatcher
from stranglerfig.routing.dual.copying import Copying
from stranglerfig.routing.dual.doubling import Doubling
from stranglerfig.routing.dual.writing import Writing
from stranglerfig.routing.endpoint import Endpoint
from stranglerfig.routing.guardrails.observations import Observations
from stranglerfig.store import Store
from stranglerfig.telemetry import Counters

CALL = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:t="urn:example:helpdesk"><s:Body><t:TriageTicket><t:customer>C-1</t:customer>'
    "<t:channel>M</t:channel><t:text>{}</t:text></t:TriageTicket></s:Body></s:Envelope>"
)
ANSWER = {"category": "refund", "priority": "normal", "score": Decimal("0.9")}


class Table:
    """The route of the test."""

    def __init__(self, order):
        first = order == "legacy"
        self.route = Route(
            endpoint="triage",
            revision="r1",
            salt="s",
            stage=Stage.SHADOW if first else Stage.LIVE,
            data=Data.LEGACY_FIRST if first else Data.REPLACEMENT_FIRST,
        )

    def current(self, endpoint):
        del endpoint
        return self.route


class Offers:
    """Compares nothing."""

    observations = Observations()

    def offer(self, pair):
        del pair


class Sides:
    """Both sides, as files; what they have can be looked up."""

    def __init__(self, folder, mapping):
        self.folder, self.mapping = folder, mapping

    def has(self, side):
        """Give what a side has."""
        file = self.folder / side
        return file.read_text().splitlines() if file.exists() else []

    def write(self, side, text):
        """Have a side write."""
        with (self.folder / side).open("a") as file:
            file.write(f"{text}\n")

    async def __call__(self, record, deadline):
        del deadline
        self.write("legacy", self.mapping.decode_request(record)["text"])
        body = self.mapping.encode_reply(ANSWER, record)
        return msgspec.structs.replace(record, body=body, headers=((":status", "200"),))

    async def answer(self, request, revision):
        del revision
        self.write("replacement", request.payload["text"])
        return Reply(request_id=request.id, status="ok", produced_by="test", payload=ANSWER)

    def look_ups(self):
        """Give how each side is asked whether it has a write."""
        return {side: lambda asked, s=side: asked.payload["text"] in self.has(s) for side in Side}


def world(url, mappings, folder, order):
    """Give the store, the dispatcher of a process on it, and what copies there."""
    store = Store(url, patience=30.0)
    store.open()
    settings = config.Endpoint(
        name="triage",
        operation="ticket.triage@1",
        listen=config.Listen(facade="soap", system="desk", operation="TriageTicket"),
        mapping="acl/triage_ticket.toml",
        key="customer",
        legacy="desk",
        replacement="model",
        data="moves",
    )
    operation = load_operation(mappings, settings.operation)
    mapping = load_mapping(mappings / settings.mapping, operation, mappings)
    change = msgspec.structs if isinstance(operation, msgspec.Struct) else dataclasses
    sides = Sides(folder, mapping)
    endpoint = Endpoint(
        config=settings,
        operation=change.replace(operation, effect="compensable"),
        mapping=mapping,
        legacy=sides,
        replacement=sides,
        lookups=sides.look_ups(),
    )
    table, counters = Table(order), Counters()
    doubling = Doubling(store, table, Offers(), counters)
    writing = Writing(endpoint, doubling)
    dispatcher = Dispatcher(endpoint, table, store.journal, Offers(), counters, writing=writing)
    return store, dispatcher, doubling, Copying(doubling, lambda: {"triage": endpoint}), sides


def record(text):
    """Give a call, whose position is its text."""
    return Record(source="desk", position=text, kind="soap", body=CALL.format(text).encode())


def doom(where, name, moment):
    """Have the process killed before or after the second call of a method."""
    method, calls = getattr(where, name), []

    def counted(before):
        calls.extend([name] if before else [])
        if len(calls) == 2 and before is (moment == "before"):
            os.kill(os.getpid(), signal.SIGKILL)

    def called(*arguments, **named):
        counted(before=True)
        given = method(*arguments, **named)
        counted(before=False)
        return given

    setattr(where, name, called)


async def main(url, mappings, folder, order, step, moment):
    _, dispatcher, doubling, _, sides = world(url, Path(mappings), Path(folder), order)
    if step in ("prepare", "first", "copied"):
        doom(type(doubling.rows), step, moment)
    else:
        asked = sides.write

        def write(side, text):
            dies = side == step and text == "two"
            if dies and moment == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            asked(side, text)
            if dies:
                os.kill(os.getpid(), signal.SIGKILL)

        sides.write = write
    for text in ("one", "two", "three"):
        await dispatcher.serve(record(text))
        print(text, flush=True)
        await doubling.drain(30)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
