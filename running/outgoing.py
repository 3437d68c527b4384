"""The destinations of a process: what its outbox holds for each is sent, whatever is reloaded."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from ..bridge.outbox import Sender, SenderStatus
from ..ports import Sink
from ..store.database import Database
from ..store.outbox import Outbox
from ..telemetry import Counters, log

__all__ = ["Outgoing"]


class Outgoing:
    """Runs a sender for every sink. Owned by one event loop; several processes may do so."""

    def __init__(self, database: Database, counters: Counters) -> None:
        self._outbox = Outbox(database)
        self._counters = counters
        self._lines: dict[str, _Line] = {}

    async def follow(self, sinks: Mapping[str, Sink]) -> None:
        """Send to these from now on: new ones are begun, others finish what they are at and end."""
        going = [name for name, line in self._lines.items() if sinks.get(name) is not line.sink]
        await self._end(going)
        for name, sink in sinks.items():
            if name not in self._lines:
                self._lines[name] = _Line(sink, self._outbox, self._counters)

    async def stop(self) -> None:
        """Finish what is being sent. May be called twice."""
        await self._end(list(self._lines))

    def status(self) -> dict[str, SenderStatus]:
        """Say where every destination stands."""
        return {name: self._lines[name].sender.status() for name in sorted(self._lines)}

    async def _end(self, names: list[str]) -> None:
        await asyncio.gather(*(self._lines.pop(name).end() for name in names))


class _Line:
    """One sink, and its sender at work."""

    def __init__(self, sink: Sink, outbox: Outbox, counters: Counters) -> None:
        self.sink = sink
        self.sender = Sender(sink, outbox, counters=counters)
        self._stop = asyncio.Event()
        self._task = asyncio.create_task(self.sender.run(self._stop))

    async def end(self) -> None:
        self._stop.set()
        await asyncio.wait([self._task])
        if not self._task.cancelled() and self._task.exception() is not None:
            log.error("%s: ended with an error", self.sink.name, exc_info=self._task.exception())
