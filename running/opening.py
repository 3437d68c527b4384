"""A store that was not there at the start."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from ..errors import StoreError
from ..store.store import Store
from ..telemetry import log

__all__ = ["open_later", "open_now"]


async def open_now(store: Store) -> str:
    """Open a store; give what is wrong where it cannot be. Called by ``Running`` at a start."""
    try:
        await asyncio.to_thread(store.open)
    except StoreError as error:
        log.warning("store lost, legacy answers everybody: %s", error)
        return str(error)
    return ""


async def open_later(store: Store, then: Callable[[], None]) -> None:
    """Try to open a store again and again, until it is there; call ``then``."""
    while True:
        await asyncio.sleep(0.5)
        with contextlib.suppress(StoreError):
            await asyncio.to_thread(store.open)
            log.info("the store is there now")
            then()
            return
