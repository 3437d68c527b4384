"""Asking again at once, where the failure may pass and asking twice does no harm."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final

import stamina

from ...errors import (
    CircuitOpen,
    DeadlineExceeded,
    NotAsked,
    ReplacementError,
    ReplacementUnavailable,
)
from ...model import Reply, Request
from ...settings import Retry
from ...telemetry import Counters
from .step import Step

__all__ = ["MAY_PASS", "REPEATABLE", "Retrying"]

MAY_PASS: Final = (ReplacementUnavailable, DeadlineExceeded)
REPEATABLE: Final = frozenset({"read", "idempotent"})
"""The effects of operations that may be asked for twice."""

# It tells of every retry by itself: to those who listen, and not to standard error.
logging.getLogger("stamina").addHandler(logging.NullHandler())


class Retrying:
    """Asks up to ``attempts`` times, waiting with full jitter, never beyond the request's time.

    ``turn`` is awaited before every further attempt: each counts for the rate. Source of the
    waits: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """

    def __init__(
        self,
        retry: Retry,
        name: str,
        counters: Counters,
        turn: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        self._retry, self._name, self._counters, self._turn = retry, name, counters, turn

    def around(self, step: Step) -> Step:
        """Give the step behind this guard."""

        async def retried(request: Request, until: float) -> Reply:
            attempts, reached = 0, False

            def wait(error: Exception) -> bool | float:
                return self._wait(error, attempts, until)

            async for attempt in stamina.retry_context(
                on=wait, attempts=self._retry.attempts, timeout=None
            ):
                with attempt:
                    attempts += 1
                    try:
                        if attempts > 1:
                            await self._again(until)
                        return await step(request, until)
                    except NotAsked as error:
                        if reached:
                            raise _reached(error) from error
                        raise
                    except ReplacementError:
                        reached = True
                        raise
            raise AssertionError("the last attempt returns or raises")

        return retried

    async def _again(self, until: float) -> None:
        self._counters.add("guards", self._name, "retry")
        if self._turn is not None:
            await self._turn(until)

    def _wait(self, error: Exception, attempts: int, until: float) -> bool | float:
        """Give the seconds until the next attempt; False where there is to be none."""
        if not isinstance(error, MAY_PASS) or isinstance(error, CircuitOpen):
            return False
        most = min(self._retry.longest, self._retry.first * 2.0 ** min(attempts - 1, 60))
        delay = random.uniform(0.0, most)  # noqa: S311 - spreads load, keeps no secret
        if asyncio.get_running_loop().time() + delay >= until:
            return False
        return delay


def _reached(error: NotAsked) -> ReplacementUnavailable:
    """Say that it was not asked this time, but had been: nobody knows what that has come to."""
    return ReplacementUnavailable(
        error.message,
        place=error.place,
        value=error.value,
        expected=error.expected,
        remedy=error.remedy,
    )
