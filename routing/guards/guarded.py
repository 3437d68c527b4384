"""The guards of one replacement, in their order: rate, breaker, at_once, retry, time limit."""

from __future__ import annotations

from math import inf

from ...model import Reply, Request
from ...ports import Handler
from ...settings import Guards
from ...telemetry import Counters
from .breaker import CircuitBreaker
from .rate import RateLimit
from .retry import REPEATABLE, Retrying
from .slots import Slots
from .step import Step, last_step, until

__all__ = ["Guarding", "guarded"]


class Guarding:
    """Stands around a replacement: one for all endpoints that ask it. Lives on one event loop.

    The rate and the slots are for all of its revisions together, the breaker for each alone.
    ``name`` is ``replacement.NAME``.
    """

    def __init__(self, guards: Guards, *, name: str, counters: Counters) -> None:
        self._guards, self._name, self._counters = guards, name, counters
        self._rate = RateLimit(guards.rate, name, counters) if guards.rate.calls > 0 else None
        self._slots = Slots(guards.at_once, name, counters) if guards.at_once > 0 else None
        self._breakers: dict[str, CircuitBreaker] = {}

    @property
    def there(self) -> bool:
        """Say whether there is any guard at all."""
        guards = self._guards
        return bool(
            self._rate or self._slots or guards.breaker.failures > 0 or guards.retry.attempts > 1
        )

    def around(
        self,
        handler: Handler,
        *,
        time_limit: float,
        effect: str,
        waits: bool = True,
        revision: str = "",
    ) -> Handler:
        """Give the handler behind its guards; the handler itself where there are none.

        ``time_limit`` is in seconds. Where somebody ``waits``, it is for the whole, and nobody is
        kept longer; else (an event) for each attempt, and a turn is waited for without end.
        ``effect`` is the operation's: only what may be done twice is tried twice.

        What is given raises ``CircuitOpen`` and ``ReplacementUnavailable`` where a guard stops a
        request, ``DeadlineExceeded`` where an attempt takes too long, and what the handler raises.
        """
        if not self.there:
            return handler
        step = self._chain(last_step(handler, self._name, time_limit), effect, revision)
        within = time_limit if waits else inf

        async def guarded(request: Request) -> Reply:
            return await step(request, until(request, within))

        return guarded

    def _chain(self, step: Step, effect: str, revision: str) -> Step:
        guards, name, counters = self._guards, self._name, self._counters
        if guards.retry.attempts > 1 and effect in REPEATABLE:
            turn = self._rate.turn if self._rate else None
            step = Retrying(guards.retry, name, counters, turn).around(step)
        if self._slots is not None:
            step = self._slots.around(step)
        if guards.breaker.failures > 0:
            breaker = self._breakers.get(revision)
            if breaker is None:
                breaker = CircuitBreaker(guards.breaker, name, counters)
                self._breakers[revision] = breaker
            step = breaker.around(step)
        if self._rate is not None:
            step = self._rate.around(step)
        return step


def guarded(
    handler: Handler,
    guards: Guards,
    *,
    name: str,
    counters: Counters,
    time_limit: float = 2.0,
    effect: str = "read",
    waits: bool = True,
) -> Handler:
    """Give one handler behind guards of its own: as ``Guarding.around``."""
    guarding = Guarding(guards, name=name, counters=counters)
    return guarding.around(handler, time_limit=time_limit, effect=effect, waits=waits)
