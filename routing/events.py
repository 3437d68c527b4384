"""An event: a record that nobody waits for, and that legacy has already decided."""

from __future__ import annotations

import time
from hashlib import sha256

from ..errors import ContractError, FigError, InputError
from ..model import Delivery, Reply, Settlement, Side, Stage
from ..store.journal import Journal
from ..store.line import Line
from ..store.write import DeadLetter, InboxMark, Write
from .asking import ask_replacement
from .endpoint import Endpoint
from .exchange import Exchange
from .router import decide
from .shadow import Pair, compared
from .table import RouteTable
from .taken import Taken

__all__ = ["Events"]

_DONE = Settlement(outcome="done")


class Events:
    """Takes an endpoint's deliveries: the bridge calls ``begin`` and settles what it returns.

    Legacy's own decision stands in the record; beyond the legacy stage the replacement's is
    journalled beside it, and once legacy is retired, alone.
    """

    def __init__(self, endpoint: Endpoint, table: RouteTable, journal: Journal) -> None:
        self._endpoint = endpoint
        self._table = table
        self._journal = journal

    async def take(self, delivery: Delivery) -> Settlement:
        """Take one delivery; when this returns, its outcome is durable. Raises as ``begin``."""
        taken = await self.begin(delivery)
        await taken.durable
        return taken.settlement

    async def begin(self, delivery: Delivery) -> Taken:
        """Decide one delivery and hand its outcome to the journal.

        A record that the mapping refuses is dead at once. Raises ``ReplacementError`` where the
        replacement cannot answer and ``StoreUnavailable`` where nothing can be written: the
        delivery is to come again.
        """
        try:
            write, settlement = await self._outcome(delivery), _DONE
        except InputError as error:
            write, settlement = _dead(delivery, error)
        # Where its inbox mark was there before, nothing is written again: it is done.
        return Taken(settlement, self._journal.submit(write))

    async def bury(
        self, delivery: Delivery, reason: str, cause: BaseException | None = None
    ) -> None:
        """Keep a delivery that the bridge gives up, whole, with the reason and what caused it."""
        error = FigError(reason, place=f"endpoint.{self._endpoint.name}")
        error.__cause__ = cause
        await self._journal.commit(_dead(delivery, error)[0])

    async def _outcome(self, delivery: Delivery) -> Write:
        record = delivery.record
        route = self._table.current(self._endpoint.name)
        exchange = Exchange(record, route, route.revision)
        mark = InboxMark(
            consumer=self._endpoint.name,
            message_id=record.position,
            payload_hash=sha256(record.body).hexdigest(),
        )
        if route.killed or route.stage is Stage.LEGACY:
            return Write(lines=(exchange.line(Side.LEGACY, "ok"),), inbox=mark)
        request = exchange.request = self._endpoint.request(record)
        reply = await ask_replacement(self._endpoint, request, exchange.revision)
        if not decide(route, request.key).compare:
            return Write(lines=(self._alone(exchange, reply),), inbox=mark)
        pair = Pair(
            endpoint=self._endpoint,
            request=request,
            revision=exchange.revision,
            legacy=record,
            replacement=reply,
        )
        beside = await compared(pair)
        lines = (exchange.line(Side.LEGACY, "ok", reply), *beside.lines)
        return Write(lines=lines, observations=beside.observations, inbox=mark)

    def _alone(self, exchange: Exchange, reply: Reply) -> Line:
        """Give the line of a record that the replacement alone decided."""
        if reply.status == "abstained":
            raise ContractError(
                "the replacement is not sure, and legacy is retired",
                place=f"endpoint.{self._endpoint.name}",
                value=reply.reason,
                remedy="decide it by hand; it is kept whole as a dead letter",
            )
        exchange.decided, exchange.answer = Side.REPLACEMENT, reply.payload
        return exchange.line(Side.REPLACEMENT, "ok", reply)


def _dead(delivery: Delivery, error: FigError) -> tuple[Write, Settlement]:
    # No inbox mark: a dead letter may be replayed when its cause is mended.
    record = delivery.record
    letter = DeadLetter(
        source=record.source,
        position=record.position,
        reason=error.message,
        record=record,
        error=error.as_dict(),
        attempts=delivery.attempt,
        at=time.time(),
    )
    return Write(dead=letter), Settlement(outcome="dead", reason=str(error))
