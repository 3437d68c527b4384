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

    ``in_flight`` deliveries at most are in hand, ``at_once`` of them at most are being taken; the
    others are there so that nobody waits for the source. ``wait`` is one receive's patience,
    ``drain`` the time to finish what is in hand at the end, ``healthy`` how long a source must flow
    before its failures are forgotten, all in seconds.
    """

    in_flight: int = 512
    at_once: int = 256
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
        self._ready: deque[Delivery] = deque()
        self._behind: dict[str, deque[Delivery] | None] = {}  # by each key that is in hand
        self._workers: set[asyncio.Task[None]] = set()
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
            self._forget()
            for worker in self._workers:
                worker.cancel()
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
            self._begin(deliveries)
            if not deliveries:
                await asyncio.sleep(0)  # a source that does not wait must not starve the rest

    async def _wait_for_room(self) -> int:
        """Give the free places: many at once where they come soon, so that receives stay few."""
        if self._limits.in_flight - len(self._since) < self._least:
            self._room.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._room.wait(), _LINGER)
        return self._limits.in_flight - len(self._since)

    def _begin(self, deliveries: Sequence[Delivery]) -> None:
        """Let deliveries be taken, each as soon as none of its key is in hand."""
        self._counts["received"] += len(deliveries)
        now = time.monotonic()
        for delivery in deliveries:
            self._since[id(delivery)] = now
            key = delivery.record.key
            if key:
                if key in self._behind:
                    self._wait_behind(key, delivery)
                    continue
                self._behind[key] = None
            self._ready.append(delivery)
        self._employ()

    def _wait_behind(self, key: str, delivery: Delivery) -> None:
        waiting = self._behind[key]
        if waiting is None:
            waiting = self._behind[key] = deque()
        waiting.append(delivery)

    def _employ(self) -> None:
        """Start a worker for each ready delivery, as far as there may be more of them."""
        for _ in range(min(len(self._ready), self._limits.at_once - len(self._workers))):
            worker = asyncio.create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._ended)

    def _ended(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        self._employ()

    async def _work(self) -> None:
        """Bring ready deliveries to an end, one after the other, until there are none."""
        ready = self._ready
        while ready:
            delivery = ready.popleft()
            key = delivery.record.key
            try:
                may_follow = await self._bring(delivery)
                if ready is not self._ready:
                    return  # cut off, and late: what is ready now is of another opening
                if may_follow:
                    self._let_follow(key)
                else:
                    await self._hold_back(key)
            except BaseException:
                for left in self._behind.pop(key, None) or ():
                    self._since.pop(id(left), None)
                raise

    def _let_follow(self, key: str) -> None:
        """Make the next one of a key ready, before all others; with none, the key is free."""
        waiting = self._behind.get(key)
        if waiting:
            self._ready.appendleft(waiting.popleft())
        else:
            self._behind.pop(key, None)

    async def _bring(self, delivery: Delivery) -> bool:
        """Take and settle one; say whether later ones of its key may follow."""
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
            return False
        finally:
            self._since.pop(id(delivery), None)
            if self._limits.in_flight - len(self._since) >= self._least:
                self._room.set()
        self._count(settlement.outcome)
        return settlement.outcome != "retry"

    async def _hold_back(self, key: str) -> None:
        """Let those behind an unfinished one of their key go back, so that none overtakes it."""
        delay = self._limits.retries.backoff.first
        while waiting := self._behind.get(key):
            delivery = waiting.popleft()
            self._since.pop(id(delivery), None)
            reason = "waits for an older one of its key"
            with contextlib.suppress(FigError):
                await delivery.settle(Settlement(outcome="retry", reason=reason, delay=delay))
            self._count("retry")
        self._behind.pop(key, None)

    async def _outcome(self, delivery: Delivery) -> Settlement:
        retries = self._limits.retries
        spent = retries.spent(delivery.attempt)
        if spent is not None:
            return await self._bury_first(delivery, spent)
        try:
            settlement = await self._take(delivery)
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
        until = time.monotonic() + self._limits.drain
        while self._workers and time.monotonic() < until:
            await asyncio.wait(self._workers, timeout=until - time.monotonic())
        if self._workers:
            log.warning("%s: %d deliveries were cut off", self._source.name, len(self._since))
            self._forget()
            for worker in self._workers:
                worker.cancel()
            await asyncio.wait(self._workers, timeout=_CUT_SECONDS)
        self._forget()

    def _forget(self) -> None:
        """Let go of what nobody has begun, and of what was known of the rest."""
        self._ready = deque()
        self._behind.clear()
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
