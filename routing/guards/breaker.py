"""A circuit breaker: what failed often in a row is left alone for a while."""

from __future__ import annotations

import asyncio
from typing import Final

from purgatory.domain.model import CLOSED, OPENED, Context, OpenedState

from ...errors import CircuitOpen, DeadlineExceeded, InputError
from ...model import Reply, Request
from ...settings import Breaker
from ...telemetry import Counters, log
from .step import Step, is_refusal

__all__ = ["CircuitBreaker"]

_NEARLY: Final = 0.01
"""Who is cancelled so many seconds before the end of its time has run out of it."""


class CircuitBreaker:
    """Refuses requests for ``open`` seconds after ``failures`` in a row; then one of them tries.

    A refused input, a caller who went away and a request that another guard stopped say nothing of
    the replacement; running out of time does. One for each revision: a bad new one must not cut off
    the one before. Lives on one event loop.
    """

    def __init__(self, breaker: Breaker, name: str, counters: Counters) -> None:
        self._settings, self._name, self._counters = breaker, name, counters
        self._circuit = Context(name, breaker.failures, breaker.open)
        self._trying = False

    def around(self, step: Step) -> Step:
        """Give the step behind this guard."""

        async def broken(request: Request, until: float) -> Reply:
            tries = self._enter()
            try:
                reply = await step(request, until)
            except InputError:
                raise
            except asyncio.CancelledError:
                if asyncio.get_running_loop().time() >= until - _NEARLY:
                    self._note(tries, DeadlineExceeded("no answer in time"))
                raise
            except Exception as error:
                if not is_refusal(error, self._name):
                    self._note(tries, error)
                raise
            else:
                self._note(tries, None)
                return reply
            finally:
                if tries:
                    self._trying = False

        return broken

    def _enter(self) -> bool:
        """Say whether this is the request that tries. Raises ``CircuitOpen``."""
        if self._circuit.state == CLOSED:
            return False
        if self._trying:
            raise self._refused()
        try:
            self._circuit.handle_new_request()
        except OpenedState:
            raise self._refused() from None
        self._trying = True
        return True

    def _note(self, tries: bool, error: Exception | None) -> None:
        """Let the circuit know how a request ended."""
        circuit, was = self._circuit, self._circuit.state
        if was != CLOSED and not tries:
            return  # it was asked before the circuit opened
        if error is None:
            circuit.handle_end_request()
        else:
            circuit.handle_exception(error)
        circuit.messages.clear()
        if circuit.state == OPENED and was == CLOSED:
            seconds = self._settings.open
            log.warning("%s: nobody asks it for %g s: %s", self._name, seconds, error)
        elif circuit.state == CLOSED and was != CLOSED:
            log.warning("%s: answers again, and is asked again", self._name)

    def _refused(self) -> CircuitOpen:
        self._counters.add("guards", self._name, "breaker")
        return CircuitOpen(
            "failed so often just now that nobody asks it for a while",
            place=f"{self._name}.breaker",
            value=f"{self._settings.failures} failures in a row",
            expected=f"one request tries it after {self._settings.open:g} s",
        )
