"""An event: a record that nobody waits for, and that legacy has already decided."""

from __future__ import annotations

import time
from hashlib import sha256

from ..errors import InputError
from ..model import Delivery, Settlement, Side, Stage
from ..store.write import DeadLetter, InboxMark, Write
from .asking import ask_replacement
from .endpoint import Endpoint
from .exchange import Exchange
from .shadow import Pair, compared
from .table import RouteTable

__all__ = ["Events"]


class Events:
    """Takes an endpoint's deliveries: the bridge calls ``take`` and settles after the commit.

    Legacy's own decision stands in the record; beyond the legacy stage the replacement's is
    journalled beside it.
    """

    def __init__(self, endpoint: Endpoint, table: RouteTable) -> None:
        self._endpoint = endpoint
        self._table = table

    async def take(self, delivery: Delivery) -> tuple[Write, Settlement]:
        """Do all but the commit: give what is to be durable before the delivery is settled.

        A record that the mapping refuses is dead at once. Raises ``ReplacementError`` where the
        replacement cannot answer: the delivery is to come again.
        """
        record = delivery.record
        route = self._table.current(self._endpoint.name)
        exchange = Exchange(record, route, route.revision)
        mark = InboxMark(
            consumer=self._endpoint.name,
            message_id=record.position,
            payload_hash=sha256(record.body).hexdigest(),
        )
        if route.killed or route.stage is Stage.LEGACY:
            line = exchange.line(Side.LEGACY, "ok")
            return Write(lines=(line,), inbox=mark), Settlement(outcome="done")
        try:
            exchange.request = self._endpoint.request(record)
        except InputError as error:
            return _dead(delivery, error, self._endpoint.name)
        line = exchange.line(Side.LEGACY, "ok")
        reply = await ask_replacement(self._endpoint, exchange.request, exchange.revision)
        pair = Pair(
            endpoint=self._endpoint,
            request=exchange.request,
            revision=exchange.revision,
            legacy=record,
            replacement=reply,
        )
        beside = await compared(pair)
        write = Write(lines=(line, *beside.lines), observations=beside.observations, inbox=mark)
        return write, Settlement(outcome="done")


def _dead(delivery: Delivery, error: InputError, endpoint: str) -> tuple[Write, Settlement]:
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
    write = Write(dead=letter)
    return write, Settlement(outcome="dead", reason=str(error))
