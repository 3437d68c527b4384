"""An event: a record that nobody waits for."""

from __future__ import annotations

import time

import msgspec

from ..errors import ContractError, FigError, InputError
from ..model import Comparison, Delivery, Outgoing, Reply, Request, Settlement, Side, Stage
from ..store.awaited import Awaiting
from ..store.effects import Effect
from ..store.line import Line
from ..store.standing import Standing
from ..store.write import Write
from .asking import ask_replacement, reason_of
from .effects.intents import told
from .endpoint import Endpoint
from .exchange import Exchange
from .joining import Joined, join_request
from .ledger import DONE, Ledger, background, mark_of
from .pair import Pair, compared
from .pending import Pending
from .router import Decision
from .sending import intent, message, sending
from .shadow import refused
from .table import RouteTable
from .taken import Taken

__all__ = ["Events"]


class Events:
    """Takes an endpoint's deliveries: the bridge calls ``begin`` and settles what it returns.

    Legacy's own decision stands in the record, or appears later where the endpoint declares an
    outcome. Beyond the legacy stage the replacement's is held against it; where the replacement
    decides, its decision is sent to where the endpoint says, and once legacy is retired it stands
    alone. ``consumer`` is the name of its inbox marks.
    """

    def __init__(self, endpoint: Endpoint, table: RouteTable, ledger: Ledger) -> None:
        self.endpoint = endpoint
        self.consumer = endpoint.name
        self._table = table
        self._ledger = ledger

    async def take(self, delivery: Delivery) -> Settlement:
        """Take one delivery; when this returns, its outcome is durable. Raises as ``begin``."""
        taken = await self.begin(delivery)
        await taken.durable
        return taken.settlement

    async def begin(self, delivery: Delivery) -> Taken:
        """Decide one delivery and hand its outcome to the journal.

        One that was taken before is done without asking anybody. A record that the mapping refuses,
        or that comes with another body under an id that is known, is dead at once. Raises
        ``ReplacementError`` where the replacement cannot answer and ``StoreUnavailable`` where
        nothing can be read or written: the delivery is to come again.
        """
        try:
            if not delivery.fresh:
                known = await self._ledger.answered(self.consumer, delivery)
                if known is not None:
                    return known
            return await self._begun(delivery)
        except InputError as error:
            dead = self._ledger.dead(
                self.consumer, self.endpoint, delivery, error, self._revision()
            )
            settlement = Settlement(outcome="dead", reason=str(error))
            # No inbox mark: a dead letter may be replayed when its cause is mended.
            return Taken(
                settlement,
                self._ledger.submit(Write(dead=dead, effects=self._ledger.also(delivery.record))),
            )

    async def bury(
        self, delivery: Delivery, reason: str, error: BaseException | None = None
    ) -> None:
        """Keep a delivery that the bridge gives up, whole, with the reason."""
        cause = error or FigError(reason, place=f"endpoint.{self.endpoint.name}")
        dead = self._ledger.dead(
            self.consumer, self.endpoint, delivery, cause, self._revision(), reason
        )
        await self._ledger.journal.commit(
            Write(dead=dead, effects=self._ledger.also(delivery.record))
        )

    async def _begun(self, delivery: Delivery) -> Taken:
        record = delivery.record
        route = self._table.current(self.endpoint.name)
        exchange = Exchange(record, route, route.revision)
        if route.killed or route.stage is Stage.LEGACY:
            return self._written(exchange, (exchange.line(Side.LEGACY, "ok"),))
        request = exchange.request = self.endpoint.request(record)
        decision = self.endpoint.router.decide(route, request)
        exchange.rule = decision.rule
        shadow = decision.side is Side.LEGACY
        ledger = self._ledger
        reason = (
            refused(self.endpoint, route, request, ledger.observations, ledger.counters)
            if shadow
            else ""
        )
        if reason:
            exchange.more["shadow"] = reason
            ledger.observations.event(exchange, decision.side)
            return self._written(exchange, (exchange.line(Side.LEGACY, "ok"),))
        reply = await self._ask(exchange, request, shadow=shadow)
        sent = self._decided(exchange, decision, request, reply)
        intents = self._told(exchange, request, reply, shadow=shadow)
        self._ledger.observations.event(exchange, decision.side)
        lines = (exchange.line(exchange.decided, "ok", reply),)
        effects = intents if sent is None else (sending(sent), *intents)
        if decision.compare:
            write = Write(lines=lines, effects=effects)
            taken = await self._beside(exchange, write, reply, sent=sent is not None)
        else:
            taken = self._written(exchange, lines, effects)
        if sent is not None:
            self._ledger.tell_of(sent.destination, taken.durable)
        return taken

    async def _ask(self, exchange: Exchange, request: Request, *, shadow: bool) -> Reply:
        observations = self._ledger.observations
        if shadow:
            request = msgspec.structs.replace(request, shadow=True)
        try:
            reply = await ask_replacement(self.endpoint, request, exchange.revision)
        except FigError as error:
            observations.failed(exchange, reason_of(error))
            raise
        observations.used(exchange.route, reply.usage, shadow=True, spends=shadow)
        return reply

    def _told(
        self, exchange: Exchange, request: Request, reply: Reply, *, shadow: bool
    ) -> tuple[Effect, ...]:
        """Say in the line what the reply would do, or did; give the rows that wait for legacy's."""
        found = told(
            self.endpoint,
            request,
            reply,
            exchange.revision,
            self._ledger.counters,
            awaits=shadow,
        )
        if found.shown:
            exchange.more["intents" if shadow else "effects"] = found.shown
        return found.effects

    async def _beside(self, exchange: Exchange, write: Write, reply: Reply, *, sent: bool) -> Taken:
        """Take one where the replacement's side is held against legacy's, now or later."""
        if self.endpoint.observed is not None:
            return Taken(DONE, background(self._await(exchange, write, reply, sent=sent)))
        observations, lines = await self._compared(exchange, reply)
        return self._written(exchange, (*write.lines, *lines), write.effects, observations)

    def _decided(
        self, exchange: Exchange, decision: Decision, request: Request, reply: Reply
    ) -> Outgoing | None:
        """Say in the exchange who decided; give what is to be sent, None where nothing is."""
        sends = bool(self.endpoint.config.send)
        if reply.status == "abstained":
            if not decision.compare:
                raise ContractError(
                    "the replacement is not sure, and legacy is retired",
                    place=f"endpoint.{self.endpoint.name}",
                    value=reply.reason,
                    remedy="decide it by hand; it is kept whole as a dead letter",
                )
            if sends and decision.side is Side.REPLACEMENT:
                exchange.fallback, exchange.detail = "abstained", reply.reason
                self._ledger.counters.add("fallbacks", self.endpoint.name, "abstained")
            return None
        if not sends:
            if not decision.compare:
                exchange.decided, exchange.answer = Side.REPLACEMENT, reply.payload
            return None
        if decision.side is Side.LEGACY:
            exchange.more["intent"] = self._intent(exchange, request, reply)
            return None
        exchange.decided = Side.REPLACEMENT
        one = message(self.endpoint, request, exchange.route, reply)
        exchange.more["sent"] = intent(one)
        return one

    def _intent(self, exchange: Exchange, request: Request, reply: Reply) -> dict[str, object]:
        """Say what would have been sent; where it could not be, that is seen before it matters."""
        try:
            return intent(message(self.endpoint, request, exchange.route, reply))
        except FigError as error:
            return {"to": self.endpoint.config.send, "error": str(error)}

    async def _compared(
        self, exchange: Exchange, reply: Reply
    ) -> tuple[tuple[Comparison, ...], tuple[Line, ...]]:
        """Hold the replacement's decision against the one that stands in the record."""
        if exchange.request is None:
            return (), ()
        pair = Pair(
            endpoint=self.endpoint,
            request=exchange.request,
            revision=exchange.revision,
            legacy=exchange.record,
            replacement=reply,
        )
        beside = await compared(pair)
        for seen in beside.observations:
            self._ledger.counters.add("shadow_pairs", self.endpoint.name, seen.winner)
        return beside.observations, beside.lines

    async def _await(self, exchange: Exchange, write: Write, reply: Reply, *, sent: bool) -> bool:
        """Keep the replacement's side until legacy has decided, unless it has already."""
        asked = self._asked(exchange, reply, sent=sent)
        state = ""

        def decide_on(standing: Standing) -> Write:
            nonlocal state
            joined = (
                join_request(self.endpoint, standing, asked)
                if asked.key
                else Joined(state="unkeyed", lines=(_unkeyed(asked),))
            )
            state = joined.state
            return self._marked(
                exchange,
                (*write.lines, *joined.lines),
                (*write.effects, *joined.effects),
                joined.observations,
            )

        written = await self._ledger.write_on(self.endpoint.name, asked.key, decide_on)
        if written and state != "waiting":
            self._ledger.counters.add("outcomes", self.endpoint.name, state)
        if not written:
            self._ledger.counters.add("duplicates", self.consumer)
        return written

    def _asked(self, exchange: Exchange, reply: Reply, *, sent: bool) -> Awaiting:
        request, observed = exchange.request, self.endpoint.observed
        if request is None or observed is None:
            raise ContractError("nothing is awaited", place=f"endpoint.{self.endpoint.name}")
        at = exchange.record.captured_at or time.time()
        pending = Pending.of(self.endpoint, request, exchange.revision, reply, sent=sent)
        return Awaiting(
            endpoint=self.endpoint.name,
            key=observed.request_key(request),
            request_id=request.id,
            at=at,
            until=at + observed.config.within,
            pair=pending.text(),
        )

    def _written(
        self,
        exchange: Exchange,
        lines: tuple[Line, ...],
        effects: tuple[Effect, ...] = (),
        observations: tuple[Comparison, ...] = (),
    ) -> Taken:
        write = self._marked(exchange, lines, effects, observations)
        return Taken(DONE, self._ledger.submit(write))

    def _marked(
        self,
        exchange: Exchange,
        lines: tuple[Line, ...],
        effects: tuple[Effect, ...],
        observations: tuple[Comparison, ...],
    ) -> Write:
        """Give a write with the mark that its record was taken, and what is written with each."""
        record = exchange.record
        result = {"outcome": "done", "decided": exchange.decided.value, **exchange.more}
        return Write(
            lines=lines,
            observations=observations,
            inbox=mark_of(self.consumer, record, result),
            effects=(*effects, *self._ledger.also(record)),
        )

    def _revision(self) -> str:
        return self._table.current(self.endpoint.name).revision


def _unkeyed(asked: Awaiting) -> Line:
    return Line(
        kind="outcome",
        endpoint=asked.endpoint,
        request_id=asked.request_id,
        data={"state": "unkeyed"},
    )
