"""One source's way through the bridge: receive, take, settle, and begin again after a failure."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec

from ..errors import FigError
from ..model import Delivery, Settlement
from ..ports import Source
from ..telemetry import Counters, log
from .retry import Backoff, Retries, describe
from .status import SourceStatus, State

__all__ = ["Bury", "Lane", "Limits", "Take"]

Take = Callable[[Delivery], Awaitable[Settlement]]
"""Brings a delivery to its outcome. When it returns, that outcome is durable."""

Bury = Callable[[Delivery, str], Awaitable[None]]
"""Keeps a delivery that the bridge itself gives up, with the reason; durable when it returns."""


_LINGER: Final = 0.02
_CUT_SECONDS: Final = 1.0


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one source.

    ``in_flight`` deliveries at most are in hand. ``wait`` is one receive's patience, ``drain`` the
    time to finish what is in hand at the end, ``healthy`` how long a source must flow before its
    failures are forgotten, all in seconds.
    """

    in_flight: int = 256
    wait: float = 0.5
    drain: float = 15.0
    healthy: float = 30.0
    retries: Retries = Retries()
    reopen: Backoff = Backoff(first=0.5, longest=30.0)


class Lane:
    """Runs one source until it is told to stop. Built by ``Bridge``; lives on one event loop."""

    def __init__(
        self, source: Source, take: Take, *, limits: Limits, bury: Bury | None, counters: Counters
    ) -> None:
        self._source, self._take, self._limits = source, take, limits
        self._bury, self._counters = bury, counters
        self._state: State = "starting"
        self._trouble = ""
        self._told = ""
        self._counts = dict.fromkeys(("received", "done", "retry", "dead", "unsettled"), 0)
        self._since: dict[int, float] = {}
        self._queues: dict[str, deque[Delivery]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._least = max(1, limits.in_flight // 4)
        self._room = asyncio.Event()

    def status(self) -> SourceStatus:
        """Say where it stands. Call it on the event loop."""
        oldest = next(iter(self._since.values()), None)
        counts = self._counts
        return SourceStatus(
            state=self._state,
            received=counts["received"],
            done=counts["done"],
            retried=counts["retry"],
            dead=counts["dead"],
            unsettled=counts["unsettled"],
            in_flight=len(self._since),
            oldest=0.0 if oldest is None else time.monotonic() - oldest,
            trouble=self._trouble,
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Take deliveries until ``stop``; then finish what is in hand, within the drain time."""
        failures = 0
        try:
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
                    delay = self._limits.reopen.delay(failures)
                    self._break(error, delay)
                    await self._finish()
                    await self._close()
                    await _sleep(stop, delay)
            self._state = "draining"
            await self._finish()
        finally:
            for task in self._tasks:
                task.cancel()
            await self._close()
            self._state = "stopped"

    async def _flow(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            free = await self._wait_for_room()
            if not free or stop.is_set():
                continue
            deliveries = await self._source.receive(free, self._limits.wait)
            if self._state != "flowing":
                self._mend()
            for delivery in deliveries:
                self._begin(delivery)
            if not deliveries:
                await asyncio.sleep(0)  # a source that does not wait must not starve the rest

    async def _wait_for_room(self) -> int:
        """Give the free places: many at once where they come soon, so that receives stay few."""
        if self._limits.in_flight - len(self._since) < self._least:
            self._room.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._room.wait(), _LINGER)
        return self._limits.in_flight - len(self._since)

    def _begin(self, delivery: Delivery) -> None:
        self._counts["received"] += 1
        self._since[id(delivery)] = time.monotonic()
        key = delivery.record.key
        if key:
            waiting = self._queues.get(key)
            if waiting is not None:
                waiting.append(delivery)
                return
            self._queues[key] = deque()
        task = asyncio.create_task(self._work(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, delivery: Delivery) -> None:
        """Bring a delivery, and those of its key that came after it, to an end, in order.

        Sources hand out one of a key at a time; where one does not, this keeps the order.
        """
        key = delivery.record.key
        try:
            while True:
                delay = await self._bring(delivery)
                waiting = self._queues.get(key)
                if waiting and delay is not None:
                    behind = [waiting.popleft() for _ in range(len(waiting))]
                    await self._hold_back(behind, delay)
                if not waiting:
                    return
                delivery = waiting.popleft()
        finally:
            for left in self._queues.pop(key, ()):
                self._since.pop(id(left), None)

    async def _bring(self, delivery: Delivery) -> float | None:
        """Take and settle one; where it comes again, give the seconds until then."""
        try:
            settlement = await self._outcome(delivery)
            await delivery.settle(settlement)
        except Exception as error:  # noqa: BLE001 - see _outcome; here only settle can raise
            self._count("unsettled")
            log.warning(
                "%s: %s could not be settled and comes again: %s",
                self._source.name,
                delivery.record.position,
                describe(error),
            )
            return self._limits.retries.backoff.first
        finally:
            self._let_go(delivery)
        self._count(settlement.outcome)
        return settlement.delay if settlement.outcome == "retry" else None

    async def _hold_back(self, behind: Sequence[Delivery], delay: float) -> None:
        """Let those behind an unfinished one of their key go back, so that none overtakes it."""
        reason = "waits for an older one of its key"
        for delivery in behind:
            with contextlib.suppress(FigError):
                await delivery.settle(Settlement(outcome="retry", reason=reason, delay=delay))
            self._let_go(delivery)
            self._count("retry")

    def _let_go(self, delivery: Delivery) -> None:
        self._since.pop(id(delivery), None)
        if self._limits.in_flight - len(self._since) >= self._least:
            self._room.set()

    async def _outcome(self, delivery: Delivery) -> Settlement:
        retries = self._limits.retries
        spent = retries.spent(delivery.attempt)
        if spent is not None:
            return await self._bury_first(delivery, spent)
        try:
            settlement = _checked(await self._take(delivery))
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            failure = FigError("was cancelled from within", place=delivery.record.position)
            return await self._bury_first(delivery, retries.after(failure, delivery.attempt))
        except Exception as error:  # noqa: BLE001 - whatever it is, the delivery must not be lost
            if not isinstance(error, FigError):
                log.exception("%s: %s", self._source.name, delivery.record.position)
            return await self._bury_first(delivery, retries.after(error, delivery.attempt))
        return settlement

    async def _bury_first(self, delivery: Delivery, settlement: Settlement) -> Settlement:
        """Keep what the bridge gives up before its source forgets it."""
        if settlement.outcome != "dead":
            log.info("%s: %s: %s", self._source.name, delivery.record.position, settlement.reason)
            return settlement
        try:
            if self._bury is not None:
                await self._bury(delivery, settlement.reason)
        except Exception as error:  # noqa: BLE001 - not kept, so not given up
            delay = self._limits.retries.backoff.delay(delivery.attempt)
            return Settlement(outcome="retry", reason=describe(error), delay=delay)
        log.warning(
            "%s: %s is dead: %s", self._source.name, delivery.record.position, settlement.reason
        )
        return settlement

    async def _finish(self) -> None:
        """Wait for what is in hand; what takes too long is cut off unsettled and comes again."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=self._limits.drain)
            for task in late:
                task.cancel()
            if late:
                log.warning("%s: %d deliveries were cut off", self._source.name, len(late))
                await asyncio.wait(late, timeout=_CUT_SECONDS)
        self._queues.clear()
        self._since.clear()

    async def _close(self) -> None:
        try:
            await self._source.close()
        except Exception as error:  # noqa: BLE001 - it is given up either way
            log.warning("%s: did not close: %s", self._source.name, describe(error))

    def _break(self, error: Exception, delay: float) -> None:
        self._state, self._trouble = "broken", describe(error)
        if self._trouble == self._told:
            return
        self._told = self._trouble
        name = self._source.name
        log.warning("%s: %s; trying again, first in %.1f s", name, self._trouble, delay)

    def _mend(self) -> None:
        if self._state == "broken":
            log.info("%s: flows again", self._source.name)
        self._state, self._trouble = "flowing", ""

    def _count(self, outcome: str) -> None:
        self._counts[outcome] += 1
        self._counters.add("deliveries", self._source.name, outcome)


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


def _checked(settlement: object) -> Settlement:
    if isinstance(settlement, Settlement):
        return settlement
    raise TypeError(f"take gave {settlement!r}, which is no Settlement")
