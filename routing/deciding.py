"""Who takes what a source sends: events, outcomes, or several of both."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import cache
from typing import Final, Protocol

from .. import config
from ..errors import ConfigError
from ..model import Delivery, Record, Settlement
from ..store.store import Store
from ..telemetry import Counters
from .effects.witness import Witness
from .endpoint import Endpoint
from .events import Events
from .guardrails.observations import Observations
from .ledger import DONE, Also, Ledger, background
from .outcomes import Outcomes
from .table import RouteTable
from .taken import Taken

__all__ = ["Deciding", "Taker", "is_request", "takers"]

_INSERTS: Final = frozenset({"insert"})
_HISTORY: Final = ("read", "reconcile")
"""Rows that were there already: they came to be by inserts."""


class Taker(Protocol):
    """One that takes deliveries under a name of its own."""

    consumer: str
    endpoint: Endpoint

    def begin(self, delivery: Delivery) -> Awaitable[Taken]:
        """Decide a delivery and hand its outcome to the journal."""

    async def bury(
        self, delivery: Delivery, reason: str, error: BaseException | None = None
    ) -> None:
        """Keep a delivery that the bridge gives up, whole, with the reason."""


class Deciding:
    """Hands each delivery of one source to all that it is for. The bridge calls it.

    Each has its own mark in the inbox: where one fails, the delivery comes again, and the others
    know that they took it.
    """

    def __init__(self, source: str, ledger: Ledger) -> None:
        self._consumer = f"{source}:nobody"
        self._ledger = ledger
        self._events: list[Events] = []
        self._outcomes: list[Outcomes | Witness] = []

    def add(self, taker: Events | Outcomes | Witness) -> None:
        """Have one more take this source's deliveries."""
        if isinstance(taker, Events):
            self._events.append(taker)
        else:
            self._outcomes.append(taker)

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Name the endpoints that it feeds, each once."""
        both: list[Taker] = [*self._events, *self._outcomes]
        return tuple(dict.fromkeys(one.endpoint.name for one in both))

    def begin(self, delivery: Delivery) -> Awaitable[Taken]:
        """Let all take it; durable as soon as it is for each of them.

        It is dead where one of them refuses it, and kept in that one's name. Raises what the first
        of them raises, when all have come to an end.
        """
        wanted = self._wanted(delivery.record)
        return wanted[0].begin(delivery) if len(wanted) == 1 else self._begin_all(wanted, delivery)

    async def _begin_all(self, wanted: Sequence[Taker], delivery: Delivery) -> Taken:
        if not wanted:
            return Taken(DONE, self._ledger.nothing(self._consumer, delivery.record))
        begun = await asyncio.gather(
            *(one.begin(delivery) for one in wanted), return_exceptions=True
        )
        taken = [one for one in begun if isinstance(one, Taken)]
        durable = background(_all([one.durable for one in taken]))
        for one in begun:
            if isinstance(one, BaseException):
                # What the others wrote stays: they know it again when the delivery comes again.
                await asyncio.wait([durable])
                raise one
        return Taken(_worst([one.settlement for one in taken]), durable)

    async def bury(
        self, delivery: Delivery, reason: str, error: BaseException | None = None
    ) -> None:
        """Keep a delivery that the bridge gives up, in the name of each that has not taken it."""
        wanted = self._wanted(delivery.record)
        left = [one for one in wanted if not await self._ledger.took(one.consumer, delivery.record)]
        for one in left or wanted[:1]:
            await one.bury(delivery, reason, error)

    def _wanted(self, record: Record) -> list[Taker]:
        asked = [one for one in self._events if is_request(one.endpoint.config, record)]
        return [*asked, *self._outcomes]


def takers(
    endpoints: Iterable[Endpoint],
    table: RouteTable,
    store: Store,
    counters: Counters | None = None,
    *,
    also: Also | None = None,
    sent: Callable[[str], None] | None = None,
    observations: Observations | None = None,
) -> dict[str, Deciding]:
    """Give what takes each source's deliveries, by the source's name. Called once, at start.

    ``also`` gives effects that are written with whatever a record comes to; ``sent`` is told of
    each destination that a message waits for. Raises ``ConfigError`` where two endpoints would
    send messages under one id.
    """
    ledger = Ledger(store, counters, also=also, sent=sent, observations=observations)
    found: dict[str, Deciding] = {}
    senders: dict[tuple[str, str], str] = {}
    for endpoint in endpoints:
        source, to = endpoint.config.listen.source, endpoint.config.send
        if source:
            found.setdefault(source, Deciding(source, ledger)).add(Events(endpoint, table, ledger))
            if to and senders.setdefault((source, to), endpoint.name) != endpoint.name:
                raise ConfigError(
                    "two endpoints of one source send to one place: their ids would be the same",
                    place=f"endpoint.{endpoint.name}.send",
                    value=to,
                    expected=f"another place than that of endpoint.{senders[source, to]}",
                )
        for kind in endpoint.kinds.values():
            if kind.seen:
                shows = kind.rules.source
                witness = Witness(endpoint, kind, table, ledger)
                found.setdefault(shows, Deciding(shows, ledger)).add(witness)
        observed = endpoint.observed
        if observed is not None:
            decides = observed.config.source
            taker = Outcomes(endpoint, table, ledger)
            found.setdefault(decides, Deciding(decides, ledger)).add(taker)
    return found


def is_request(endpoint: config.Endpoint, record: Record) -> bool:
    """Say whether a record of an endpoint's source is a request to it.

    ``listen.operation`` names the operations that are, divided by commas. Where it names none, all
    are; but inserts only where legacy's decision appears in the same source, for it is an update.
    """
    op = record.header("op")
    if op is None:
        return True
    named = _named(endpoint.listen.operation)
    if not named:
        outcome = endpoint.outcome
        if outcome is None or outcome.source != endpoint.listen.source:
            return True
        named = _INSERTS
    return op in named or (op in _HISTORY and "insert" in named)


@cache
def _named(operations: str) -> frozenset[str]:
    return frozenset(one.strip() for one in operations.split(",") if one.strip())


async def _all(durable: Sequence[Awaitable[bool]]) -> bool:
    done = await asyncio.gather(*durable)
    return any(done)


def _worst(settlements: Sequence[Settlement]) -> Settlement:
    dead = [one for one in settlements if one.outcome == "dead"]
    if not dead:
        return DONE
    return Settlement(outcome="dead", reason="; ".join(one.reason for one in dead))
