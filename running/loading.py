"""The replacements that routes ask for: begun in time, closed when no route wants them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from ..model import Route, Stage
from ..routing.replacements import Replacements
from ..routing.table import RouteTable
from .plan import Plan

__all__ = ["Loading", "part"]

_LOOK = 0.05
_TIDY = 5.0


class Loading:
    """Looks after the pools of the plan that is in force. Owned by one event loop."""

    def __init__(self, plan: Callable[[], Plan], table: Callable[[], RouteTable]) -> None:
        self._plan, self._table = plan, table

    async def prepare(self, route: Route) -> bool:
        """Begin to load what a route asks for; True when it is there (called by the table)."""
        pool = self._pool(route.endpoint)
        return pool is None or pool.start(part(route))

    def missing(self) -> list[str]:
        """Say what routes need and is not there; none: everything can be asked."""
        found = set()
        for name, endpoint in self._plan().endpoints.items():
            if self._lacks(name):
                revision = part(self._table().wanted(name)) or "unknown"
                of = endpoint.config.replacement
                found.add(f"replacement {of}: revision {revision} is not ready")
        return sorted(found)

    async def wait(self, seconds: float, stop: asyncio.Event) -> None:
        """Wait until what sources' endpoints need is there; not for ever, and not when stopped."""
        until = time.monotonic() + seconds
        while not stop.is_set() and time.monotonic() < until and self._events_lack():  # noqa: ASYNC110 - at the start only
            await asyncio.sleep(_LOOK)

    async def tidy(self) -> None:
        """Close what no route asks for any longer, again and again, until cancelled.

        What could not be loaded is tried again: nobody may be asking for it now.
        """
        while True:
            await asyncio.sleep(_TIDY)
            plan = self._plan()
            for name in plan.endpoints:
                if self._lacks(name):
                    await self.prepare(self._table().wanted(name))
            for name, pool in plan.pools.items():
                wanted: set[str] = set()
                for endpoint in plan.endpoints.values():
                    if endpoint.config.replacement == name:
                        route = self._table().current(endpoint.name)
                        later = self._table().wanted(endpoint.name)
                        wanted |= {route.revision, route.good_revision, later.revision}
                await pool.keep_only({one.partition(".")[0] for one in wanted})

    def _events_lack(self) -> bool:
        endpoints = self._plan().endpoints.items()
        return any(one.config.listen.source and self._lacks(name) for name, one in endpoints)

    def _lacks(self, name: str) -> bool:
        """Say whether an endpoint's route needs what cannot be asked now."""
        route, pool = self._table().wanted(name), self._pool(name)
        asked = route.stage is not Stage.LEGACY and not route.killed
        return asked and pool is not None and not pool.ready(part(route))

    def _pool(self, endpoint: str) -> Replacements | None:
        plan = self._plan()
        one = plan.workspace.endpoint.get(endpoint)
        return None if one is None else plan.pools.get(one.replacement)


def part(route: Route) -> str:
    """Give the provider's part of a revision."""
    return route.revision.partition(".")[0]
