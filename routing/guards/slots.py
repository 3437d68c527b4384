"""How many requests a replacement works on at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from math import inf

from ...errors import NotAsked
from ...model import Reply, Request
from ...telemetry import Counters
from .history import HISTORY
from .step import Step

__all__ = ["Slots"]


class Slots:
    """Lets ``at_once`` requests through at a time; the others wait, as long as they may.

    History never has all of the slots, but where there is only one. Lives on one event loop.
    """

    def __init__(self, at_once: int, name: str, counters: Counters) -> None:
        self._at_once, self._name, self._counters = at_once, name, counters
        self._free = asyncio.Semaphore(at_once)
        self._for_history = asyncio.Semaphore(max(1, at_once - max(1, at_once // 8)))

    def around(self, step: Step) -> Step:
        """Give the step behind this guard."""

        async def slotted(request: Request, until: float) -> Reply:
            first = self._for_history if HISTORY.get() else nullcontext()
            async with first, self._slot(until):
                return await step(request, until)

        return slotted

    @asynccontextmanager
    async def _slot(self, until: float) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout_at(None if until == inf else until):
                await self._free.acquire()
        except TimeoutError:
            raise self._refused() from None
        try:
            yield
        finally:
            self._free.release()

    def _refused(self) -> NotAsked:
        self._counters.add("guards", self._name, "at_once")
        return NotAsked(
            "at_once: it works on as many requests as it may",
            place=f"{self._name}.at_once",
            expected=f"{self._at_once} at once",
            remedy="raise at_once if it can bear it, or lower the canary's percent",
        )
