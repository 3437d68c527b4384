"""A source whose table has changed its shape: the routes that it feeds are held, once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

from ..bridge.status import SourceStatus
from ..errors import RouteConflict, StoreError
from ..routing.operator import Operator
from ..telemetry import log

__all__ = ["Drift"]


class Drift:
    """Sets the paused latch of routes, with why. Owned by one event loop.

    ``operators`` gives those of the endpoints that a source feeds. A drift is one as long as the
    source says the same: whoever resumes a route meanwhile is not overruled.
    """

    def __init__(self, operators: Callable[[str], Iterable[Operator]]) -> None:
        self._operators = operators
        self._told: dict[str, str] = {}

    async def look(self, sources: Mapping[str, SourceStatus]) -> None:
        """Hold the routes of sources that have newly drifted. Never raises.

        Where the store is lost, or somebody else changes a route just now, the next look does it.
        """
        for name, source in sources.items():
            if source.state == "flowing":
                self._told.pop(name, None)
            new = source.state == "paused" and self._told.get(name) != source.trouble
            if new and await asyncio.to_thread(self._pause, name, source.trouble):
                self._told[name] = source.trouble

    def _pause(self, source: str, why: str) -> bool:
        try:
            for operator in self._operators(source):
                route = operator.route()
                if not route.paused:
                    operator.pause(why=f"{source}: {why}")
                    log.warning("%s: paused, as %s has changed: %s", route.endpoint, source, why)
        except (StoreError, RouteConflict) as error:
            log.debug("%s: its routes are not paused yet: %s", source, error)
            return False
        return True
