"""One source's way through the bridge: receive, take, settle, and begin again after a failure."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Sequence
from typing import Final

from ..errors import FigError
from ..model import Delivery, Settlement
from ..ports import Source
from ..routing.taken import Taken
from ..telemetry import Counters, log
from .limits import Limits
from .relay import Relay
from .retry import describe
from .status import SourceStatus, State
from .taking import Bury, Take, Taking

__all__ = ["Lane"]

_LINGER: Final = 0.02
_CUT_SECONDS: Final = 1.0


class Lane:
    """Runs one source until it is told to stop. Built by ``Bridge``; lives on one event loop."""

    def __init__(
        self, source: Source, take: Take, *, limits: Limits, bury: Bury | None, counters: Counters
    ) -> None:
        self._source, self._limits, self._counters = source, limits, counters
        self._outcomes = Taking(source.name, take, retries=limits.retries, bury=bury)
        self._state: State = "starting"
        self._trouble = ""
        self._told = ""
        self._counts = dict.fromkeys(("received", "done", "retry", "dead", "unsettled"), 0)
        self._since: dict[int, float] = {}
        self._behind: dict[str, deque[Delivery] | None] = {}  # by each key that is in hand
        self._taking = Relay(self._take_one, limits.at_once)
        self._ending = Relay(self._end_taken, limits.in_flight)
        self._least = max(1, limits.in_flight // 4)
        self._room = asyncio.Event()
        self._empty = asyncio.Event()

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
            self._cut_off()
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
        """Let deliveries be taken, each as soon as none of its key is in hand.

        Sources hand out one of a key at a time; where one does not, this keeps the order.
        """
        self._counts["received"] += len(deliveries)
        now = time.monotonic()
        for delivery in deliveries:
            self._since[id(delivery)] = now
            key = delivery.record.key
            if key in self._behind:
                self._wait_behind(key, delivery)
                continue
            if key:
                self._behind[key] = None
            self._taking.put(delivery)

    def _wait_behind(self, key: str, delivery: Delivery) -> None:
        waiting = self._behind[key]
        if waiting is None:
            waiting = self._behind[key] = deque()
        waiting.append(delivery)

    async def _take_one(self, delivery: Delivery) -> None:
        """Take one that is ready; it is settled when its outcome is durable."""
        try:
            outcome = await self._outcomes.outcome(delivery)
            if isinstance(outcome, Settlement):
                await self._end(delivery, outcome)
            else:
                outcome.durable.add_done_callback(lambda _: self._ending.put((delivery, outcome)))
        except BaseException:
            self._abandon(delivery)
            raise

    async def _end_taken(self, begun: tuple[Delivery, Taken]) -> None:
        """Settle one whose outcome is durable, or could not be made so."""
        delivery, taken = begun
        try:
            settlement = taken.settlement
            error = _failure(taken.durable)
            if error is not None:
                settlement = await self._outcomes.failed(delivery, error)
            await self._end(delivery, settlement)
        except BaseException:
            self._abandon(delivery)
            raise

    async def _end(self, delivery: Delivery, settlement: Settlement) -> None:
        """Settle one, and let the next of its key follow."""
        if id(delivery) not in self._since:
            return  # it was cut off meanwhile, and comes again
        delay = await self._settle(delivery, settlement)
        key = delivery.record.key
        waiting = self._behind.get(key)
        if waiting and delay is not None:
            behind = [waiting.popleft() for _ in range(len(waiting))]
            await self._hold_back(behind, delay)
        if waiting:
            self._taking.put_first(waiting.popleft())
        else:
            self._behind.pop(key, None)

    async def _settle(self, delivery: Delivery, settlement: Settlement) -> float | None:
        """Settle one; where it comes again, give the seconds until then."""
        try:
            await delivery.settle(settlement)
        except Exception as error:  # noqa: BLE001 - whatever it is, the delivery comes again
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

    def _abandon(self, delivery: Delivery) -> None:
        """Let go of one that was cancelled, and of those behind it: they come again."""
        if id(delivery) not in self._since:
            return
        self._let_go(delivery)
        for left in self._behind.pop(delivery.record.key, None) or ():
            self._let_go(left)

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
        if not self._since:
            self._empty.set()

    async def _finish(self) -> None:
        """Wait for what is in hand; what takes too long is cut off unsettled and comes again."""
        self._empty.clear()
        if self._since:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), self._limits.drain)
        if self._since:
            log.warning("%s: %d deliveries were cut off", self._source.name, len(self._since))
        late = self._cut_off()
        if late:
            await asyncio.wait(late, timeout=_CUT_SECONDS)

    def _cut_off(self) -> set[asyncio.Task[None]]:
        """Let go of all that is in hand; give the tasks that are still to end."""
        self._since.clear()
        self._behind.clear()
        self._taking.clear()
        self._ending.clear()
        return self._taking.runners | self._ending.runners

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


def _failure(durable: asyncio.Future[bool]) -> BaseException | None:
    return FigError("was given up") if durable.cancelled() else durable.exception()
