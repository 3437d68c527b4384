"""The outbox's way out: messages leave in order per key, each until it is durable where it goes."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final, Literal, TypeVar

import msgspec

from ..errors import InDoubt, LegacyUnavailable, StoreError
from ..ports import Sink
from ..store.outbox import Leaving, Outbox
from ..telemetry import Counters, log
from .retry import Backoff, describe

__all__ = ["Sender", "SenderLimits", "SenderStatus"]

T = TypeVar("T")

_LOST: Final = "whoever was sending it ended without a word: it may have been sent"


class SenderLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one destination.

    At most ``batch`` messages are sent at once, under leases of ``lease`` seconds. ``poll`` is how
    often new ones are looked for where nobody nudges, in seconds. A message that is refused
    ``attempts`` times is held.
    """

    batch: int = 100
    lease: float = 30.0
    poll: float = 0.25
    attempts: int = 16
    backoff: Backoff = Backoff(first=0.5, longest=300.0)
    reopen: Backoff = Backoff(first=0.5, longest=30.0)


class SenderStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Where a destination stands. The counts are of this process."""

    state: Literal["starting", "flowing", "broken", "stopped"]
    sent: int
    retried: int
    held: int
    in_flight: int
    trouble: str


class Sender:
    """Sends what waits for one sink. Any number of bridges may run one for the same destination.

    What a sink that tells repeats apart (``once``) leaves in doubt is sent again. Of any other one
    message at a time is sent, and what is in doubt is held: a person knows whether it came.
    """

    def __init__(
        self,
        sink: Sink,
        outbox: Outbox,
        *,
        limits: SenderLimits | None = None,
        counters: Counters | None = None,
    ) -> None:
        self._sink, self._outbox = sink, outbox
        self._limits = limits or SenderLimits()
        self._counters = counters or Counters()
        self._once = bool(getattr(sink, "once", False))
        self._token = uuid.uuid4().hex
        self._nudged = asyncio.Event()
        self._state: Literal["starting", "flowing", "broken", "stopped"] = "starting"
        self._counts = {"sent": 0, "retried": 0, "held": 0}
        self._in_flight = 0
        self._alone = 0  # messages to be sent one by one, as a batch with them failed
        self._trouble = ""

    def nudge(self) -> None:
        """Look now: something was written. Call it on the event loop."""
        self._nudged.set()

    def status(self) -> SenderStatus:
        """Say where it stands. Call it on the event loop."""
        return SenderStatus(
            state=self._state, in_flight=self._in_flight, trouble=self._trouble, **self._counts
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Send until ``stop``; what is being sent then is finished. Never raises.

        Cancelling it leaves what is being sent in doubt.
        """
        failures = 0
        try:
            while not stop.is_set():
                before = sum(self._counts.values())
                try:
                    await self._sink.open()
                    await self._flow(stop)
                except Exception as error:  # noqa: BLE001 - a sink must not end the daemon
                    failures = 1 if sum(self._counts.values()) > before else failures + 1
                    self._break(error)
                    await self._close()
                    await _wait(stop, self._limits.reopen.delay(failures))
        finally:
            await self._close()
            self._state = "stopped"

    async def _flow(self, stop: asyncio.Event) -> None:
        stopped = asyncio.create_task(stop.wait())
        stopped.add_done_callback(lambda _: self._nudged.set())
        try:
            while not stop.is_set():
                self._nudged.clear()
                some = 1 if self._alone else self._limits.batch
                found = await self._thread(self._claim, some)
                if self._state != "flowing":
                    self._mend()
                if found:
                    await self._send(found)
                else:
                    self._alone = 0
                    await _wait(self._nudged, self._limits.poll)
        finally:
            stopped.cancel()

    def _claim(self, some: int) -> list[Leaving]:
        lease = self._limits.lease
        return self._outbox.claim(
            self._sink.name, self._token, now=time.time(), lease=lease, limit=some
        )

    async def _send(self, found: Sequence[Leaving]) -> None:
        self._in_flight = len(found)
        try:
            async with self._renewed(found):
                sendable = await self._sendable(found)
                if self._once and len(sendable) > 1:
                    await self._together(sendable)
                else:
                    await self._one_by_one(sendable)
        finally:
            self._in_flight = 0

    async def _sendable(self, found: Sequence[Leaving]) -> list[Leaving]:
        """Hold what must not be sent any more, and give the rest but what is behind it."""
        blocked: set[str] = set()
        left: list[Leaving] = []
        for one in found:
            if one.message.key and one.message.key in blocked:
                await self._give_up([one])
            elif one.lost and not self._once:
                await self._hold(one, _LOST, blocked)
            elif one.attempts > self._limits.attempts:
                reason = one.error or "every attempt ended without a word"
                await self._hold(one, reason, blocked)
            else:
                left.append(one)
        return left

    async def _together(self, some: Sequence[Leaving]) -> None:
        try:
            await self._sink.send([one.message for one in some])
        except LegacyUnavailable:
            await self._give_up(some)
            raise
        except InDoubt as error:
            # One of them may be what breaks the connection: then it shall break it alone.
            self._alone = len(some)
            await self._put_back(some, error)
            raise
        except Exception:  # noqa: BLE001 - one of them is refused, and one by one it is found
            await self._one_by_one(some)
            return
        await self._sent(some)

    async def _one_by_one(self, some: Sequence[Leaving]) -> None:
        blocked: set[str] = set()
        for at, one in enumerate(some):
            if one.message.key and one.message.key in blocked:
                await self._give_up([one])
                continue
            try:
                await self._sink.send([one.message])
            except LegacyUnavailable:
                await self._give_up(some[at:])
                raise
            except InDoubt as error:
                await self._doubt(one, error, blocked)
                await self._give_up(some[at + 1 :])
                raise
            except Exception as error:  # noqa: BLE001 - it is refused: the others must go on
                await self._refused(one, error, blocked)
            else:
                await self._sent([one])

    async def _doubt(self, one: Leaving, error: Exception, blocked: set[str]) -> None:
        if self._once and one.attempts < self._limits.attempts:
            await self._put_back([one], error)
        else:
            await self._hold(one, describe(error), blocked)

    async def _refused(self, one: Leaving, error: Exception, blocked: set[str]) -> None:
        if one.attempts >= self._limits.attempts:
            await self._hold(one, describe(error), blocked)
            return
        log.info("%s: %s: %s", self._sink.name, one.message.message_id, describe(error))
        blocked.add(one.message.key)
        await self._put_back([one], error)

    async def _sent(self, some: Sequence[Leaving]) -> None:
        ids = [one.id for one in some]
        count = await self._thread(self._outbox.sent, self._token, ids, now=time.time())
        self._count("sent", count)
        self._alone = max(0, self._alone - len(some))
        if count < len(ids):
            self._counters.add("lease_lost", self._sink.name, by=len(ids) - count)
            log.warning("%s: leases were lost while sending", self._sink.name)

    async def _put_back(self, some: Sequence[Leaving], error: Exception) -> None:
        for attempts in sorted({one.attempts for one in some}):
            ids = [one.id for one in some if one.attempts == attempts]
            next_at = time.time() + self._limits.backoff.delay(attempts)
            await self._thread(
                self._outbox.put_back, self._token, ids, next_at=next_at, error=describe(error)
            )
            self._count("retried", len(ids))

    async def _give_up(self, some: Sequence[Leaving]) -> None:
        if some:
            await self._thread(self._outbox.give_up, self._token, [one.id for one in some])

    async def _hold(self, one: Leaving, reason: str, blocked: set[str]) -> None:
        blocked.add(one.message.key)
        count = await self._thread(
            self._outbox.hold, self._token, one, error=reason, now=time.time()
        )
        self._count("held", count)
        name, ident = self._sink.name, one.message.message_id
        log.warning("%s: %s is held, and what is behind it: %s", name, ident, reason)

    @asynccontextmanager
    async def _renewed(self, found: Sequence[Leaving]) -> AsyncIterator[None]:
        """Keep the leases while work with them goes on."""
        ids = [one.id for one in found]

        async def renew() -> None:
            while True:
                await asyncio.sleep(self._limits.lease / 3)
                until = time.time() + self._limits.lease
                with contextlib.suppress(StoreError):
                    await self._thread(self._outbox.renew, self._token, ids, until=until)

        renewing = asyncio.create_task(renew())
        try:
            yield
        finally:
            renewing.cancel()

    async def _thread(self, work: Callable[..., T], *args: object, **named: object) -> T:
        return await asyncio.to_thread(work, *args, **named)

    async def _close(self) -> None:
        try:
            await self._sink.close()
        except Exception as error:  # noqa: BLE001 - it is given up either way
            log.warning("%s: did not close: %s", self._sink.name, describe(error))

    def _count(self, outcome: str, by: int) -> None:
        self._counts[outcome] += by
        self._counters.add("outgoing", self._sink.name, outcome, by=by)

    def _break(self, error: Exception) -> None:
        before, self._trouble = self._trouble, describe(error)
        self._state = "broken"
        if self._trouble != before:
            log.warning("%s: %s; trying again", self._sink.name, self._trouble)

    def _mend(self) -> None:
        if self._state == "broken":
            log.info("%s: flows again", self._sink.name)
        self._state, self._trouble = "flowing", ""


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
