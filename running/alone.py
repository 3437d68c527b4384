"""What one process on a store does for all of them: each under a lease of its own."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Final

import msgspec

from ..errors import StoreError
from ..routing.dual.copying import Copying
from ..routing.effects.scales import Scales
from ..routing.overdue import Overdue
from ..store.leases import Leases
from ..store.retention import retain
from ..telemetry import log
from .forgetting import forget
from .judges import judges
from .singleton import Singleton

if TYPE_CHECKING:
    from .running import Running

__all__ = ["alone"]

_SWEEP: Final = 5.0
"""Seconds between two looks for outcomes that did not come."""
_FIRST: Final = 60.0
"""Seconds after which what is old is first looked for: a start has other things to do."""
_HOUR: Final = 3_600.0


def alone(running: Running) -> list[Singleton]:
    """Give the work of a process. Called once, at its start.

    One that only serves copies what it and others wrote; the rest is for those that take
    deliveries.
    """
    leases = Leases(running.store.database)

    async def outcomes(token: int) -> None:
        del token  # a row is marked once, whoever does it
        while True:
            # Made anew each time: the endpoints may be others after a reload.
            endpoints = running.plan.endpoints.values()
            overdue = Overdue(endpoints, running.store, running.counters)
            try:
                again = await overdue.look()
                again = await Scales(endpoints, running.store, running.counters).look() or again
            except StoreError as error:
                log.debug("outcomes that did not come are not told of yet: %s", error)
                again = False
            await asyncio.sleep(0.0 if again else _SWEEP)

    async def retention(token: int) -> None:
        del token  # each step is a transaction that looks for itself
        await asyncio.sleep(_FIRST)
        while True:
            await _retain(running)
            await asyncio.sleep(_HOUR)

    async def judging(token: int) -> None:
        del token  # a difference that is decided already is not decided again
        await judges(running)

    async def copying(token: int) -> None:
        del token  # each write is under a lease of its own
        await Copying(running.doubling, lambda: running.plan.endpoints).run()

    taking = (("outcomes", outcomes), ("retention", retention), ("judges", judging))
    return [
        Singleton(
            leases,
            name,
            running.presence.incarnation,
            lease=lambda: running.plan.workspace.bridge.lease,
            work=work,
        )
        for name, work in (*(taking if running.sources else ()), ("dual writes", copying))
    ]


async def _retain(running: Running) -> None:
    """Let go of what is old; where we are told to stop, that ends between two of its steps."""
    stop = threading.Event()
    wanted = running.plan.workspace.retention
    if not await forget(running, time.time()):
        # Once a letter is gone, nobody would know that its event need not stay.
        wanted = msgspec.structs.replace(wanted, dead_letters=0.0)
    try:
        report = await asyncio.to_thread(
            retain, running.store, wanted, time.time(), stop=stop.is_set
        )
        log.info("retention: %s", report)
    except StoreError as error:
        log.error("retention: nothing more is removed: %s", error)
    finally:
        stop.set()
