"""A process that takes all requests and outcomes of a test, over and over until it has seen all.

Called as ``one_joiner.py URL MAPPINGS COUNT SEED``; says a line for each delivery that is durable.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sys
from decimal import Decimal
from pathlib import Path

from stranglerfig import config
from stranglerfig.acl.mapping.mapping import load_mapping
from stranglerfig.acl.operations.operation import load_operation
from stranglerfig.errors import StoreUnavailable
from stranglerfig.model import Delivery, Record, Reply, Route, Stage
from stranglerfig.routing.deciding import takers
from stranglerfig.routing.endpoint import Endpoint
from stranglerfig.routing.observed import load_observed
from stranglerfig.settings import Outcome
from stranglerfig.store import Store

T0 = 1_700_000_000.0


class Replacement:
    async def answer(self, request, revision):
        payload = {"category": "quote", "priority": "low", "score": Decimal("0.99")}
        return Reply(request_id=request.id, status="ok", produced_by=revision, payload=payload)


class Table:
    def current(self, endpoint):
        return Route(endpoint=endpoint, stage=Stage.LIVE, revision="r1", salt="s")


async def settle(settlement):
    del settlement


def endpoint(root, source):
    outcome = Outcome(source="decided", when={"status": "D"}, within=60.0)
    settings = config.Endpoint(
        name=source,
        operation="ticket.triage@1",
        listen=config.Listen(source=source),
        mapping="acl/ticket_row.toml",
        replacement="model",
        compare=("category",),
        outcome=outcome if source == "tickets" else None,
        send="" if source == "tickets" else "there",
    )
    operation = load_operation(root, settings.operation)
    mapping = load_mapping(root / settings.mapping, operation, root)
    return Endpoint(
        config=settings,
        operation=operation,
        mapping=mapping,
        replacement=Replacement(),
        observed=load_observed(settings, operation, mapping, root),
    )


def delivery(source, number):
    decided = source == "decided"
    row = {
        "id": str(number),
        "customer": "C",
        "channel": "M",
        "text": f"text {number}",
        "category": "C10" if decided else None,
        "priority": "3" if decided else None,
        "score": "0.99" if decided else None,
        "opened": "20261123",
        "status": "D" if decided else "O",
    }
    record = Record(
        source=source,
        position=f"{source} {number}",
        kind="row",
        key=f"k{number}",
        body=json.dumps(row).encode(),
        headers=(("op", "insert"),),
        captured_at=T0 + (1 if decided else 0),
    )
    return Delivery(record=record, settle=settle, attempt=2)


async def main(url, root, count, seed):
    store = Store(url, patience=30.0)
    store.open()
    endpoints = [endpoint(Path(root), source) for source in ("tickets", "calls")]
    taking = takers(endpoints, Table(), store)
    work = [(source, n) for n in range(1, count + 1) for source in ("tickets", "decided", "calls")]
    random.Random(seed).shuffle(work)
    room = asyncio.Semaphore(8)

    async def take(source, number):
        async with room:
            outcome = None
            while outcome is None:
                # Several on one SQLite file: what finds it locked comes again, as in the bridge.
                with contextlib.suppress(StoreUnavailable):
                    taken = await taking[source].begin(delivery(source, number))
                    await taken.durable
                    outcome = taken.settlement.outcome
                await asyncio.sleep(0 if outcome else 0.05)
            print(source, number, outcome, flush=True)

    await asyncio.gather(*(take(*one) for one in work))
    store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
