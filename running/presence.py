"""Says every second on the store that this process lives, and sees which others do not any more."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from ..errors import StoreError
from ..store.database import Database
from ..store.processes import Process, Processes, new_incarnation
from ..store.tables import HEAD
from ..telemetry import log
from .kin import born

__all__ = ["Presence"]

_EVERY: Final = 1.0
"""Seconds between two beats; a quarter of the lease where that is shorter."""


class Presence:
    """One process's entry on the store. Built by the running process, on its event loop.

    ``status`` is asked at each beat. ``lease`` gives the seconds after which a silent process is
    gone. While the store is lost nothing is raised: the next beat tries again.
    """

    def __init__(
        self,
        database: Database,
        *,
        kind: str,
        lease: Callable[[], float],
        status: Callable[[], Mapping[str, object]],
    ) -> None:
        self.incarnation = new_incarnation()
        self.others: tuple[Process, ...] = ()
        self._processes = Processes(database)
        self._kind, self._lease, self._status = kind, lease, status
        self._born = born(os.getpid())
        self._told: set[str] = set()
        self._news = asyncio.Event()
        # A thread of its own: those of the loop may all stand before a store that is gone.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="stranglerfig-presence")

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            await self.beat()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(_EVERY, self._lease() / 4)):
                    await self._news.wait()
            self._news.clear()

    def nudge(self) -> None:
        """Beat soon: there is something that others wait to hear. Called on the event loop."""
        self._news.set()

    async def beat(self) -> None:
        """Beat once, now. Never raises."""
        status = {**self._status(), "born": self._born, "schema": HEAD}
        loop = asyncio.get_running_loop()
        with contextlib.suppress(StoreError):
            found = await loop.run_in_executor(self._thread, self._beat, status)
            self.others = tuple(one for one in found if one.incarnation != self.incarnation)
            self._tell()

    async def leave(self) -> None:
        """Take the entry out, and let go of every lease: others need not wait then."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(StoreError):
            await loop.run_in_executor(self._thread, self._processes.leave, self.incarnation)
        self._thread.shutdown(wait=False)

    def _beat(self, status: Mapping[str, object]) -> list[Process]:
        self._processes.beat(
            self.incarnation,
            kind=self._kind,
            host=socket.gethostname(),
            pid=os.getpid(),
            status=status,
        )
        return self._processes.all()

    def _tell(self) -> None:
        gone = [one for one in self.others if one.silent > self._lease()]
        for one in gone:
            if one.incarnation not in self._told:
                log.warning(
                    "%s %d on %s said nothing for %.0f s: it is gone, and what it leased is free",
                    one.kind,
                    one.pid,
                    one.host,
                    one.silent,
                )
        self._told = {one.incarnation for one in gone}
