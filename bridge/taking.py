"""What takes deliveries, what keeps those that are given up, and how one is given up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from ..errors import FigError, StoreUnavailable
from ..model import Delivery, Settlement
from ..routing.taken import Taken
from ..telemetry import log
from .retry import Retries

__all__ = ["Bury", "Failures", "Take", "is_cancelled"]

Take = Callable[[Delivery], Awaitable[Settlement | Taken]]
"""Brings a delivery to its outcome. When it returns a settlement, that outcome is durable; where it
returns ``Taken``, it will be."""


class Bury(Protocol):
    """Keeps a delivery that the bridge itself gives up; durable when it returns."""

    async def __call__(
        self, delivery: Delivery, reason: str, cause: BaseException | None = None, /
    ) -> None:
        """Keep it, with the reason and the error behind it. Raises ``StoreError``."""


class Failures:
    """Gives the settlement of what failed, by the source's ``retries``. Used by ``Hand``."""

    def __init__(self, name: str, *, retries: Retries, bury: Bury | None) -> None:
        self._name = name
        self.retries = retries
        self._bury = bury

    async def settlement(self, delivery: Delivery, error: BaseException) -> Settlement:
        """Give it: again, or dead once it is kept. Raises ``StoreUnavailable``: it is not kept."""
        settlement = self.retries.after(error, delivery.attempt)
        return await self._keep_first(delivery, settlement, error)

    async def spent(self, delivery: Delivery) -> Settlement:
        """Give the end of one that was begun too often, once it is kept. Raises as the other."""
        return await self._keep_first(delivery, self.retries.spent(), None)

    async def _keep_first(
        self, delivery: Delivery, settlement: Settlement, cause: BaseException | None
    ) -> Settlement:
        """Keep what the bridge gives up before its source forgets it."""
        where = f"{self._name}: {delivery.record.position}"
        if settlement.outcome != "dead":
            log.info("%s: %s", where, settlement.reason)
            return settlement
        try:
            if self._bury is not None:
                await self._bury(delivery, settlement.reason, cause)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - not kept, so not given up
            if not isinstance(error, FigError):
                log.error("%s: cannot be kept", where, exc_info=error)
            return self.retries.again(error, delivery.attempt)
        behind = "; those behind it wait for a person" if settlement.blocks else ""
        log.warning("%s is dead: %s%s", where, settlement.reason, behind)
        return settlement


def is_cancelled() -> bool:
    """Say whether it is the running task that was cancelled, and not something it waited for."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0
