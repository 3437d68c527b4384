"""Outcomes: what legacy itself decided, joined with the request that it was decided on."""

from __future__ import annotations

import time

from ..errors import ConfigError, FigError, InputError
from ..model import Delivery, Payload, Record, Settlement, Stage
from ..store.line import Line
from ..store.outcomes import Decided
from ..store.standing import Standing
from ..store.write import Write
from .endpoint import Endpoint
from .joining import Joined, join_outcome
from .ledger import DONE, Ledger, background, mark_of
from .observed import Observed
from .payloads import dumps
from .table import RouteTable
from .taken import Taken

__all__ = ["Outcomes"]


class Outcomes:
    """Takes the deliveries of an endpoint's outcome source, as ``Events`` takes its requests.

    Each is joined with a request once, also where it is delivered again and where several bridges
    are at it. ``consumer`` is the name of its inbox marks. Raises ``ConfigError`` where the
    endpoint declares no outcome.
    """

    def __init__(self, endpoint: Endpoint, table: RouteTable, ledger: Ledger) -> None:
        if endpoint.observed is None:
            raise ConfigError("declares no outcome", place=f"endpoint.{endpoint.name}")
        self.consumer = f"{endpoint.name}:outcome"
        self.endpoint = endpoint
        self._observed: Observed = endpoint.observed
        self._table = table
        self._ledger = ledger

    async def take(self, delivery: Delivery) -> Settlement:
        """Take one delivery; when this returns, its outcome is durable. Raises as ``begin``."""
        taken = await self.begin(delivery)
        await taken.durable
        return taken.settlement

    async def begin(self, delivery: Delivery) -> Taken:
        """Join one delivery and hand what it comes to to the journal.

        A record that is no decision, or not a new one, is done and leaves nothing. One that the
        mapping refuses is dead at once. Raises ``StoreUnavailable`` where nothing can be read or
        written: the delivery is to come again.
        """
        record = delivery.record
        try:
            answer = self._observed.decision(record)
            if answer is None:
                self._count("undecided")
                return Taken(DONE, self._ledger.nothing(self.consumer, record))
            known = await self._ledger.answered(self.consumer, delivery)
            if known is not None:
                return known
            key = self._observed.outcome_key(record)
        except InputError as error:
            dead = self._ledger.dead(self.consumer, self.endpoint, delivery, error)
            settlement = Settlement(outcome="dead", reason=str(error))
            return Taken(
                settlement,
                self._ledger.submit(Write(dead=dead, effects=self._ledger.also(delivery.record))),
            )
        return Taken(DONE, background(self._written(record, key, answer)))

    async def bury(
        self, delivery: Delivery, reason: str, error: BaseException | None = None
    ) -> None:
        """Keep a delivery that the bridge gives up, whole, with the reason."""
        cause = error or FigError(reason, place=f"endpoint.{self.endpoint.name}.outcome")
        dead = self._ledger.dead(self.consumer, self.endpoint, delivery, cause, reason=reason)
        await self._ledger.journal.commit(
            Write(dead=dead, effects=self._ledger.also(delivery.record))
        )

    async def _written(self, record: Record, key: str, answer: Payload) -> bool:
        """Join and write, however often others are first; count what it came to in the end."""
        seen = Decided(
            endpoint=self.endpoint.name,
            key=key,
            position=record.position,
            at=record.captured_at or time.time(),
            answer=dumps(answer),
            state="",
        )
        state = ""

        def decide(standing: Standing) -> Write:
            nonlocal state
            joined = self._joined(standing, seen)
            state = joined.state
            return Write(
                lines=joined.lines,
                observations=joined.observations,
                inbox=mark_of(self.consumer, record, {"outcome": "done", "state": state}),
                effects=(*joined.effects, *self._ledger.also(record)),
            )

        written = await self._ledger.write_on(self.endpoint.name, key, decide)
        if written:
            self._count(state)
        else:
            self._ledger.counters.add("duplicates", self.consumer)
        return written

    def _joined(self, standing: Standing, seen: Decided) -> Joined:
        if not seen.key:
            data = {"state": "unkeyed", "position": seen.position}
            line = Line(kind="outcome", endpoint=seen.endpoint, data=data)
            return Joined(state="unkeyed", lines=(line,))
        joined = join_outcome(self.endpoint, standing, seen)
        route = self._table.current(self.endpoint.name)
        if joined.state == "early" and (route.killed or route.stage is Stage.LEGACY):
            # No replacement is asked now, so no request comes that it could be joined with.
            return Joined(state="unasked")
        return joined

    def _count(self, state: str) -> None:
        self._ledger.counters.add("outcomes", self.endpoint.name, state)
