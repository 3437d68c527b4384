"""What all writes to both sides share in one process: the store's rows, and what is under way."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Coroutine
from hashlib import sha256

import msgspec

from ...model import Record, Request, Side
from ...store.store import Store
from ...telemetry import Counters, log
from ..endpoint import Endpoint
from ..exchange import Exchange
from ..shadow import Shadow
from ..table import RouteTable
from .side import Asked

__all__ = ["Doubling", "keyed"]


class Doubling:
    """Built once by a running process; owned by its event loop.

    ``owner`` names this process in leases. ``Copying`` is nudged when something was left to it.
    """

    def __init__(
        self, store: Store, table: RouteTable, shadow: Shadow, counters: Counters, owner: str = ""
    ) -> None:
        self.rows, self.work = store.dual_writes, store.dual_work
        self.journal, self.table, self.shadow = store.journal, table, shadow
        self.observations, self.counters = shadow.observations, counters
        self.owner = owner or uuid.uuid4().hex
        self._under_way: set[asyncio.Task[None]] = set()
        self._left = asyncio.Event()

    def begin(self, steps: Coroutine[object, object, None], answer: asyncio.Future[Record]) -> None:
        """Have the steps of a write done, whatever becomes of who waits for ``answer``."""
        task = asyncio.create_task(steps)
        self._under_way.add(task)
        task.add_done_callback(lambda done: self._ended(done, answer))

    def _ended(self, task: asyncio.Task[None], answer: asyncio.Future[Record]) -> None:
        self._under_way.discard(task)
        if task.cancelled():
            answer.cancel()
            return
        error = task.exception()
        if error is None:
            return
        if not answer.done():
            answer.set_exception(error)
            answer.exception()
        else:
            log.error("a write to both sides was left as it is", exc_info=error)

    def nudge(self) -> None:
        """Say that something may be left to be copied."""
        self._left.set()

    async def left(self, seconds: float) -> None:
        """Wait until something may be left, but not for longer."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._left.wait()
        self._left.clear()

    async def drain(self, seconds: float) -> None:
        """Wait for what is under way; what takes longer is left to who copies, as in doubt."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=seconds)
        if self._under_way:
            log.warning("%d writes to both sides are left as they are", len(self._under_way))
        for task in self._under_way:
            task.cancel()

    def keyed(self, endpoint: Endpoint, exchange: Exchange) -> Request | None:
        """Give the request with the idempotency key that both sides are given."""
        return keyed(endpoint, exchange.record, exchange.request)

    def count(self, endpoint: str, side: Side, asked: Asked) -> None:
        """Count what came of asking a second side."""
        outcome = "copied" if asked.what == "happened" else asked.what
        self.counters.add("dual_writes", endpoint, side.value, outcome)

    def answered(self, endpoint: str, exchange: Exchange, side: Side, status: str) -> None:
        """Count what a first side came to."""
        stage = exchange.route.stage.value
        self.counters.add("route_requests", endpoint, side.value, stage, status)
        if status == "error" and side is Side.REPLACEMENT:
            self.observations.failed(exchange, "write")
        else:
            self.observations.answered(exchange, side, status)


def keyed(endpoint: Endpoint, record: Record, request: Request | None) -> Request | None:
    """Give a request with the idempotency key that belongs to its record; a caller's own hashed."""
    if request is None:
        return None
    token = endpoint.token(record, request)
    key = token if token == request.id else sha256(token.encode()).hexdigest()[:32]
    return msgspec.structs.replace(request, idempotency_key=key)
