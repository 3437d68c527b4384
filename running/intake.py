"""The sources of a process: how one comes, changes and goes while the others flow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from ..bridge.bridge import Bridge
from ..bridge.gate import Gate
from ..bridge.limits import Limits
from ..bridge.status import SourceStatus, Status
from ..bridge.taking import Bury, Take
from ..model import Delivery, Settlement
from ..ports import Source
from ..routing.taken import Taken
from ..telemetry import Counters, log

__all__ = ["Intake", "Way"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where a source's deliveries go, and its bounds.

    ``take``, ``bury`` and ``limits`` are put in the place of others between two deliveries; other
    ``gates`` need the source to be drained.
    """

    take: Take
    bury: Bury
    limits: Limits
    gates: tuple[Gate, ...]


class Intake:
    """Runs a bridge for every source. Owned by one event loop; built by the running process.

    While ``writable`` says no, nothing is asked for.
    """

    def __init__(self, counters: Counters, writable: Callable[[], bool]) -> None:
        self._counters, self._writable = counters, writable
        self._flows: dict[str, _Flow] = {}
        self._ending: set[_Flow] = set()

    def open(self, name: str, source: Source, way: Way) -> None:
        """Begin to take a source's deliveries."""
        self._flows[name] = _Flow(name, source, way, self._counters, self._writable)

    def turn(self, name: str, source: Source, way: Way) -> bool:
        """Have a source's deliveries go another way from the next one on.

        False where it is another source, or feeds other endpoints: it is to be drained then.
        """
        flow = self._flows[name]
        if flow.source is not source or flow.way.gates != way.gates:
            return False
        flow.turn(way)
        return True

    async def close(self, name: str) -> None:
        """Finish what is in hand of a source within its drain time, and let go of it."""
        flow = self._flows.pop(name)
        self._ending.add(flow)
        await flow.end()
        self._ending.discard(flow)

    async def stop(self) -> None:
        """Close all, each within its drain time. May be called twice."""
        ending = [flow.end() for flow in self._ending]
        await asyncio.gather(*(self.close(name) for name in self.names()), *ending)

    def source(self, name: str) -> Source | None:
        """Give a source that is being taken from; None where there is none of that name."""
        flow = self._flows.get(name)
        return None if flow is None else flow.source

    def names(self) -> list[str]:
        """Give the sources that are being taken from."""
        return sorted(self._flows)

    def free(self, names: Iterable[str]) -> list[str]:
        """Give those that nothing is taken from, and of which nothing is being finished."""
        busy = self._flows.keys() | {flow.name for flow in self._ending}
        return [name for name in names if name not in busy]

    def status(self) -> Status:
        """Say where every source stands, those that are being drained included."""
        going = {flow.name: flow.status() for flow in self._ending}
        return Status(sources=going | {name: self._flows[name].status() for name in self.names()})


class _Flow:
    """One source, its bridge and where its deliveries go."""

    def __init__(
        self, name: str, source: Source, way: Way, counters: Counters, writable: Callable[[], bool]
    ) -> None:
        self.name, self.source, self.way = name, source, way
        self._stop = asyncio.Event()
        self._bridge = Bridge(
            {name: source},
            {name: self._take},
            limits=way.limits,
            bury=self._bury,
            gates={name: way.gates},
            counters=counters,
            writable=writable,
        )
        self._task = asyncio.create_task(self._bridge.run(self._stop))

    def turn(self, way: Way) -> None:
        if way.limits != self.way.limits:
            self._bridge.adjust({self.name: way.limits})
        self.way = way

    def status(self) -> SourceStatus:
        return self._bridge.status().sources[self.name]

    async def end(self) -> None:
        self._stop.set()
        # Waited for, not awaited: where we are cancelled, the bridge goes on finishing.
        await asyncio.wait([self._task])
        if not self._task.cancelled() and self._task.exception() is not None:
            log.error("%s: ended with an error", self.name, exc_info=self._task.exception())

    def _take(self, delivery: Delivery) -> Awaitable[Settlement | Taken]:
        return self.way.take(delivery)

    async def _bury(
        self, delivery: Delivery, reason: str, cause: BaseException | None = None
    ) -> None:
        await self.way.bury(delivery, reason, cause)
