"""What one source has handed out: each delivery taken in its turn, and settled in its time."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from ..errors import FigError
from ..model import Delivery, Settlement
from ..routing.taken import Taken
from ..telemetry import log
from .gate import Gate
from .limits import Limits
from .relay import Relay
from .retry import describe
from .standstill import Standstill
from .taking import Bury, Failures, Take, is_cancelled
from .tally import Tally

__all__ = ["Hand"]

_CUT_SECONDS: Final = 1.0
_SLOW: Final = 512
_AHEAD: Final = 0.25
"""Seconds of work that are in hand, beyond what a slow lane has: each delivery waits for a group of
the journal and one of its source's, and whoever is quick would stand still meanwhile. A slow lane
leaves them to other processes."""
_MEASURED: Final = 0.05


class Hand:
    """Begins deliveries, at most one of a key, and settles them. Used by ``Lane``.

    ``gates`` are the bounds that it shares with other sources.
    """

    def __init__(
        self,
        name: str,
        take: Take,
        *,
        limits: Limits,
        tally: Tally,
        bury: Bury | None = None,
        gates: Sequence[Gate] = (),
        writable: Callable[[], bool] = lambda: True,
    ) -> None:
        self._name, self._take, self._limits, self._tally = name, take, limits, tally
        self._attempts = limits.retries.attempts
        self._failures = Failures(name, retries=limits.retries, bury=bury)
        self._since: dict[int, float] = {}
        self._behind: dict[str, deque[Delivery] | None] = {}  # by each key that is in hand
        self._taking = Relay(self._take_one, limits.at_once, gates=gates, share=limits.share)
        self._ending = Relay(self._end_taken, limits.in_flight)
        self.standstill = Standstill(name, self._taking, limits.stand_still, writable)
        self._places = min(limits.in_flight, _SLOW)
        self._ended, self._measured = 0, time.monotonic()
        self._room = asyncio.Event()
        self._empty = asyncio.Event()

    def adjust(self, limits: Limits) -> None:
        """Keep to other bounds from now on; what is begun goes on."""
        self._limits, self._attempts = limits, limits.retries.attempts
        self._failures.retries = limits.retries
        self._places = min(limits.in_flight, max(_SLOW, self._places))
        self._ending.most = limits.in_flight
        self._taking.share = limits.share
        self.standstill.adjust(limits.at_once, limits.stand_still)
        self._room.set()  # there may be more of it

    def __len__(self) -> int:
        """Say how many are in hand."""
        return len(self._since)

    @property
    def oldest(self) -> float:
        """Give the age of the oldest one in hand, in seconds."""
        now = time.monotonic()
        return now - min(self._since.values(), default=now)

    async def room(self, linger: float) -> int:
        """Give the free places: many at once where they come soon, so that receives stay few."""
        self._measure()
        if self._places - len(self._since) < self._least:
            self._room.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._room.wait(), linger)
        return self._places - len(self._since)

    @property
    def _least(self) -> int:
        return max(1, self._places // 4)

    def _measure(self) -> None:
        """Have as many places as are worked off in a while, within the bounds."""
        now = time.monotonic()
        passed = now - self._measured
        if passed >= _MEASURED:
            worked_off = int(self._ended / passed * _AHEAD)
            self._places = min(self._limits.in_flight, max(_SLOW, worked_off))
            self._ended, self._measured = 0, now

    def begin(self, deliveries: Sequence[Delivery]) -> None:
        """Let deliveries be taken, each as soon as none of its key is in hand.

        Sources hand out one of a key at a time; where one does not, this keeps the order.
        """
        self._tally.counts["received"] += len(deliveries)
        now = time.monotonic()
        for delivery in deliveries:
            self._since[id(delivery)] = now
            key = delivery.record.key
            if key:
                if key in self._behind:
                    self._wait_behind(key, delivery)
                    continue
                self._behind[key] = None
            self._taking.put(delivery, history=delivery.backfill)

    async def finish(self) -> None:
        """Wait for what is in hand; what takes too long is cut off unsettled and comes again.

        What is held back is not waited for.
        """
        for delivery in self.standstill.give_up():
            self._abandon(delivery)
        self._empty.clear()
        if self._since:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), self._limits.drain)
        if self._since:
            log.warning("%s: %d deliveries were cut off", self._name, len(self._since))
        late = self.cut_off()
        if late:
            await asyncio.wait(late, timeout=_CUT_SECONDS)

    def cut_off(self) -> set[asyncio.Task[None]]:
        """Let go of all that is in hand; give the tasks that are still to end."""
        self._since.clear()
        self._behind.clear()
        self.standstill.clear()
        self._taking.clear()
        self._ending.clear()
        return self._taking.runners | self._ending.runners

    def _wait_behind(self, key: str, delivery: Delivery) -> None:
        waiting = self._behind[key]
        if waiting is None:
            waiting = self._behind[key] = deque()
        waiting.append(delivery)

    async def _take_one(self, delivery: Delivery) -> None:
        """Take one that is ready; it is settled when its outcome is durable."""
        if self.standstill.slow:
            self.standstill.begins(delivery)
        try:
            if delivery.attempt > self._attempts:
                await self._end_spent(delivery)
                return
            try:
                outcome: object = await self._take(delivery)
            except asyncio.CancelledError:
                if is_cancelled():
                    raise
                await self._fail(delivery, FigError("was cancelled from within"))
            except Exception as error:  # noqa: BLE001 - whatever it is, it must not be lost
                await self._fail(delivery, error)
            else:
                if isinstance(outcome, Taken):
                    begun = (delivery, outcome)
                    outcome.durable.add_done_callback(lambda _: self._ending.put(begun))
                elif isinstance(outcome, Settlement):
                    await self._end(delivery, outcome)
                else:
                    wrong = f"take gave {outcome!r}, which is no Settlement"
                    await self._fail(delivery, TypeError(wrong))
        except BaseException:
            self._abandon(delivery)
            raise

    async def _end_taken(self, begun: tuple[Delivery, Taken]) -> None:
        """Settle one whose outcome is durable, or could not be made so."""
        delivery, taken = begun
        try:
            error = taken.failure()
            if error is None:
                await self._end(delivery, taken.settlement)
            else:
                await self._fail(delivery, error)
        except BaseException:
            self._abandon(delivery)
            raise

    async def _end_spent(self, delivery: Delivery) -> None:
        try:
            settlement = await self._failures.spent(delivery)
        except FigError as error:
            self._hold(delivery, error)
        else:
            await self._end(delivery, settlement)

    async def _fail(self, delivery: Delivery, error: BaseException) -> None:
        """Hold one back whose failure is an outage's; else settle it as its failure wants."""
        if id(delivery) not in self._since:
            return
        outage = self.standstill.is_outage(delivery, error)
        if not isinstance(error, FigError) and not (outage and self.standstill.error):
            log.error("%s: %s", self._name, delivery.record.position, exc_info=error)
        if outage:
            self._hold(delivery, error)
            return
        try:
            settlement = await self._failures.settlement(delivery, error)
        except FigError as trouble:
            self._hold(delivery, trouble)
        else:
            await self._end(delivery, settlement)

    def _hold(self, delivery: Delivery, error: BaseException) -> None:
        """Keep one in hand, to be taken again; who takes it must see that it was begun before."""
        since = self._since.pop(id(delivery), None)
        if since is not None:
            again = msgspec.structs.replace(delivery, fresh=False) if delivery.fresh else delivery
            self._since[id(again)] = since
            self.standstill.hold(again, error)

    async def _end(self, delivery: Delivery, settlement: Settlement) -> None:
        """Settle one, and let the next of its key follow."""
        if id(delivery) not in self._since:
            return  # it was cut off meanwhile, and comes again
        if settlement.outcome == "dead" and self._limits.retries.blocks != settlement.blocks:
            settlement = msgspec.structs.replace(settlement, blocks=self._limits.retries.blocks)
        delay = await self._settle(delivery, settlement)
        key = delivery.record.key
        waiting = self._behind.get(key)
        if waiting and delay is not None:
            behind = [waiting.popleft() for _ in range(len(waiting))]
            await self._hold_back(behind, delay)
        if waiting:
            self._taking.put_first(following := waiting.popleft(), history=following.backfill)
        else:
            self._behind.pop(key, None)

    async def _settle(self, delivery: Delivery, settlement: Settlement) -> float | None:
        """Settle one; where those behind it must wait for it, give the seconds until then."""
        try:
            await delivery.settle(settlement)
        except Exception as error:  # noqa: BLE001 - whatever it is, the delivery comes again
            self._tally.unsettled()
            log.warning(
                "%s: %s could not be settled and comes again: %s",
                self._name,
                delivery.record.position,
                describe(error),
            )
            return self._limits.retries.backoff.first
        finally:
            self._let_go(delivery)
        self._tally.settled(settlement)
        if settlement.outcome == "done":
            self.standstill.passed()
            return None
        return settlement.delay if settlement.outcome == "retry" and not settlement.park else None

    def _abandon(self, delivery: Delivery) -> None:
        """Let go of one that was cancelled, and of those behind it: they come again."""
        if id(delivery) not in self._since:
            return
        self._let_go(delivery)
        for left in self._behind.pop(delivery.record.key, None) or ():
            self._let_go(left)

    async def _hold_back(self, behind: Sequence[Delivery], delay: float) -> None:
        """Let those behind an unfinished one of their key go back, so that none overtakes it."""
        settlement = Settlement(
            outcome="retry", reason="waits for an older one of its key", delay=delay
        )
        for delivery in behind:
            with contextlib.suppress(FigError):
                await delivery.settle(settlement)
            self._let_go(delivery)
            self._tally.settled(settlement)

    def _let_go(self, delivery: Delivery) -> None:
        if self._since.pop(id(delivery), None) is not None:
            self._ended += 1
        self.standstill.forget(delivery)
        if self._places - len(self._since) >= self._least:
            self._room.set()
        if not self._since:
            self._empty.set()
