"""The bridge: deliveries of any number of sources, each to its ``take``, at least once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from ..errors import ConfigError
from ..ports import Source
from ..telemetry import Counters
from .gate import Gate
from .lane import Lane
from .limits import Limits
from .status import Status
from .taking import Bury, Take

__all__ = ["Bridge"]

_GRACE: Final = 5.0


class Bridge:
    """Owns the sources while it runs. Built by the app, run by ``fig bridge`` and ``fig up``.

    ``take`` has one coroutine a source. A source is told of an outcome only after ``take`` returned
    it, one delivery of a key is in hand at a time, and the source is not asked for more than there
    is room for. What becomes of an error of ``take`` is said in ``retry.RULES``. ``bury`` keeps
    what the bridge itself gives up; where it raises, the delivery is not given up.

    ``limits`` and ``bury`` are for all sources, or by source. ``gates``, by source, are the bounds
    that several share (of the process, of the endpoint that takes them): bridges that share a gate
    share its places. While ``writable`` says no, nothing is asked for. Raises ``ConfigError`` where
    a source has no ``take``.
    """

    def __init__(
        self,
        sources: Mapping[str, Source],
        take: Mapping[str, Take],
        *,
        limits: Limits | Mapping[str, Limits] | None = None,
        bury: Bury | Mapping[str, Bury] | None = None,
        gates: Mapping[str, tuple[Gate, ...]] | None = None,
        counters: Counters | None = None,
        writable: Callable[[], bool] = lambda: True,
    ) -> None:
        for name in sources.keys() - take.keys():
            raise ConfigError("nothing takes what this source sends", place=f"legacy.{name}")
        given = limits or Limits()
        by_source = {
            name: given.get(name, Limits()) if isinstance(given, Mapping) else given
            for name in sources
        }
        counters = counters or Counters()
        self._limits = by_source
        self._lanes = {
            name: Lane(
                source,
                take[name],
                limits=by_source[name],
                bury=bury.get(name) if isinstance(bury, Mapping) else bury,
                gates=(gates or {}).get(name, ()),
                counters=counters,
                writable=writable,
            )
            for name, source in sources.items()
        }

    async def run(self, stop: asyncio.Event) -> None:
        """Run until ``stop`` is set, then finish what is in hand within ``limits.drain`` seconds.

        What is cut off stays unsettled and comes again. Cancelling this cuts all off at once.
        """
        stopped: asyncio.Future[Any] = asyncio.create_task(stop.wait())
        lanes = [asyncio.create_task(lane.run(stop)) for lane in self._lanes.values()]
        ended: asyncio.Future[Any] = asyncio.gather(*lanes)
        try:
            await asyncio.wait([ended, stopped], return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                # Each lane keeps to the drain time by itself, unless its source hangs.
                await asyncio.wait([ended], timeout=self._longest() + _GRACE)
            if ended.done():
                ended.result()
        finally:
            stopped.cancel()
            for lane in lanes:
                lane.cancel()
            await asyncio.gather(stopped, *lanes, return_exceptions=True)

    def adjust(self, limits: Mapping[str, Limits]) -> None:
        """Have sources keep to other bounds from now on, by source. Call it on the event loop.

        Nothing is drained: what is in hand is gone on with, also where it is more than the new
        bounds allow; no more is begun until it is less. A receive that is under way may still bring
        what it was asked for.
        """
        self._limits = {**self._limits, **limits}
        for name, one in limits.items():
            self._lanes[name].adjust(one)

    def status(self) -> Status:
        """Say where every source stands. Call it on the event loop."""
        return Status(sources={name: lane.status() for name, lane in self._lanes.items()})

    def _longest(self) -> float:
        return max((one.wait + one.drain for one in self._limits.values()), default=0.0)
