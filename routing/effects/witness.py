"""Legacy's own effects, as a source shows them: kept until they are held against intents."""

from __future__ import annotations

import time

from ...errors import FigError, InputError
from ...model import Delivery, Settlement, Stage
from ...store.outcomes import Decided, keep_outcome
from ...store.write import Write
from ..endpoint import Endpoint
from ..ledger import DONE, Ledger, mark_of
from ..payloads import dumps
from ..table import RouteTable
from ..taken import Taken
from .kind import Kind

__all__ = ["Witness"]


class Witness:
    """Takes the deliveries of a kind's source, as ``Outcomes`` takes those of an outcome's.

    ``consumer`` is the name of its inbox marks.
    """

    def __init__(self, endpoint: Endpoint, kind: Kind, table: RouteTable, ledger: Ledger) -> None:
        self.endpoint = endpoint
        self.consumer = kind.account
        self._kind = kind
        self._table = table
        self._ledger = ledger

    async def begin(self, delivery: Delivery) -> Taken:
        """Keep one delivery's effect. A record that is none is done, and leaves nothing.

        One that the mapping refuses is dead at once. Raises ``StoreUnavailable`` where nothing can
        be read or written: the delivery is to come again.
        """
        record, route = delivery.record, self._table.current(self.endpoint.name)
        try:
            found = self._kind.read(record)
            if found is None or route.killed or route.stage in (Stage.LEGACY, Stage.RETIRED):
                # Nobody is asked beside legacy now: there is nothing to hold it against.
                return Taken(DONE, self._ledger.nothing(self.consumer, record))
            known = await self._ledger.answered(self.consumer, delivery)
            if known is not None:
                return known
        except InputError as error:
            dead = self._ledger.dead(self.consumer, self.endpoint, delivery, error)
            settlement = Settlement(outcome="dead", reason=str(error))
            effects = self._ledger.also(record)
            return Taken(settlement, self._ledger.submit(Write(dead=dead, effects=effects)))
        key, payload = found
        seen = Decided(
            endpoint=self._kind.account,
            key=key,
            position=record.position,
            at=record.captured_at or time.time(),
            answer=dumps(payload),
            state="early" if key else "unkeyed",
        )
        self._ledger.counters.add("effects", self.endpoint.name, self._kind.name, "seen")
        write = Write(
            inbox=mark_of(self.consumer, record, {"outcome": "done", "state": seen.state}),
            effects=(keep_outcome(seen), *self._ledger.also(record)),
        )
        return Taken(DONE, self._ledger.submit(write))

    async def bury(
        self, delivery: Delivery, reason: str, error: BaseException | None = None
    ) -> None:
        """Keep a delivery that the bridge gives up, whole, with the reason."""
        cause = error or FigError(reason, place=f"endpoint.{self._kind.account}")
        dead = self._ledger.dead(self.consumer, self.endpoint, delivery, cause, reason=reason)
        await self._ledger.journal.commit(
            Write(dead=dead, effects=self._ledger.also(delivery.record))
        )
