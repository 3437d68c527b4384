"""Says when work can flow, and until then what it waits for: to people, programs and systemd."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from ..bridge.replays import NAME as REPLAYS
from .status import ProcessStatus

if TYPE_CHECKING:
    from .running import Running

__all__ = ["readiness"]

_SOON: Final = 2.0
"""Seconds after a start until it is said what is missing: most of it comes before."""

_SYSTEMD: Final = 20.0
"""Seconds after which systemd hears that we are up, whatever is missing still. It would end us
after ``TimeoutStartSec``, and a bridge whose source is down is to wait for it."""

_LOOK: Final = 0.02
_LATER: Final = 1.0


async def readiness(running: Running) -> None:
    """Watch a process from its start on, until cancelled.

    ``flows`` is announced of each source when it first does, ``waiting`` with what is missing where
    that takes long, and ``ready`` once. What changes later is in the status.
    """
    began = time.monotonic()
    flowing: dict[str, object] = {}
    waits = ready = up = False
    while True:
        status, waited = running.status(), time.monotonic() - began
        _flows(running, status, flowing)
        if running.state == "running" and not ready:
            ready = status.ready
            if ready:
                endpoints = sorted(running.plan.endpoints)
                running.announce({"event": "ready", "endpoints": endpoints})
            elif not waits and waited > _SOON:
                waits = True
                running.announce({"event": "waiting", "missing": list(status.missing)})
            if not up and (ready or waited > _SYSTEMD):
                up = True
                count = f"ready: {len(running.plan.endpoints)} endpoints"
                running.notify.ready(count if ready else "; ".join(status.missing))
        await asyncio.sleep(_LATER if ready else _LOOK)


def _flows(running: Running, status: ProcessStatus, flowing: dict[str, object]) -> None:
    """Tell of sources that flow for the first time since they were opened."""
    for name, one in status.sources.items():
        source = running.intake.source(name)
        if name != REPLAYS and one.status.state == "flowing" and flowing.get(name) is not source:
            flowing[name] = source
            running.announce({"event": "flows", "source": name})
