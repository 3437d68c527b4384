"""What one process on a store does for all of them: each under a lease of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from ..errors import StoreError
from ..routing.overdue import Overdue
from ..store.leases import Leases
from ..telemetry import log
from .singleton import Singleton

if TYPE_CHECKING:
    from .running import Running

__all__ = ["alone"]

_SWEEP: Final = 5.0
"""Seconds between two looks for outcomes that did not come."""


def alone(running: Running) -> list[Singleton]:
    """Give the work of a process that takes deliveries. Called once, at its start."""
    leases = Leases(running.store.database)

    async def outcomes(token: int) -> None:
        del token  # a row is marked once, whoever does it
        while True:
            # Made anew each time: the endpoints may be others after a reload.
            endpoints = running.plan.endpoints.values()
            overdue = Overdue(endpoints, running.store, running.counters)
            try:
                again = await overdue.look()
            except StoreError as error:
                log.debug("outcomes that did not come are not told of yet: %s", error)
                again = False
            await asyncio.sleep(0.0 if again else _SWEEP)

    return [
        Singleton(
            leases,
            name,
            running.presence.incarnation,
            lease=lambda: running.plan.workspace.bridge.lease,
            work=work,
        )
        for name, work in (("outcomes", outcomes),)
    ]
