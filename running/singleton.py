"""Work that one process on a store does at a time, under a lease; the next takes over from it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from ..errors import FigError, StoreError
from ..store.leases import Leases
from ..telemetry import log

__all__ = ["Singleton"]

_AGAIN: Final = 1.0
"""Seconds between two tries of a lease that another holds, and after work that failed."""


class Singleton:
    """Runs ``work`` while this process holds a lease. Every process on the store has one of it.

    ``work`` is given the lease's token: what it writes is fenced with it (``store.leases.fence``).
    It runs for ever, or comes to an end and is called again. It is cancelled when the lease cannot
    be renewed in time, as another may have it then. ``lease`` gives its length in seconds.
    """

    def __init__(
        self,
        leases: Leases,
        name: str,
        owner: str,
        *,
        lease: Callable[[], float],
        work: Callable[[int], Awaitable[None]],
    ) -> None:
        self.name = name
        self.held = False
        self._leases, self._owner, self._lease, self._work = leases, owner, lease, work
        self._until = 0.0

    async def run(self) -> None:
        """Work, or stand by, until cancelled."""
        while True:
            token = await self._acquire()
            if token is not None:
                await self._hold(token)
            await asyncio.sleep(_AGAIN)

    async def _acquire(self) -> int | None:
        seconds, asked = self._lease(), time.monotonic()
        try:
            token = await asyncio.to_thread(self._leases.acquire, self.name, self._owner, seconds)
        except StoreError:
            return None
        self._until = asked + seconds
        return token

    async def _hold(self, token: int) -> None:
        self.held = True
        log.info("%s: is done by this process", self.name)
        work = asyncio.ensure_future(self._work(token))
        try:
            while not work.done() and await self._renewed(token):
                await asyncio.wait([work], timeout=self._lease() / 3)
            if not work.done():
                log.warning("%s: the lease was lost, another process does it", self.name)
        finally:
            self.held = False
            await _ended(work, self.name)
            await self._release(token)

    async def _renewed(self, token: int) -> bool:
        seconds, asked = self._lease(), time.monotonic()
        try:
            renewed = await asyncio.to_thread(self._leases.renew, self.name, token, seconds)
        except StoreError:
            # Nobody can take it while the store is lost for all; but it may be lost for us alone.
            return asked < self._until
        self._until = asked + seconds
        return renewed

    async def _release(self, token: int) -> None:
        try:
            await asyncio.to_thread(self._leases.release, self.name, token)
        except StoreError:
            return  # it ends by itself


async def _ended(work: asyncio.Future[None], name: str) -> None:
    work.cancel()
    (end,) = await asyncio.gather(work, return_exceptions=True)
    if isinstance(end, FigError):
        log.warning("%s: %s", name, end)
    elif isinstance(end, Exception):
        log.error("%s: ended with an error", name, exc_info=end)
