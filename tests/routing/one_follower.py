"""One process that follows the routes: ``one_follower.py STORE NAME FOLDER OFFSET``. Not a test.

Its clock is OFFSET seconds off. It decides for a few hundred keys, over and over, and writes to
``FOLDER/NAME`` each (version, key, side) that it comes to, as two numbers and a letter.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from pathlib import Path

from stranglerfig.model import Request
from stranglerfig.routing.router import Router
from stranglerfig.routing.table import RouteTable
from stranglerfig.running.changes import Changes
from stranglerfig.running.presence import Presence
from stranglerfig.running.status import ProcessStatus, builtins
from stranglerfig.store import Store

store_url, name, folder, offset = sys.argv[1:5]
right_time = time.time
time.time = lambda: right_time() + float(offset)

KEYS = [
    Request(id="", operation="o", version=1, source="s", payload={}, key=f"k{number}")
    for number in range(200)
]
LEASE = 2.0


async def ready(_route):
    return True


async def decide(table: RouteTable, stream) -> None:
    """Decide as a dispatcher does: the route is looked up for each request anew."""
    router, told = Router(), set()
    while True:
        for number, request in enumerate(KEYS):
            route = table.current("triage")
            seen = (route.version, number, router.decide(route, request).side[0])
            if seen not in told:
                told.add(seen)
                stream.write("{} {} {}\n".format(*seen))
            if number % 50 == 0:
                stream.flush()
                await asyncio.sleep(0)
        await asyncio.sleep(0.01)


async def main() -> None:
    store = Store(store_url)
    store.open()
    folder_ = Path(folder)
    table = RouteTable(store, ["triage"], prepare=ready, kill_file=folder_ / "fig.kill")
    presence = Presence(
        store.database,
        kind="serve",
        lease=lambda: LEASE,
        status=lambda: builtins(
            ProcessStatus(workspace=folder, lease=LEASE, routes=dict(table.versions))
        ),
    )
    changes = Changes(store_url, table.nudge)
    table._told = presence.nudge
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await table.poll()
    with (folder_ / name).open("a", encoding="ascii") as stream:
        jobs = [
            asyncio.create_task(one)
            for one in (table.watch(), presence.run(), changes.run(), decide(table, stream))
        ]
        await stop.wait()
        for job in jobs:
            job.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*jobs, return_exceptions=True)
    await presence.leave()
    store.close()


if __name__ == "__main__":
    asyncio.run(main())
