"""What becomes of a delivery: what its ``take`` says, or what its failure means."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from ..errors import FigError
from ..model import Delivery, Settlement
from ..routing.taken import Taken
from ..telemetry import log
from .retry import Retries, describe

__all__ = ["Bury", "Take", "Taking"]

Take = Callable[[Delivery], Awaitable[Settlement | Taken]]
"""Brings a delivery to its outcome. When it returns a settlement, that outcome is durable; where it
returns ``Taken``, it will be."""

Bury = Callable[[Delivery, str], Awaitable[None]]
"""Keeps a delivery that the bridge itself gives up, with the reason; durable when it returns."""


class Taking:
    """A source's ``take`` with its retries, and ``bury`` for what is given up. Used by ``Lane``."""

    def __init__(self, name: str, take: Take, *, retries: Retries, bury: Bury | None) -> None:
        self._name = name
        self._take = take
        self._retries = retries
        self._bury = bury

    async def outcome(self, delivery: Delivery) -> Settlement | Taken:
        """Take a delivery. Never raises, but when it is cancelled from outside."""
        spent = self._retries.spent(delivery.attempt)
        if spent is not None:
            return await self._bury_first(delivery, spent)
        try:
            return _checked(await self._take(delivery))
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            failure: Exception = FigError("was cancelled from within")
        except Exception as error:  # noqa: BLE001 - whatever it is, the delivery must not be lost
            failure = error
        return await self.failed(delivery, failure)

    async def failed(self, delivery: Delivery, error: BaseException) -> Settlement:
        """Give the settlement for what went wrong: again, or dead once it is kept."""
        if not isinstance(error, FigError):
            log.error("%s: %s", self._name, delivery.record.position, exc_info=error)
        settlement = self._retries.after(error, delivery.attempt)
        return await self._bury_first(delivery, settlement)

    async def _bury_first(self, delivery: Delivery, settlement: Settlement) -> Settlement:
        """Keep what the bridge gives up before its source forgets it."""
        if settlement.outcome != "dead":
            log.info("%s: %s: %s", self._name, delivery.record.position, settlement.reason)
            return settlement
        try:
            if self._bury is not None:
                await self._bury(delivery, settlement.reason)
        except Exception as error:  # noqa: BLE001 - not kept, so not given up
            delay = self._retries.backoff.delay(delivery.attempt)
            return Settlement(outcome="retry", reason=describe(error), delay=delay)
        log.warning("%s: %s is dead: %s", self._name, delivery.record.position, settlement.reason)
        return settlement


def _checked(outcome: object) -> Settlement | Taken:
    if isinstance(outcome, Settlement | Taken):
        return outcome
    raise TypeError(f"take gave {outcome!r}, which is no Settlement")
