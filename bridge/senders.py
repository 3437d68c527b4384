"""The ways out of one process: a sender for each destination that its endpoints name."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from ..ports import Sink
from ..store.outbox import Outbox
from ..telemetry import Counters
from .outbox import Sender, SenderLimits, SenderStatus

__all__ = ["Senders"]


class Senders:
    """Runs a sender for each sink. Built by the running process; owned by one event loop."""

    def __init__(
        self, outbox: Outbox, counters: Counters, *, limits: SenderLimits | None = None
    ) -> None:
        self._outbox, self._counters, self._limits = outbox, counters, limits
        self._running: dict[str, _Run] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def adjust(self, sinks: Mapping[str, Sink]) -> None:
        """Send to these from now on, by name, and to no others; those that stay go on.

        One that is gone, or another sink under its name, finishes what it is sending first.
        """
        for name, run in list(self._running.items()):
            if sinks.get(name) is not run.sink:
                del self._running[name]
                ending = asyncio.create_task(run.end())
                self._ending.add(ending)
                ending.add_done_callback(self._ending.discard)
        for name, sink in sinks.items():
            if name not in self._running:
                sender = Sender(sink, self._outbox, limits=self._limits, counters=self._counters)
                self._running[name] = _Run(sink, sender)

    def nudge(self, name: str) -> None:
        """Have a destination looked at now: a message waits for it. Pass it to ``takers``."""
        run = self._running.get(name)
        if run is not None:
            run.sender.nudge()

    def status(self) -> dict[str, SenderStatus]:
        """Say where every destination stands. Call it on the event loop."""
        return {name: run.sender.status() for name, run in sorted(self._running.items())}

    async def stop(self) -> None:
        """Finish what is being sent, and end all. May be called twice."""
        self.adjust({})
        await asyncio.gather(*self._ending)


class _Run:
    """A sender at work."""

    def __init__(self, sink: Sink, sender: Sender) -> None:
        self.sink, self.sender = sink, sender
        self._stop = asyncio.Event()
        self._task = asyncio.create_task(sender.run(self._stop))

    async def end(self) -> None:
        self._stop.set()
        await asyncio.wait([self._task])
