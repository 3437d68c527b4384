"""A consumer as its own process: ``one_consumer.py OPTIONS``, which is JSON. Not a test.

It takes the captured tickets and writes each, by its position, to the table ``outcome``. SIGTERM
ends it; the text "poison" kills it.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from pathlib import Path

import psycopg

from stranglerfig.adapters.tables import TableSource
from stranglerfig.errors import FigError
from stranglerfig.model import Delivery, Settlement
from stranglerfig.telemetry import start_logging

options = json.loads(sys.argv[1])
OUTCOME = (
    "INSERT INTO outcome (position, account, ticket, pid) VALUES (%s, %s, %s, %s)"
    " ON CONFLICT (position) DO UPDATE SET again = outcome.again + 1"
)


async def take(delivery: Delivery, outcomes: psycopg.AsyncConnection) -> None:
    image = json.loads(delivery.record.body)
    if image["text"] == "poison":
        os.kill(os.getpid(), signal.SIGKILL)
    await asyncio.sleep(random.uniform(0, 0.004))
    row = (delivery.record.position, image["account"], int(image["id"]), os.getpid())
    await outcomes.execute(OUTCOME, row)
    await asyncio.sleep(random.uniform(0, 0.004))
    try:
        await delivery.settle(Settlement(outcome="done"))
    except FigError as error:
        print(error, file=sys.stderr)


async def main() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    url = options["url"].replace("+psycopg", "")
    outcomes = await psycopg.AsyncConnection.connect(url, autocommit=True)
    source = TableSource(name="tickets", options=options, place="fig.toml", root=Path.cwd())
    await source.open()
    running: set[asyncio.Task[None]] = set()
    while not stop.is_set():
        for delivery in await source.receive(16 - len(running), 0.1):
            task = asyncio.create_task(take(delivery, outcomes))
            running.add(task)
            task.add_done_callback(running.discard)
        while len(running) == 16:
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    if running:
        await asyncio.wait(running)
    await source.close()
    await outcomes.close()


start_logging(1)
asyncio.run(main())
