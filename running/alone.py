"""What one process on a store does for all of them: each under a lease of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from ..errors import StoreError
from ..store.leases import Leases
from ..store.sweep import Sweep
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
        sweep = Sweep(running.store.database)
        while True:
            await _sweep(running, sweep)
            await asyncio.sleep(_SWEEP)

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


async def _sweep(running: Running, sweep: Sweep) -> None:
    within = _within(running)
    if not within:
        return
    try:
        counts = await asyncio.to_thread(sweep.run, within, time.time())
    except StoreError as error:
        log.debug("outcomes that did not come are not marked yet: %s", error)
        return
    for (endpoint, state), count in counts.items():
        running.counters.add("outcomes", endpoint, state, by=count)


def _within(running: Running) -> Mapping[str, float]:
    """Give each endpoint's window, in seconds, where legacy decides later."""
    endpoints = running.plan.workspace.endpoint.values()
    return {one.name: one.outcome.within for one in endpoints if one.outcome is not None}
