"""The shadow: the side that did not serve is asked too, off the caller's path, and compared."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

from ..errors import FigError
from ..model import Comparison, Payload, Record, Reply, Request, Route, Side
from ..store.journal import Journal
from ..store.line import Line
from ..store.noise import keep_doubled
from ..store.store import Store
from ..store.write import Write
from ..telemetry import Counters, log
from .asking import ask_replacement, reason_of
from .comparison.compare import compare
from .comparison.noisy import Noisy
from .comparison.twice import again, wanted
from .endpoint import Endpoint
from .guardrails.observations import Observations
from .later import Later
from .ledger import Ledger

__all__ = ["Pair", "Shadow", "compared"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A request that one side has answered. The side that is None is still to be asked.

    ``took`` are the seconds that the side took that has answered; with the ``route`` on which it
    did, both sides' times are compared too.
    """

    endpoint: Endpoint
    request: Request
    revision: str
    legacy: Record | None = None
    replacement: Reply | None = None
    route: Route | None = None
    took: float = 0.0


class Shadow:
    """A bounded queue and a few workers. A full queue drops and counts: nobody waits for it.

    ``noisy`` knows the fields whose differences are noise; None: no field's are. ``later`` writes
    differences that an outcome may decide; None: none waits for any.
    """

    def __init__(
        self,
        journal: Journal,
        counters: Counters,
        observations: Observations | None = None,
        *,
        size: int = 1000,
        workers: int = 8,
        noisy: Noisy | None = None,
        later: Later | None = None,
    ) -> None:
        self.observations = observations or Observations()
        self._journal = journal
        self._counters = counters
        self._queue: asyncio.Queue[Pair] = asyncio.Queue(size)
        self._workers = workers
        self._noisy = noisy or Noisy()
        self._later = later

    @classmethod
    def on(cls, store: Store, counters: Counters) -> Shadow:
        """Make the shadow of a running process: it knows noise, and waits for outcomes."""
        return cls(
            store.journal,
            counters,
            Observations(store.measures),
            noisy=Noisy(store.database),
            later=Later(Ledger(store, counters)),
        )

    def offer(self, pair: Pair) -> None:
        """Take a pair, or drop and count it. Called on the caller's path; never waits or raises."""
        try:
            self._queue.put_nowait(pair)
        except asyncio.QueueFull:
            self._counters.add("shadow_dropped", pair.endpoint.name)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._workers):
                group.create_task(self._work())

    async def drain(self) -> None:
        """Wait until every pair that was taken has been compared."""
        await self._queue.join()

    async def _work(self) -> None:
        while True:
            pair = await self._queue.get()
            try:
                await self._compare(pair)
            except Exception:  # noqa: BLE001  # one bad pair must not end the shadow
                log.exception("%s: shadow failed", pair.endpoint.name)
            finally:
                self._queue.task_done()

    async def _compare(self, pair: Pair) -> None:
        endpoint, request = pair.endpoint, pair.request
        noisy = await self._noisy.fields(endpoint, pair.revision)
        both = await _answers(pair, self.observations)
        if isinstance(both, Write):
            self._journal.append(both)
            return
        seen = await _seen(pair, both, noisy)
        self._counters.add("shadow_pairs", endpoint.name, seen.winner)
        if "function failed" in seen.why:
            self._counters.add("comparison_errors", endpoint.name)
        if self._later is not None and self._later.wants(endpoint, seen):
            await self._later.write(endpoint, request, seen, *both)
        else:
            self._journal.append(Write(observations=(seen,)))
        for side in wanted(endpoint, request):
            twice = await again(
                endpoint,
                request,
                pair.revision,
                side,
                legacy=both[0],
                replacement=both[1],
                used=partial(self._used, pair),
            )
            if twice is not None:
                self._journal.append(keep_doubled(twice, request.id))

    def _used(self, pair: Pair, reply: Reply) -> None:
        if pair.route is not None:
            self.observations.used(pair.route, reply.usage, shadow=True)


async def compared(
    pair: Pair, observations: Observations | None = None, noisy: Collection[str] = ()
) -> Write:
    """Ask the side that is missing and compare; give what the journal is to hold.

    A side that fails or abstains leaves a line of kind ``shadow`` that says so, with what the other
    side came to, and no comparison.
    """
    both = await _answers(pair, observations or Observations())
    if isinstance(both, Write):
        return both
    return Write(observations=(await _seen(pair, both, noisy),))


_Both = tuple[Payload, Payload]
"""Legacy's answer and the replacement's."""


async def _seen(pair: Pair, both: _Both, noisy: Collection[str]) -> Comparison:
    if pair.endpoint.comparing.costly:
        # Callers wait for this event loop, and nobody for the comparison.
        return await asyncio.to_thread(_compared, pair, both, noisy)
    return _compared(pair, both, noisy)


def _compared(pair: Pair, both: _Both, noisy: Collection[str]) -> Comparison:
    legacy, replacement = both
    seen = compare(
        pair.endpoint,
        pair.request,
        revision=pair.revision,
        legacy=legacy,
        replacement=replacement,
        noisy=noisy,
    )
    return pair.endpoint.journalled(seen)


async def _answers(pair: Pair, observations: Observations) -> _Both | Write:
    """Give both answers, or what is written where there are not both."""
    # Neither side's failure keeps the other's answer from being told of.
    began = time.monotonic()
    new, failed = await _replacement(pair, observations)
    asked = time.monotonic()
    old, refused = await _legacy(pair)
    if new is None or old is None:
        return _failed(pair, failed, refused)
    if pair.route is not None and pair.took:
        answered = time.monotonic()
        times = (
            (asked - began, pair.took)
            if pair.replacement is None
            else (pair.took, answered - asked)
        )
        observations.timed(pair.route, replacement=times[0], legacy=times[1])
    return old, new


_Failure = tuple[str, str]
"""Why a side gave no answer: in a word, and in full."""


async def _replacement(pair: Pair, observations: Observations) -> tuple[Payload | None, _Failure]:
    try:
        reply = pair.replacement
        if reply is None:
            reply = await ask_replacement(pair.endpoint, pair.request, pair.revision)
            if pair.route is not None:
                observations.used(pair.route, reply.usage, shadow=True)
    except FigError as error:
        return None, (reason_of(error), str(error))
    if reply.status == "abstained" or reply.payload is None:
        return None, ("abstained", reply.reason)
    return reply.payload, ("", "")


async def _legacy(pair: Pair) -> tuple[Payload | None, _Failure]:
    try:
        answer = pair.legacy or await _ask_legacy(pair.endpoint, pair.request)
        return pair.endpoint.mapping.decode_reply(answer), ("", "")
    except FigError as error:
        return None, (type(error).__name__, str(error))


async def _ask_legacy(endpoint: Endpoint, request: Request) -> Record:
    if endpoint.legacy is None or request.record is None:
        raise FigError("there is no legacy to ask", place=f"endpoint.{endpoint.name}")
    return await endpoint.legacy(request.record, time.time() + endpoint.timeout)


def _failed(pair: Pair, replacement: _Failure, legacy: _Failure) -> Write:
    side, (reason, detail) = (
        (Side.REPLACEMENT, replacement) if replacement[0] else (Side.LEGACY, legacy)
    )
    other = (legacy if replacement[0] else replacement)[0] or "ok"
    line = Line(
        kind="shadow",
        endpoint=pair.endpoint.name,
        request_id=pair.request.id,
        revision=pair.revision,
        data={"side": side.value, "reason": reason, "detail": detail, "other": other},
    )
    return Write(lines=(line,))
