"""What guards are made of: a handler that knows until when it may take."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from math import inf

from ...errors import DeadlineExceeded, ReplacementUnavailable
from ...model import Reply, Request
from ...ports import Handler
from ..time_limits import TimeLimits

__all__ = ["Step", "is_refusal", "last_step", "until"]

Step = Callable[[Request, float], Awaitable[Reply]]
"""Answers a request by a time of the event loop's clock, infinite where nobody waits."""


def until(request: Request, within: float) -> float:
    """Give the time of the loop's clock by which a request is to be answered."""
    left = inf if request.deadline is None else request.deadline - time.time()
    return asyncio.get_running_loop().time() + min(left, within)


def last_step(handler: Handler, name: str, time_limit: float) -> Step:
    """Give the innermost step: it asks the handler, for ``time_limit`` seconds at most.

    Raises ``DeadlineExceeded`` where there is no answer by then.
    """
    limits = TimeLimits()

    async def ask(request: Request, end: float) -> Reply:
        seconds = min(time_limit, end - asyncio.get_running_loop().time())
        clock = limits.within(seconds)
        try:
            with clock:
                return await handler(request)
        except TimeoutError:
            if not clock.expired:
                raise
            raise DeadlineExceeded(
                f"the replacement gave no answer within {seconds:.2f} s", place=name
            ) from None

    return ask


def is_refusal(error: Exception, name: str) -> bool:
    """Say whether a guard of that replacement stopped the request, before it was asked."""
    guards = (f"{name}.rate", f"{name}.at_once")
    return isinstance(error, ReplacementUnavailable) and error.place in guards
