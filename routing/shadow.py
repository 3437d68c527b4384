"""The shadow: the side that did not serve is asked too, off the caller's path, and compared."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from ..errors import FigError
from ..model import Record, Reply, Request, Route, Side
from ..store.journal import Journal
from ..store.line import Line
from ..store.write import Write
from ..telemetry import Counters, log
from .asking import ask_replacement, reason_of
from .compare import compare, unit_of
from .endpoint import Endpoint
from .guardrails.observations import Observations

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
    """A bounded queue and a few workers. A full queue drops and counts: nobody waits for it."""

    def __init__(
        self,
        journal: Journal,
        counters: Counters,
        observations: Observations | None = None,
        *,
        size: int = 1000,
        workers: int = 8,
    ) -> None:
        self.observations = observations or Observations()
        self._journal = journal
        self._counters = counters
        self._queue: asyncio.Queue[Pair] = asyncio.Queue(size)
        self._workers = workers

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
                self._journal.append(await compared(pair, self.observations))
            except Exception:  # noqa: BLE001  # one bad pair must not end the shadow
                log.exception("%s: shadow failed", pair.endpoint.name)
            finally:
                self._queue.task_done()


async def compared(pair: Pair, observations: Observations | None = None) -> Write:
    """Ask the side that is missing and compare; give what the journal is to hold.

    A side that fails or abstains leaves a line of kind ``shadow`` that says so, and no comparison.
    """
    endpoint, request = pair.endpoint, pair.request
    began = time.monotonic()
    try:
        reply = pair.replacement or await ask_replacement(endpoint, request, pair.revision)
        if observations is not None and pair.route is not None and pair.replacement is None:
            observations.used(pair.route, reply.usage, shadow=True)
    except FigError as error:
        return _failed(pair, Side.REPLACEMENT, reason_of(error), str(error))
    if reply.status == "abstained" or reply.payload is None:
        return _failed(pair, Side.REPLACEMENT, "abstained", reply.reason)
    asked = time.monotonic() - began
    try:
        answer = pair.legacy or await _ask_legacy(endpoint, request)
        asked = asked if pair.legacy is not None else time.monotonic() - began
        legacy = endpoint.mapping.decode_reply(answer)
    except FigError as error:
        return _failed(pair, Side.LEGACY, type(error).__name__, str(error))
    if observations is not None and pair.route is not None and pair.took:
        new, old = (asked, pair.took) if pair.replacement is None else (pair.took, asked)
        observations.timed(pair.route, replacement=new, legacy=old)
    comparison = compare(
        request,
        endpoint=endpoint.name,
        revision=pair.revision,
        unit=unit_of(request.payload, endpoint.golden),
        legacy=legacy,
        replacement=reply.payload,
        fields=endpoint.config.compare,
        golden=endpoint.golden,
    )
    return Write(observations=(endpoint.journalled(comparison),))


async def _ask_legacy(endpoint: Endpoint, request: Request) -> Record:
    if endpoint.legacy is None or request.record is None:
        raise FigError("there is no legacy to ask", place=f"endpoint.{endpoint.name}")
    return await endpoint.legacy(request.record, time.time() + endpoint.timeout)


def _failed(pair: Pair, side: Side, reason: str, detail: str) -> Write:
    line = Line(
        kind="shadow",
        endpoint=pair.endpoint.name,
        request_id=pair.request.id,
        revision=pair.revision,
        data={"side": side.value, "reason": reason, "detail": detail},
    )
    return Write(lines=(line,))
