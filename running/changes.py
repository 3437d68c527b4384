"""Word of changed routes, from a store that gives it: PostgreSQL's LISTEN."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..adapters.capture.postgresql.waker import Listener
from ..adapters.capture.waking import Waking
from ..store.database import Database
from ..store.routes import CHANNEL

__all__ = ["Changes"]


class Changes:
    """Listens in a thread of its own and nudges whoever follows the routes.

    A word that is lost costs nothing but time: the routes are looked at all the same. A store in a
    file gives no word.
    """

    def __init__(self, store_url: str, nudge: Callable[[], None]) -> None:
        self._url, self._nudge = store_url, nudge

    async def run(self) -> None:
        """Listen until cancelled. Never raises."""
        database = Database(self._url)
        if database.file is not None:
            return
        # By itself: in a transaction that nobody ends, a LISTEN never begins to listen.
        engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
        waking = Waking("routes", Listener(engine, CHANNEL), self._nudge)
        try:
            await asyncio.Event().wait()
        finally:
            waking.end()
