"""One source's way through the bridge: receive, take, settle, and begin again after a failure."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Final

from ..errors import SchemaDrift
from ..model import Lag
from ..ports import Lagging, Settling, Source
from ..telemetry import Counters, log
from .gate import Gate
from .hand import Hand
from .limits import Limits
from .retry import describe
from .status import SourceStatus, State
from .taking import Bury, Take
from .tally import Tally

__all__ = ["Lane"]

_LINGER: Final = 0.02
_LOOK: Final = 0.05  # seconds between two looks at whether what was gone is back
_DRIFT_SECONDS: Final = 3.0
_SAMPLE_SECONDS: Final = 1.0
_SAMPLES_A_LAG: Final = 4
_LAG_PATIENCE: Final = 10.0


class Lane:
    """Runs one source until it is told to stop. Built by ``Bridge``; lives on one event loop."""

    def __init__(
        self,
        source: Source,
        take: Take,
        *,
        limits: Limits,
        counters: Counters,
        bury: Bury | None = None,
        gates: Sequence[Gate] = (),
        writable: Callable[[], bool] = lambda: True,
    ) -> None:
        self._source, self._limits = source, limits
        self._writable = writable
        self._tally = Tally(source.name, counters)
        self._hand = Hand(
            source.name,
            take,
            limits=limits,
            tally=self._tally,
            bury=bury,
            gates=gates,
            writable=writable,
            settle_all=source.settle_all if isinstance(source, Settling) else None,
        )
        self._state: State = "starting"
        self._trouble = ""
        self._told = ""
        self._lag: Lag | None = None

    def status(self) -> SourceStatus:
        """Say where it stands. Call it on the event loop."""
        waits = self._waits() if self._state in ("starting", "flowing") else ""
        counts, tally, hand = self._tally.counts, self._tally, self._hand
        return SourceStatus(
            state="waiting" if waits else self._state,
            received=counts["received"],
            done=counts["done"],
            retried=counts["retry"],
            parked=counts["parked"],
            dead=counts["dead"],
            unsettled=counts["unsettled"],
            in_flight=len(hand),
            held=len(hand.standstill),
            oldest=hand.oldest,
            per_second_10=tally.per_second(10.0),
            per_second_60=tally.per_second(60.0),
            lag=self._lag,
            progress=tally.progress,
            trouble=waits or self._trouble,
        )

    def adjust(self, limits: Limits) -> None:
        """Keep to other bounds from now on. Call it on the event loop."""
        self._limits = limits
        self._hand.adjust(limits)

    async def run(self, stop: asyncio.Event) -> None:
        """Take deliveries until ``stop``; then finish what is in hand, within the drain time."""
        watching = asyncio.create_task(self._watch())
        try:
            await self._keep_flowing(stop)
            self._state = "draining"
            await self._hand.finish()
        finally:
            watching.cancel()
            self._hand.cut_off()
            await self._close()
            self._state = "stopped"

    async def _keep_flowing(self, stop: asyncio.Event) -> None:
        failures = 0
        while not stop.is_set():
            flowing_since = float("inf")
            try:
                await self._source.open()
                flowing_since = time.monotonic()
                await self._flow(stop)
            except Exception as error:  # noqa: BLE001 - a source must not end the daemon
                if time.monotonic() - flowing_since >= self._limits.healthy:
                    failures, self._told = 0, ""
                failures += 1
                delay = self._break(error, failures)
                await self._hand.finish()
                await self._close()
                await _sleep(stop, delay)

    async def _flow(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            if self._waits():
                await _sleep(stop, _LOOK)
                continue
            free = await self._hand.room(_LINGER)
            if free <= 0 or stop.is_set() or self._waits():
                continue
            deliveries = await self._source.receive(free, self._limits.wait)
            if self._state != "flowing":
                self._mend()
            self._hand.begin(deliveries)
            if not deliveries:
                await asyncio.sleep(0)  # a source that does not wait must not starve the rest

    def _waits(self) -> str:
        """Say what has to be back before anything more is asked for; empty where all is there."""
        if self._hand.standstill.error is not None:
            return self._hand.standstill.trouble
        return "" if self._writable() else "waiting for the store"

    async def _watch(self) -> None:
        """Note the rate every second, and every few ask how much waits in the source."""
        samples = 0
        while True:
            # Also while it stands still: that is when what waits grows, and somebody must hear.
            if self._state != "starting" and samples % _SAMPLES_A_LAG == 0:
                await self._look_at_lag()
            samples += 1
            await asyncio.sleep(_SAMPLE_SECONDS)
            self._tally.sample()

    async def _look_at_lag(self) -> None:
        if not isinstance(self._source, Lagging):
            return
        try:
            async with asyncio.timeout(_LAG_PATIENCE):
                self._lag = await self._source.lag()
        except Exception as error:  # noqa: BLE001 - its next receive says what is wrong with it
            self._lag = None
            log.debug("%s: its lag cannot be told: %s", self._source.name, describe(error))

    async def _close(self) -> None:
        try:
            await self._source.close()
        except Exception as error:  # noqa: BLE001 - it is given up either way
            log.warning("%s: did not close: %s", self._source.name, describe(error))

    def _break(self, error: Exception, failures: int) -> float:
        """Say that it does not flow; give the seconds after which it is tried again."""
        drift = error if isinstance(error, SchemaDrift) else None
        delay = self._limits.reopen.delay(failures) if drift is None else _DRIFT_SECONDS
        self._state, self._trouble = "broken" if drift is None else "paused", describe(error)
        if self._trouble != self._told:
            self._told = self._trouble
            name = self._source.name
            log.warning("%s: %s; trying again, first in %.1f s", name, self._trouble, delay)
        return delay

    def _mend(self) -> None:
        if self._state in ("broken", "paused"):
            log.info("%s: flows again", self._source.name)
        if self._state == "paused":
            self._told = ""  # where it drifts again, it is told again
        self._state, self._trouble = "flowing", ""


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
