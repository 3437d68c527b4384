"""A store that was not there at the start."""

from __future__ import annotations

import asyncio
import contextlib

from ..errors import StoreError
from ..store.store import Store
from ..telemetry import log

__all__ = ["open_later"]


async def open_later(store: Store) -> None:
    """Try to open a store again and again, until it is there. Called by ``Running`` at a start."""
    while True:
        await asyncio.sleep(0.5)
        with contextlib.suppress(StoreError):
            await asyncio.to_thread(store.open)
            log.info("the store is there now")
            return
