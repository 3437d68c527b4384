"""What a process looks at again and again: its progress, its sources, what waits in the store."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from ..errors import StoreError
from ..store.waiting import count_waiting
from .drift import Drift
from .report import words

if TYPE_CHECKING:
    from .running import Running

__all__ = ["count", "pulse"]


async def pulse(running: Running) -> None:
    """Look once a second until cancelled, or more often where systemd wants to hear of us sooner.

    The watchdog is told of progress only; sources that have drifted have their routes paused.
    """
    notify, drift = running.notify, Drift(running.operators)
    every = min(1.0, notify.watchdog / 3) if notify.watchdog else 1.0
    while True:
        sources = running.intake.status().sources
        running.recent.look(sources)
        status = running.status()
        if status.live:
            notify.progress()
        if running.state == "running":
            notify.status("; ".join(status.missing) or words(status))
        await drift.look(sources)
        await asyncio.sleep(every)


async def count(running: Running) -> None:
    """Count what waits in the store every few seconds, until cancelled."""
    while True:
        try:
            found = await asyncio.to_thread(count_waiting, running.store.database, time.time())
        except StoreError:
            running.waiting = None
        else:
            running.waiting = found
        await asyncio.sleep(2.0)
