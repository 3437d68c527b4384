"""The sources of a process: how one comes, changes and goes while the others flow."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

from ..bridge.bridge import Bridge
from ..bridge.limits import Limits
from ..bridge.retry import Backoff, Retries
from ..bridge.status import SourceStatus
from ..bridge.taking import Bury, Take
from ..errors import FigError
from ..model import Delivery, Lag, Settlement
from ..ports import Lagging, Source
from ..routing.taken import Taken
from ..settings import BridgeSettings, SourceSettings
from ..telemetry import Counters, log

__all__ = ["Intake", "Way", "limits_of"]

_LOOK = 2.0
"""Seconds between two looks at how much waits in a source."""


class Way:
    """Where a source's deliveries go. Another is put in its place between two deliveries."""

    def __init__(self, take: Take, bury: Bury) -> None:
        self.take = take
        self.bury = bury


class Intake:
    """Runs a bridge for every source. Owned by one event loop; built by the running process."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._flows: dict[str, _Flow] = {}
        self._ending: set[_Flow] = set()

    def open(self, name: str, source: Source, way: Way, limits: Limits) -> None:
        """Begin to take a source's deliveries."""
        self._flows[name] = _Flow(name, source, way, limits, self._counters)

    def flows(self, name: str, source: Source, limits: Limits) -> bool:
        """Say whether this very source is being taken from, within these limits."""
        flow = self._flows.get(name)
        return flow is not None and flow.source is source and flow.limits == limits

    def send(self, name: str, way: Way) -> None:
        """Have a source's deliveries go another way from the next one on."""
        self._flows[name].way = way

    async def close(self, name: str) -> None:
        """Finish what is in hand of a source within its drain time, and let go of it."""
        flow = self._flows.pop(name)
        self._ending.add(flow)
        await flow.end()
        self._ending.discard(flow)

    async def stop(self) -> None:
        """Close all, each within its drain time. May be called twice."""
        names = list(self._flows)
        ending = [flow.end() for flow in self._ending]
        await asyncio.gather(*(self.close(name) for name in names), *ending)

    def names(self) -> list[str]:
        """Give the sources that are being taken from."""
        return sorted(self._flows)

    def status(self) -> dict[str, SourceStatus]:
        """Say where every source stands."""
        return {name: self._flows[name].status() for name in self.names()}

    def lags(self) -> Mapping[str, Lag]:
        """Give what waits in each source that can tell, as of a moment ago."""
        found = {name: flow.lag for name, flow in self._flows.items()}
        return {name: lag for name, lag in found.items() if lag is not None}


class _Flow:
    """One source, its bridge and where its deliveries go."""

    def __init__(
        self, name: str, source: Source, way: Way, limits: Limits, counters: Counters
    ) -> None:
        self.source, self.way, self.limits = source, way, limits
        self.lag: Lag | None = None
        self._name = name
        self._stop = asyncio.Event()
        self._bridge = Bridge(
            {name: source}, {name: self._take}, limits=limits, bury=self._bury, counters=counters
        )
        self._task = asyncio.create_task(self._bridge.run(self._stop))
        self._looking = asyncio.create_task(self._look())

    def status(self) -> SourceStatus:
        return self._bridge.status().sources[self._name]

    async def end(self) -> None:
        self._stop.set()
        self._looking.cancel()
        # Waited for, not gathered: where we are cancelled, the bridge goes on finishing.
        await asyncio.wait([self._task, self._looking])
        if not self._task.cancelled() and self._task.exception() is not None:
            log.error("%s: ended with an error", self._name, exc_info=self._task.exception())

    async def _take(self, delivery: Delivery) -> Settlement | Taken:
        return await self.way.take(delivery)

    async def _bury(self, delivery: Delivery, reason: str) -> None:
        await self.way.bury(delivery, reason)

    async def _look(self) -> None:
        if not isinstance(self.source, Lagging):
            return
        while True:
            if self.status().state in {"flowing", "draining"}:
                with contextlib.suppress(FigError):
                    self.lag = await self.source.lag()
            await asyncio.sleep(_LOOK)


def limits_of(settings: BridgeSettings, name: str) -> Limits:
    """Give a source's bounds as ``[bridge]`` has them."""
    one = settings.source.get(name, SourceSettings())
    backoff = Backoff(first=one.first, longest=one.longest)
    return Limits(
        in_flight=one.in_flight,
        at_once=min(one.at_once, settings.at_once),
        drain=settings.drain,
        retries=Retries(attempts=one.attempts, backoff=backoff),
    )
