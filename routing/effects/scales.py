"""Intents whose window is over: held against legacy's effects, by one process after the other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from ...errors import Overtaken, StoreError
from ...store.due import MOST, due_keys
from ...store.standing import Standing
from ...store.store import Store
from ...store.write import Write
from ...telemetry import Counters, log
from ..endpoint import Endpoint
from ..ledger import Ledger
from .kind import Kind
from .weighing import Weighed, grace, weigh

__all__ = ["Scales"]


class _NothingIsDueError(Exception):
    """Another process has weighed it."""


class Scales:
    """Weighs what is due. Each request is weighed once, however many processes look.

    Called again and again by the process that does what one does for all.
    """

    def __init__(self, endpoints: Iterable[Endpoint], store: Store, counters: Counters) -> None:
        self._kinds = [kind for one in endpoints for kind in one.kinds.values() if kind.seen]
        self._database = store.database
        self._ledger = Ledger(store, counters)
        self._counters = counters

    async def look(self, now: float | None = None) -> bool:
        """Look once; say whether there may be more that is due. Raises ``StoreUnavailable``."""
        at = time.time() if now is None else now
        more = False
        for kind in self._kinds:
            before = at - grace(kind)
            keys = await asyncio.to_thread(due_keys, self._database, kind.account, before)
            for key in keys:
                while await self._weigh(kind, key, at):
                    pass
            more = more or len(keys) >= MOST
        return more

    async def _weigh(self, kind: Kind, key: str, now: float) -> bool:
        """Weigh one request of a key; say whether there was one."""
        found: Weighed | None = None

        def decide(standing: Standing) -> Write:
            nonlocal found
            found = weigh(kind, standing, now)
            if found is None:
                raise _NothingIsDueError
            return Write(observations=(found.comparison,), effects=found.effects)

        try:
            await self._ledger.write_on(kind.account, key, decide)
        except (_NothingIsDueError, Overtaken):
            return False
        except StoreError as error:
            log.info("%s: effects are not weighed yet: %s", kind.account, error)
            raise
        for state, count in () if found is None else found.states.items():
            self._counters.add("effects", kind.endpoint, kind.name, state, by=count)
        return True
