"""How often a replacement is asked: no oftener than its provider allows."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from math import inf

from aiolimiter import AsyncLimiter

from ...errors import NotAsked
from ...model import Reply, Request
from ...settings import Rate
from ...telemetry import Counters
from .history import HISTORY
from .step import Step

__all__ = ["RateLimit"]


class RateLimit:
    """Lets at most ``calls`` in ``per`` seconds through; the others wait, what is new first.

    Of history one at a time stands among those that wait, so that it never holds the others up. A
    wait that would outlast the request is refused at once. Lives on one event loop.
    """

    def __init__(self, rate: Rate, name: str, counters: Counters) -> None:
        self._rate, self._name, self._counters = rate, name, counters
        self._limiter = AsyncLimiter(rate.calls, rate.per)
        self._history = asyncio.Lock()
        self._waiting = 0

    def around(self, step: Step) -> Step:
        """Give the step behind this guard."""

        async def limited(request: Request, until: float) -> Reply:
            await self.turn(until)
            return await step(request, until)

        return limited

    async def turn(self, until: float) -> None:
        """Wait for a turn. Raises ``NotAsked`` where none comes in time."""
        if not self._waiting and self._limiter.has_capacity():
            await self._limiter.acquire()
            return
        left = until - asyncio.get_running_loop().time()
        ahead = 0 if HISTORY.get() else self._waiting
        if ahead * self._rate.per / self._rate.calls >= left:
            raise self._refused()
        self._waiting += not HISTORY.get()
        try:
            async with asyncio.timeout(None if left == inf else left):
                async with self._history if HISTORY.get() else nullcontext():
                    await self._limiter.acquire()
        except TimeoutError:
            raise self._refused() from None
        finally:
            self._waiting -= not HISTORY.get()

    def _refused(self) -> NotAsked:
        self._counters.add("guards", self._name, "rate")
        return NotAsked(
            "rate: it is asked as often as it may be",
            place=f"{self._name}.rate",
            value=f"{self._waiting} wait for their turn",
            expected=f"{self._rate.calls} in {self._rate.per:g} s",
            remedy="raise the rate if its provider allows it, or lower the canary's percent",
        )
