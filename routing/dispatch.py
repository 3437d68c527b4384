"""One request of one endpoint, from its record to its answer."""

from __future__ import annotations

import time
from functools import partial

import msgspec

from ..errors import ContractError, FigError, InputError, LegacyError, StoreError
from ..model import Record, Reply, Request, Side, Stage
from ..store.journal import Journal
from ..store.write import Write
from ..telemetry import Counters, log
from .asking import ask_replacement, reason_of
from .blend import Blending
from .blended import Blended, blended
from .dual.writing import Writing
from .encoding import encoded
from .endpoint import Endpoint
from .exchange import Exchange, status_of
from .fallback import may_have_happened, why_not
from .guardrails.observations import Observations
from .pair import Pair
from .pairs import plan_of
from .shadow import Shadow
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
        answers, unless ``fallback.py`` forbids it; what is written to both sides goes its own way,
        see ``Writing``. Raises ``LegacyError`` where legacy itself fails, and ``FigError`` where it
        must not answer in the replacement's place.
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
            return await self._fall_back(exchange, reason, error, asked=False)
        exchange.request = request
        decision = self._endpoint.router.decide(route, request)
        exchange.decided, exchange.rule = decision.side, decision.rule
        if decision.side is Side.LEGACY:
            answer = await self._by_legacy(exchange)
            if decision.compare and status_of(answer) == "ok":
                self._offer(exchange, request, legacy=answer)
            return answer
        if self._endpoint.blending is not None and plan_of(route).fallback:
            return await self._by_both(self._endpoint.blending, exchange, request)
        return await self._by_replacement(exchange, request, compare=decision.compare)

    async def _by_both(self, blending: Blending, exchange: Exchange, request: Request) -> Record:
        found = await blended(
            self._endpoint,
            blending,
            exchange,
            self._reserving(exchange, request),
            partial(encoded, self._endpoint, exchange.record),
        )
        if found.reply is not None:
            self._observations.used(exchange.route, found.reply.usage)
        self._tell(exchange, found)
        if found.record is None:
            self._observations.failed(exchange, exchange.fallback)
            self._journal.append(Write(lines=(exchange.line(None, "error", found.reply),)))
            raise found.error or ContractError("no answer", place=f"endpoint.{self._endpoint.name}")
        answer, side = found.record, Side.REPLACEMENT
        if found.answer == "legacy" or "replacement" in found.missing:
            side = Side.LEGACY
            line = exchange.line(side, status_of(answer), found.reply)
            self._journal.append(Write(lines=(line,)))
        elif not await self._durable(exchange, found) and found.legacy is not None:
            answer, side = found.legacy, Side.LEGACY
        if found.legacy is not None and found.reply is not None and found.reply.status == "ok":
            self._offer(exchange, request, legacy=found.legacy, replacement=found.reply)
        self._count(exchange, side, status_of(answer))
        return answer

    async def _durable(self, exchange: Exchange, found: Blended) -> bool:
        """Say whether a blended answer's line is written; else it is told who answers now."""
        try:
            await self._journal.commit(
                Write(lines=(exchange.line(Side.REPLACEMENT, "ok", found.reply),))
            )
        except StoreError as error:
            exchange.fallback, exchange.detail = "store", str(error)
            side = Side.REPLACEMENT if found.legacy is None else Side.LEGACY
            self._journal.append(Write(lines=(exchange.line(side, "ok", found.reply),)))
            return False
        return True

    def _tell(self, exchange: Exchange, found: Blended) -> None:
        """Say in the journal's line what each side came to."""
        exchange.more = {"blend": {"answer": found.answer or "none", **found.missing}}
        failed = next((one for one in ("replacement", "blend") if one in found.missing), "")
        if failed:
            reason = exchange.fallback = found.missing[failed]
            exchange.detail = found.detail[failed]
            if found.answer:
                self._counters.add("fallbacks", self._endpoint.name, reason)
            if reason != "abstained":
                self._say(reason, exchange.detail)
        elif found.missing:
            exchange.more["detail"] = found.detail["legacy"]

    async def _by_replacement(
        self, exchange: Exchange, request: Request, *, compare: bool
    ) -> Record:
        asked = time.monotonic()
        try:
            reply = await ask_replacement(
                self._endpoint, self._reserving(exchange, request), exchange.revision
            )
            exchange.took = time.monotonic() - asked
            self._observations.used(exchange.route, reply.usage)
            ok = reply.status == "ok"
            answer = encoded(self._endpoint, exchange.record, reply.payload) if ok else None
        except Exception as error:  # noqa: BLE001  # whatever it was, callers are answered
            return await self._fall_back(exchange, reason_of(error), error)
        if answer is None:
            return await self._fall_back(exchange, "abstained", None, reply)
        written = Write(lines=(exchange.line(Side.REPLACEMENT, "ok", reply),))
        try:
            await self._journal.commit(written)
        except StoreError as error:
            if not self._why_not(exchange, happened=True):
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
        *,
        asked: bool = True,
    ) -> Record:
        exchange.fallback = reason
        exchange.detail = _detail(error, reply)
        wrong = self._why_not(exchange, happened=may_have_happened(error, asked=asked))
        if not wrong:
            self._counters.add("fallbacks", self._endpoint.name, reason)
            if reason != "abstained":
                self._say(reason, exchange.detail)
            return await self._by_legacy(exchange, reply)
        exchange.detail = f"{exchange.detail}; legacy does not answer instead: {wrong}"
        self._counters.add("fallbacks_refused", self._endpoint.name, reason)
        self._observations.failed(exchange, reason)
        self._journal.append(Write(lines=(exchange.line(None, "error", reply),)))
        raise error or ContractError(
            f"the replacement is not sure, and {wrong}", place=f"endpoint.{self._endpoint.name}"
        )

    def _why_not(self, exchange: Exchange, *, happened: bool) -> str:
        return why_not(
            plan_of(exchange.route),
            self._endpoint.operation.effect,
            happened=happened,
            left=exchange.deadline - time.time(),
            stale=self._endpoint.config.fallback.stale,
        )

    def _reserving(self, exchange: Exchange, request: Request) -> Request:
        """Keep some of the caller's time for legacy, where it may be asked in the end."""
        reserve = self._endpoint.config.fallback.reserve
        if not reserve or not plan_of(exchange.route).fallback:
            return request
        return msgspec.structs.replace(request, deadline=exchange.deadline - reserve)

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
