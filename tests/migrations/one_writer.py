"""One process on a store: ``one_writer.py STORE NAME``. Not a test; runs in older code as well.

It says ``open``, and then for every number that it reads: ``wrote`` once that many lines are
durable, or ``refused`` and why. It beats all the while, and leaves at the end of its input.
"""

from __future__ import annotations

import asyncio
import sys

from stranglerfig.errors import StoreError
from stranglerfig.running.presence import Presence
from stranglerfig.store import Store
from stranglerfig.store.line import Line
from stranglerfig.store.write import Write

store_url, name = sys.argv[1:3]


async def write(store: Store, count: int) -> str:
    for number in range(count):
        line = Line(kind="note", request_id=f"{name}-{number}", data={"by": name, "text": "Ж"})
        try:
            await store.journal.commit(Write(lines=(line,)))
        except StoreError as error:
            return f"refused {error.message}: {error.remedy}"
    return "wrote"


async def main() -> None:
    store = Store(store_url, patience=20.0)
    try:
        store.open()
    except StoreError as error:
        print("refused", error.message, error.remedy, flush=True)
        return
    presence = Presence(
        store.database,
        kind="serve",
        lease=lambda: 5.0,
        status=lambda: {"workspace": name, "lease": 5.0},
    )
    await presence.beat()
    beating = asyncio.create_task(presence.run())
    print("open", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(await write(store, int(line)), flush=True)
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)
    await presence.leave()
    store.close()


if __name__ == "__main__":
    asyncio.run(main())
