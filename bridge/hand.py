"""What one source has handed out: each delivery taken in its turn, and settled in its time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec

from ..errors import FigError
from ..model import Delivery, Settlement
from ..routing.bundle import Share
from ..routing.ledger import DONE
from ..routing.taken import Taken
from ..telemetry import log
from .behind import Behind
from .gate import Gate
from .in_hand import InHand
from .limits import Limits
from .relay import Relay
from .retry import describe
from .standstill import Standstill
from .taking import Bury, Failures, Take, is_cancelled
from .tally import Tally
from .together import End, Together, failure

__all__ = ["Hand", "SettleAll"]

SettleAll = Callable[[Sequence[End]], Awaitable[Sequence[Exception | None]]]
"""Settles many at once, as ``ports.Settling`` says."""

_CUT_SECONDS: Final = 1.0


class Hand:
    """Begins deliveries, at most one of a key, and settles them. Used by ``Lane``.

    ``gates`` are the bounds that it shares with other sources. ``settle_all`` is the source's own.
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
        settle_all: SettleAll | None = None,
    ) -> None:
        self._name, self._take, self._limits, self._tally = name, take, limits, tally
        self._attempts = limits.retries.attempts
        self._failures = Failures(name, retries=limits.retries, bury=bury)
        self._held = InHand(limits.in_flight)
        self._behind = Behind()
        self._taking = Relay(self._take_one, limits.at_once, gates=gates, share=limits.share)
        self._ending = Relay(self._end_one, limits.in_flight)
        self._together = Together(
            self._end_together, lambda one, error: self._ending.put((one, error))
        )
        self._settle_all = settle_all
        self._settling: set[asyncio.Task[None]] = set()
        self.standstill = Standstill(name, self._taking, limits.stand_still, writable)

    def adjust(self, limits: Limits) -> None:
        """Keep to other bounds from now on; what is begun goes on."""
        self._limits, self._attempts = limits, limits.retries.attempts
        self._failures.retries = limits.retries
        self._ending.most = limits.in_flight
        self._taking.share = limits.share
        self.standstill.adjust(limits.at_once, limits.stand_still)
        self._held.adjust(limits.in_flight)

    def __len__(self) -> int:
        """Say how many are in hand."""
        return len(self._held)

    @property
    def oldest(self) -> float:
        """Give the age of the oldest one in hand, in seconds."""
        return self._held.oldest

    async def room(self, linger: float) -> int:
        """Give the free places, after ``linger`` seconds at most."""
        return await self._held.room(linger)

    def begin(self, deliveries: Sequence[Delivery]) -> None:
        """Let deliveries be taken, each as soon as none of its key is in hand.

        Sources hand out one of a key at a time; where one does not, this keeps the order.
        """
        self._tally.counts["received"] += len(deliveries)
        self._held.add(deliveries)
        self._taking.put_all(self._behind.begin(deliveries), history=lambda one: one.backfill)

    async def finish(self) -> None:
        """Wait for what is in hand; what takes too long is cut off unsettled and comes again.

        What is held back is not waited for.
        """
        for delivery in self.standstill.give_up():
            self._abandon(delivery)
        await self._held.emptied(self._limits.drain)
        if len(self._held):
            log.warning("%s: %d deliveries were cut off", self._name, len(self._held))
        late = self.cut_off()
        if late:
            await asyncio.wait(late, timeout=_CUT_SECONDS)

    def cut_off(self) -> set[asyncio.Task[None]]:
        """Let go of all that is in hand; give the tasks that are still to end."""
        self._held.clear()
        self._behind.clear()
        self._together.clear()
        self.standstill.clear()
        self._taking.clear()
        self._ending.clear()
        for task in self._settling:
            task.cancel()
        return self._taking.runners | self._ending.runners | self._settling

    async def _take_one(self, delivery: Delivery) -> None:
        """Take one that is ready; it is settled when its outcome is durable."""
        if self.standstill.slow:
            self.standstill.begins(delivery)
        try:
            if delivery.attempt > self._attempts:
                await self._end_as(delivery, self._failures.spent(delivery))
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
                    self._wait_until_durable(delivery, outcome)
                elif isinstance(outcome, Settlement):
                    await self._end(delivery, outcome)
                else:
                    wrong = f"take gave {outcome!r}, which is no Settlement"
                    await self._fail(delivery, TypeError(wrong))
        except BaseException:
            self._abandon(delivery)
            raise

    def _wait_until_durable(self, delivery: Delivery, taken: Taken) -> None:
        durable, settlement = taken.durable, taken.settlement
        if isinstance(durable, Share):
            self._together.add(delivery, settlement, durable)
        else:
            durable.add_done_callback(
                lambda done: self._ending.put((delivery, failure(done) or settlement))
            )

    async def _end_one(self, one: tuple[Delivery, Settlement | BaseException]) -> None:
        """Settle one whose outcome is durable, or could not be made so."""
        delivery, how = one
        try:
            if isinstance(how, Settlement):
                await self._end(delivery, how)
            else:
                await self._fail(delivery, how)
        except BaseException:
            self._abandon(delivery)
            raise

    def _end_together(self, ends: Sequence[End]) -> None:
        """Begin to settle those whose outcomes became durable together."""
        if self._settle_all is None:
            for end in ends:
                self._ending.put(end)
            return
        task = asyncio.create_task(self._end_all(self._settle_all, ends))
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)

    async def _end_all(self, settle_all: SettleAll, ends: Sequence[End]) -> None:
        """Settle many, and let the next of their keys follow."""
        ends = [(one, self._as_wanted(how)) for one, how in ends if one in self._held]
        failures: Sequence[Exception | None]
        try:
            try:
                failures = await settle_all(ends)
            except Exception as error:  # noqa: BLE001 - whatever it is, they come again
                failures = [error] * len(ends)
            await self._ended(ends, failures)
        except BaseException:
            for delivery, _ in ends:
                self._abandon(delivery)
            raise

    async def _fail(self, delivery: Delivery, error: BaseException) -> None:
        """Hold one back whose failure is an outage's; else settle it as its failure wants."""
        if delivery not in self._held:
            return
        outage = self.standstill.is_outage(delivery, error)
        if not isinstance(error, FigError) and not (outage and self.standstill.error):
            log.error("%s: %s", self._name, delivery.record.position, exc_info=error)
        if outage:
            self._hold(delivery, error)
        else:
            await self._end_as(delivery, self._failures.settlement(delivery, error))

    async def _end_as(self, delivery: Delivery, settlement: Awaitable[Settlement]) -> None:
        """Settle one as it is told, or hold it back where nobody can tell."""
        try:
            told = await settlement
        except FigError as trouble:
            self._hold(delivery, trouble)
        else:
            await self._end(delivery, told)

    def _hold(self, delivery: Delivery, error: BaseException) -> None:
        """Keep one in hand, to be taken again; who takes it must see that it was begun before."""
        again = msgspec.structs.replace(delivery, fresh=False) if delivery.fresh else delivery
        if self._held.replace(delivery, again):
            self.standstill.hold(again, error)

    async def _end(self, delivery: Delivery, settlement: Settlement) -> None:
        """Settle one, and let the next of its key follow."""
        if delivery not in self._held:
            return  # it was cut off meanwhile, and comes again
        settlement, trouble = self._as_wanted(settlement), None
        try:
            await delivery.settle(settlement)
        except Exception as error:  # noqa: BLE001 - whatever it is, the delivery comes again
            trouble = error
        await self._ended([(delivery, settlement)], [trouble])

    def _as_wanted(self, settlement: Settlement) -> Settlement:
        blocks = self._limits.retries.blocks
        if settlement.outcome == "dead" and blocks != settlement.blocks:
            return msgspec.structs.replace(settlement, blocks=blocks)
        return settlement

    async def _ended(self, ends: Sequence[End], failures: Sequence[Exception | None]) -> None:
        """Count those that their source was told of, and let what waits behind them follow."""
        self._let_go([delivery for delivery, _ in ends])
        done = 0
        for (delivery, settlement), trouble in zip(ends, failures, strict=True):
            delay = None
            if trouble is not None:
                delay = self._come_again(delivery, trouble)
            elif settlement.outcome == "done":
                done += 1
            else:
                self._tally.settled(settlement)
                if settlement.outcome == "retry" and not settlement.park:
                    delay = settlement.delay
            if self._behind.waits(delivery.record.key):
                await self._follow(delivery.record.key, delay)
        if done:
            self._tally.settled(DONE, done)
            self.standstill.passed(done)

    def _come_again(self, delivery: Delivery, error: Exception) -> float:
        """Note that the source could not be told of one; give how long those behind it wait."""
        self._tally.unsettled()
        log.warning(
            "%s: %s could not be settled and comes again: %s",
            self._name,
            delivery.record.position,
            describe(error),
        )
        return self._limits.retries.backoff.first

    async def _follow(self, key: str, delay: float | None) -> None:
        """Begin the next one of a key, or have all go back behind one that comes again."""
        if delay is not None:
            await self._hold_back(self._behind.take_back(key), delay)
        following = self._behind.following(key)
        if following is not None:
            self._taking.put_first(following, history=following.backfill)

    def _abandon(self, delivery: Delivery) -> None:
        """Let go of one that was cancelled, and of those behind it: they come again."""
        if delivery in self._held:
            self._let_go([delivery, *self._behind.forget(delivery.record.key)])

    async def _hold_back(self, behind: Sequence[Delivery], delay: float) -> None:
        """Let those behind an unfinished one of their key go back, so that none overtakes it."""
        reason = "waits for an older one of its key"
        settlement = Settlement(outcome="retry", reason=reason, delay=delay)
        for delivery in behind:
            with contextlib.suppress(FigError):
                await delivery.settle(settlement)
            self._let_go([delivery])
            self._tally.settled(settlement)

    def _let_go(self, deliveries: Sequence[Delivery]) -> None:
        self._held.let_go(deliveries)
        self.standstill.forget(deliveries)
