"""One open stretch of a table source: its owner thread, what it holds, and grouped settlements."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from ...errors import FigError, LegacyError, LegacyUnavailable
from ...model import Settlement
from ...telemetry import log
from .claims import Claims
from .dialect import Event, Waker
from .ending import Ending
from .events import SUSPECT
from .waking import Waking

__all__ = ["Hold", "Session"]

T = TypeVar("T")

_SWEEP_SECONDS: Final = 30.0
_TAKE_OVER_SECONDS: Final = 10.0
_TAKE_OVER_WITHIN: Final = 20_000
_UNWOKEN: Final = 1.0
"""Seconds after which a source that is woken looks by itself: a wake may be lost."""


class Session:
    """Everything that blocks runs in the one thread of this; all else on the event loop."""

    def __init__(self, name: str, *, lease: float, poll: float, keep: float) -> None:
        self.name, self._lease, self._poll, self._keep = name, lease, poll, keep
        self.freed = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"fig-{name}")
        self._loop = asyncio.get_running_loop()
        self._claims: Claims | None = None
        self._held: dict[int, str] = {}
        self._endings: list[tuple[Ending, asyncio.Future[None]]] = []
        self._suspects: set[int] = set()
        self._late: asyncio.Future[list[Event]] | None = None
        self._flush: asyncio.Task[None] | None = None
        self._tending: asyncio.Task[None] | None = None
        self._waking: Waking | None = None

    @property
    def poll(self) -> float:
        """Seconds after which a look is due that nothing asked for."""
        woken = self._waking is not None and self._waking.hears
        return max(self._poll, _UNWOKEN) if woken else self._poll

    async def start(self, build: Callable[[], tuple[Claims, Waker | None]]) -> None:
        """Build the claims in the thread and free what dead processes of this host held."""
        try:
            claims, waker = await self._run(build)
            self._claims = claims
            if waker is not None:
                self._waking = Waking(self.name, waker, self.freed.set)
            taken = await self._run(claims.take_over)
        except BaseException:
            await self.end()
            raise
        if taken:
            log.info("%s: took over the leases of %d ended claims", self.name, taken)
        self._tending = asyncio.create_task(self._tend())

    async def claim(self, limit: int) -> list[Event]:
        """Lease events. A caller who is cancelled meanwhile leaves nothing leased behind."""
        claims = self._open_claims()
        job = self._run(partial(claims.claim, limit, suspects=not self._suspects))
        try:
            events = await asyncio.shield(job)
        except asyncio.CancelledError:
            job.add_done_callback(lambda late: self._put_back(claims, late))
            self._late = job
            raise
        self._held.update((event.id, event.lease_token) for event in events)
        self._suspects.update(event.id for event in events if event.lost >= SUSPECT)
        return events

    async def settle(self, ending: Ending) -> None:
        """Write an ending; all that come while the thread is busy share one transaction.

        Raises ``LegacyError`` where the lease was lost or the database cannot be written; then the
        event comes again.
        """
        if self._claims is None or self._held.get(ending.id) != ending.token:
            raise LegacyError(
                "the lease was lost or the source closed meanwhile, so nothing was marked",
                place=f"{self.name}: event {ending.id}",
                remedy="none is needed: the event comes again",
            )
        future: asyncio.Future[None] = self._loop.create_future()
        self._endings.append((ending, future))
        if self._flush is None or self._flush.done():
            self._flush = asyncio.create_task(self._write())
        await future

    async def put_back(self, events: Sequence[Event]) -> None:
        """Free events that were claimed and handed to nobody. Raises ``LegacyError``."""
        for event in events:
            self._held.pop(event.id, None)
            self._suspects.discard(event.id)
        held = {event.id: event.lease_token for event in events}
        await self._run(partial(self._open_claims().give_back, held, uncounted=True))

    async def values(self, references: Sequence[str]) -> dict[str, tuple[str, bytes]]:
        """Read large values, kind and bytes by reference. Raises ``LegacyError``."""
        return await self._run(self._open_claims().values, references)

    async def release(self, event_id: str) -> bool:
        """End a dead event that holds its key back. Raises ``LegacyError``."""
        released = await self._run(self._open_claims().release, event_id)
        self.freed.set()
        return released

    async def end(self) -> None:
        """Give back what is held and end the thread. Never raises."""
        if self._tending is not None:
            self._tending.cancel()
        if self._waking is not None:
            self._waking.end()
        claims, self._claims = self._claims, None
        if claims is not None:
            pending = [job for job in (self._flush, self._late) if job is not None]
            if pending:
                await asyncio.wait(pending)
            with contextlib.suppress(LegacyError):
                # Where this fails the leases run out by themselves.
                await self._run(claims.give_back, dict(self._held))
            await self._run(claims.close)
        self._held.clear()
        self._thread.shutdown(wait=False)

    def _open_claims(self) -> Claims:
        if self._claims is None:
            raise LegacyUnavailable("the source is not open", place=self.name, remedy="open it")
        return self._claims

    def _run(self, function: Callable[..., T], *args: object) -> asyncio.Future[T]:
        return self._loop.run_in_executor(self._thread, function, *args)

    async def _write(self) -> None:
        claims = self._open_claims()
        while self._endings:
            batch, self._endings = self._endings, []
            results: Sequence[LegacyError | None]
            try:
                results = await self._run(claims.settle, [ending for ending, _ in batch])
            except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
                results = [_as_ours(error)] * len(batch)
            for (ending, future), failure in zip(batch, results, strict=True):
                # Also after a failure: what is no longer renewed runs out and comes again.
                if self._held.get(ending.id) == ending.token:
                    del self._held[ending.id]
                    self._suspects.discard(ending.id)
                if future.done():
                    continue
                if failure is None:
                    future.set_result(None)
                else:
                    future.set_exception(failure)
                if ending.settlement.outcome == "retry":
                    self._loop.call_later(ending.settlement.delay, self.freed.set)
            self.freed.set()

    def _put_back(self, claims: Claims, late: asyncio.Future[list[Event]]) -> None:
        if late.cancelled() or late.exception() is not None or not late.result():
            return
        held = {event.id: event.lease_token for event in late.result()}
        self._thread.submit(claims.give_back, held, uncounted=True)

    async def _tend(self) -> None:
        """Renew leases three times in their length; now and then clear up behind the dead."""
        swept = taken_over = self._loop.time()
        while True:
            await asyncio.sleep(self._lease / 3)
            claims, now = self._open_claims(), self._loop.time()
            try:
                if self._held:
                    await self._run(claims.renew, dict(self._held))
                if now - taken_over >= _TAKE_OVER_SECONDS:
                    await self._run(partial(claims.take_over, within=_TAKE_OVER_WITHIN))
                    taken_over = now
                if now - swept >= _SWEEP_SECONDS:
                    await self._run(claims.sweep, self._keep)
                    swept = now
            except FigError as error:
                log.warning("%s: leases were not renewed: %s", self.name, error)


def _as_ours(error: Exception) -> LegacyError:
    if isinstance(error, LegacyError):
        return error
    return LegacyError(f"could not be settled: {type(error).__name__}: {error}")


class Hold:
    """A claimed event in somebody's hands: the way to settle it, once."""

    __slots__ = ("_event", "_session", "_settled")

    def __init__(self, session: Session, event: Event) -> None:
        self._session, self._event, self._settled = session, event, False

    async def settle(self, settlement: Settlement) -> None:
        """Write the outcome. Raises ``FigError`` at a second call."""
        if self._settled:
            raise FigError(
                "settled already",
                place=f"{self._session.name}: event {self._event.id}",
                expected="one settlement a delivery",
            )
        self._settled = True
        event = self._event
        await self._session.settle(Ending(event.id, event.lease_token, settlement))
