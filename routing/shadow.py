"""The shadow: the side that did not serve is asked too, off the caller's path, and compared."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from ..errors import FigError
from ..model import Record, Reply, Request, Side
from ..store.journal import Journal
from ..store.line import Line
from ..store.write import Write
from ..telemetry import Counters, log
from .asking import ask_replacement, reason_of
from .comparison.compare import compare
from .endpoint import Endpoint

__all__ = ["Pair", "Shadow", "compared"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A request that one side has answered. The side that is None is still to be asked."""

    endpoint: Endpoint
    request: Request
    revision: str
    legacy: Record | None = None
    replacement: Reply | None = None


class Shadow:
    """A bounded queue and a few workers. A full queue drops and counts: nobody waits for it."""

    def __init__(
        self, journal: Journal, counters: Counters, *, size: int = 1000, workers: int = 8
    ) -> None:
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
                self._journal.append(await compared(pair))
            except Exception:  # noqa: BLE001  # one bad pair must not end the shadow
                log.exception("%s: shadow failed", pair.endpoint.name)
            finally:
                self._queue.task_done()


async def compared(pair: Pair) -> Write:
    """Ask the side that is missing and compare; give what the journal is to hold.

    A side that fails or abstains leaves a line of kind ``shadow`` that says so, and no comparison.
    """
    endpoint, request = pair.endpoint, pair.request
    try:
        reply = pair.replacement or await ask_replacement(endpoint, request, pair.revision)
    except FigError as error:
        return _failed(pair, Side.REPLACEMENT, reason_of(error), str(error))
    if reply.status == "abstained" or reply.payload is None:
        return _failed(pair, Side.REPLACEMENT, "abstained", reply.reason)
    try:
        answer = pair.legacy or await _ask_legacy(endpoint, request)
        legacy = endpoint.mapping.decode_reply(answer)
    except FigError as error:
        return _failed(pair, Side.LEGACY, type(error).__name__, str(error))
    comparison = compare(
        endpoint, request, revision=pair.revision, legacy=legacy, replacement=reply.payload
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
