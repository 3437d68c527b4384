"""One open stretch of a table source: its owner thread, what it holds, and grouped settlements."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from ...errors import FigError, LegacyError, LegacyUnavailable
from ...telemetry import log
from .claims import Claims
from .dialect import Event, Waker
from .ending import Ending
from .events import SUSPECT
from .waking import Waking

__all__ = ["Session"]

T = TypeVar("T")
_Told = asyncio.Future[Sequence[LegacyError | None]]

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
        self._endings: list[tuple[Sequence[Ending], _Told]] = []
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

    async def settle(self, endings: Sequence[Ending]) -> Sequence[LegacyError | None]:
        """Write endings; all that come while the thread is busy share one transaction.

        Gives an error for each whose lease was lost, or that the database did not take; these
        events come again.
        """
        held = {} if self._claims is None else self._held
        mine = [ending for ending in endings if held.get(ending.id) == ending.token]
        if not mine:
            return [self._lost(ending) for ending in endings]
        told: _Told = self._loop.create_future()
        self._endings.append((mine, told))
        if self._flush is None or self._flush.done():
            self._flush = asyncio.create_task(self._write())
        results = await told
        if len(mine) == len(endings):
            return results
        of = dict(zip([(one.id, one.token) for one in mine], results, strict=True))
        return [
            of[one.id, one.token] if (one.id, one.token) in of else self._lost(one)
            for one in endings
        ]

    def _lost(self, ending: Ending) -> LegacyError:
        return LegacyError(
            "the lease was lost or the source closed meanwhile, so nothing was marked",
            place=f"{self.name}: event {ending.id}",
            remedy="none is needed: the event comes again",
        )

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
            endings = [ending for some, _ in batch for ending in some]
            results: Sequence[LegacyError | None]
            try:
                results = await self._run(claims.settle, endings)
            except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
                results = [_as_ours(error)] * len(endings)
            # Also after a failure: what is no longer renewed runs out and comes again.
            self._forget(endings)
            at = 0
            for some, told in batch:
                if not told.done():
                    told.set_result(results[at : at + len(some)])
                at += len(some)
            self.freed.set()

    def _forget(self, endings: Sequence[Ending]) -> None:
        held = self._held
        for ending in endings:
            if held.get(ending.id) == ending.token:
                del held[ending.id]
                if self._suspects:
                    self._suspects.discard(ending.id)
            if ending.settlement.outcome == "retry":
                self._loop.call_later(ending.settlement.delay, self.freed.set)

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
