"""Requests and outcomes that are past their time: looked for now and then, by every process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from ..errors import StoreError
from ..store.store import Store
from ..store.sweep import MOST, Sweep
from ..telemetry import Counters, log
from .endpoint import Endpoint

__all__ = ["Overdue"]


class Overdue:
    """Tells of outcomes that did not come. Each is told once, however many processes look.

    ``every`` is in seconds.
    """

    def __init__(
        self,
        endpoints: Iterable[Endpoint],
        store: Store,
        counters: Counters,
        *,
        every: float = 30.0,
    ) -> None:
        self._within = {
            one.name: one.observed.config.within for one in endpoints if one.observed is not None
        }
        self._sweep = Sweep(store.database)
        self._counters = counters
        self._every = every

    async def run(self) -> None:
        """Look until cancelled. Returns at once where no endpoint declares an outcome."""
        while self._within:
            try:
                again = await self.look()
            except StoreError as error:
                log.info("outcomes were not looked at: %s", error)
                again = False
            await asyncio.sleep(0.0 if again else self._every)

    async def look(self) -> bool:
        """Look once; say whether there is more to be told. Raises ``StoreUnavailable``."""
        counts = await asyncio.to_thread(self._sweep.run, self._within, time.time())
        for (endpoint, state), count in counts.items():
            self._counters.add("outcomes", endpoint, state, by=count)
        return any(count >= MOST for count in counts.values())
