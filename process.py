"""A running process: facades, bridge, or both, from one workspace, until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import os
import signal

from . import app
from .config import Workspace
from .running.running import Running
from .telemetry import log

__all__ = ["run"]


async def run(
    workspace: Workspace,
    *,
    facades: bool,
    sources: bool,
    announce: app.Announce,
    health: str | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; what is under way is finished first. SIGHUP has it reload.

    ``health`` stands in place of the probes' address in ``[bridge]``, where it is given. Raises
    ``ConfigError`` before anything is served. A store that is not there at the start does not keep
    callers from legacy: it is tried again and again.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, stop, number)
    running = Running(workspace, facades=facades, sources=sources, announce=announce, health=health)
    loop.add_signal_handler(signal.SIGHUP, running.reload.ask)
    try:
        await running.start(stop)
        gc.collect()
        gc.freeze()  # what was made until now stays: looking at it again and again is in vain
        await stop.wait()
        log.info("stopping: what is under way is finished first")
        announce({"event": "stopping"})
    finally:
        await running.stop()


def _stop(stop: asyncio.Event, number: int) -> None:
    if stop.is_set():
        # Asked twice: what is under way is not waited for.
        os._exit(128 + number)
    stop.set()
