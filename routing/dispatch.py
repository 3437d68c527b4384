"""One request of one endpoint, from its record to its answer."""

from __future__ import annotations

import time

from ..errors import ContractError, FigError, InputError, LegacyError, StoreError
from ..model import Record, Reply, Request, Side, Stage
from ..store.journal import Journal
from ..store.write import Write
from ..telemetry import Counters, log
from .asking import ask_replacement, reason_of
from .dual.writing import Writing
from .encoding import encoded
from .endpoint import Endpoint
from .exchange import Exchange, status_of
from .guardrails.observations import Observations
from .shadow import Pair, Shadow
from .table import RouteTable

__all__ = ["Dispatcher"]

_QUIET_SECONDS = 5.0


class Dispatcher:
    """Serves one endpoint: the facades call ``serve`` for every call that somebody waits for."""

    def __init__(
        self,
        endpoint: Endpoint,
        table: RouteTable,
        journal: Journal,
        shadow: Shadow,
        counters: Counters,
        observations: Observations | None = None,
        writing: Writing | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._table = table
        self._journal = journal
        self._shadow = shadow
        self._counters = counters
        self._observations = observations or Observations()
        self._writing = writing
        self._said: dict[str, float] = {}

    async def serve(self, record: Record) -> Record:
        """Answer a record by the endpoint's route.

        Whatever goes wrong on the replacement's side, in the mapping or in the store, legacy
        answers; what is written to both sides goes its own way, see ``Writing``. Raises
        ``LegacyError`` where legacy itself fails, and ``FigError`` where the endpoint is retired
        and there is no legacy to fall back to.
        """
        route = self._table.current(self._endpoint.name)
        deadline = time.time() + self._endpoint.timeout
        exchange = Exchange(record, route, route.revision, deadline)
        if self._writing is not None and self._writing.takes(route):
            return await self._writing.serve(exchange)
        if route.killed or route.stage is Stage.LEGACY:
            return await self._by_legacy(exchange)
        try:
            request = self._endpoint.request(record, deadline)
        except Exception as error:  # noqa: BLE001  # a fault in our mapping is not the caller's
            reason = "input" if isinstance(error, InputError) else "error"
            return await self._fall_back(exchange, reason, error)
        exchange.request = request
        decision = self._endpoint.router.decide(route, request)
        exchange.decided, exchange.rule = decision.side, decision.rule
        if decision.side is Side.LEGACY:
            answer = await self._by_legacy(exchange)
            if decision.compare and status_of(answer) == "ok":
                self._offer(exchange, request, legacy=answer)
            return answer
        return await self._by_replacement(exchange, request, compare=decision.compare)

    async def _by_replacement(
        self, exchange: Exchange, request: Request, *, compare: bool
    ) -> Record:
        asked = time.monotonic()
        try:
            reply = await ask_replacement(self._endpoint, request, exchange.revision)
            exchange.took = time.monotonic() - asked
            self._observations.used(exchange.route, reply.usage)
            answer = (
                encoded(self._endpoint, exchange.record, reply) if reply.status == "ok" else None
            )
        except Exception as error:  # noqa: BLE001  # whatever it was, callers are answered
            return await self._fall_back(exchange, reason_of(error), error)
        if answer is None:
            return await self._fall_back(exchange, "abstained", None, reply)
        written = Write(lines=(exchange.line(Side.REPLACEMENT, "ok", reply),))
        try:
            await self._journal.commit(written)
        except StoreError as error:
            if exchange.route.stage is not Stage.RETIRED:
                return await self._fall_back(exchange, "store", error)
            self._journal.append(written)  # there is nobody else to answer
        if compare:
            self._offer(exchange, request, replacement=reply)
        self._count(exchange, Side.REPLACEMENT, "ok")
        return answer

    async def _by_legacy(self, exchange: Exchange, reply: Reply | None = None) -> Record:
        if self._endpoint.legacy is None:
            raise FigError("has no legacy to answer", place=f"endpoint.{self._endpoint.name}")
        asked = time.monotonic()
        try:
            answer = await self._endpoint.legacy(exchange.record, exchange.deadline)
            exchange.took = time.monotonic() - asked
        except LegacyError as error:
            exchange.detail = exchange.detail or str(error)
            self._journal.append(Write(lines=(exchange.line(None, "error", reply),)))
            self._count(exchange, Side.LEGACY, "error")
            raise
        status = status_of(answer)
        self._journal.append(Write(lines=(exchange.line(Side.LEGACY, status, reply),)))
        self._count(exchange, Side.LEGACY, status)
        return answer

    async def _fall_back(
        self,
        exchange: Exchange,
        reason: str,
        error: Exception | None,
        reply: Reply | None = None,
    ) -> Record:
        exchange.fallback = reason
        exchange.detail = _detail(error, reply)
        self._counters.add("fallbacks", self._endpoint.name, reason)
        if reason != "abstained":
            self._say(reason, exchange.detail)
        if exchange.route.stage is Stage.RETIRED:
            self._observations.failed(exchange, reason)
            self._journal.append(Write(lines=(exchange.line(None, "error", reply),)))
            raise error or ContractError(
                "the replacement is not sure, and legacy is retired",
                place=f"endpoint.{self._endpoint.name}",
            )
        return await self._by_legacy(exchange, reply)

    def _offer(
        self,
        exchange: Exchange,
        request: Request,
        legacy: Record | None = None,
        replacement: Reply | None = None,
    ) -> None:
        self._shadow.offer(
            Pair(
                endpoint=self._endpoint,
                request=request,
                revision=exchange.revision,
                legacy=legacy,
                replacement=replacement,
                route=exchange.route,
                took=exchange.took,
            )
        )

    def _count(self, exchange: Exchange, side: Side, status: str) -> None:
        stage = exchange.route.stage.value
        self._counters.add("route_requests", self._endpoint.name, side.value, stage, status)
        self._observations.answered(exchange, side, status)

    def _say(self, reason: str, detail: str) -> None:
        # A replacement that is down would otherwise write a line for every call.
        now = time.monotonic()
        if now - self._said.get(reason, -_QUIET_SECONDS) >= _QUIET_SECONDS:
            self._said[reason] = now
            log.warning("%s: answered from legacy (%s): %s", self._endpoint.name, reason, detail)


def _detail(error: Exception | None, reply: Reply | None) -> str:
    if error is None:
        return reply.reason if reply else ""
    if isinstance(error, FigError):
        return str(error)
    log.error("an error that should not be", exc_info=error)
    return f"{type(error).__name__} that should not be: see the log"
