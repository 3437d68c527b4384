"""What those who take deliveries share: what was taken before, how keys stand, and the journal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from typing import Final, TypeVar

import msgspec

from ..errors import Conflict, Overtaken
from ..model import Delivery, Record, Settlement
from ..store.effects import Effect
from ..store.group import Outcome
from ..store.known import Known, Mark
from ..store.standing import Standing, Standings
from ..store.store import Store
from ..store.write import DeadLetter, InboxMark, Write
from ..telemetry import Counters
from .bundle import Bundle, Bundler, Share
from .endpoint import Endpoint
from .guardrails.observations import Observations
from .letters import letter
from .lookup import Lookup
from .taken import Taken

__all__ = ["DONE", "Also", "Ledger", "background", "digest", "mark_of", "resolved"]

DONE: Final = Settlement(outcome="done")

Also = Callable[[Record], Sequence[Effect]]
"""What else is written with whatever a record comes to, such as its newest image."""

_Done = TypeVar("_Done")
_TRIES: Final = 50

_PATIENCE: Final = 5.0
"""Seconds that a delivery waits for the journal. Nobody waits for its answer, as at a facade: on a
busy disk it had rather take longer than have all stand still and come again."""


class Ledger:
    """Built once a process, by ``deciding.takers``; used by ``Events`` and ``Outcomes``.

    ``also`` gives effects that are written with what a record comes to. ``sent`` is told, on the
    event loop, of each destination that a message waits for. ``observations`` are told what the
    replacement answers and where it fails.
    """

    def __init__(
        self,
        store: Store,
        counters: Counters | None = None,
        *,
        also: Also | None = None,
        sent: Callable[[str], None] | None = None,
        observations: Observations | None = None,
    ) -> None:
        self.observations = observations or Observations()
        self.journal = store.journal
        self._sent = sent
        self.counters = counters or Counters()
        self._also = also
        self._bundler = Bundler(store.journal, _PATIENCE)
        self._known: Lookup[tuple[str, str], Mark] = Lookup(Known(store.database).read)
        self._standings: Lookup[tuple[str, str], Standing] = Lookup(Standings(store.database).read)

    def also(self, record: Record) -> tuple[Effect, ...]:
        """Give what else is to be written with what a record comes to."""
        return () if self._also is None else tuple(self._also(record))

    def tell_of(self, destination: str, durable: asyncio.Future[bool] | Share) -> None:
        """Have whoever sends there told once a message is durable."""
        told = self._sent
        if told is None:
            return
        if isinstance(durable, Share):
            at = durable.at
            durable.bundle.outcomes.add_done_callback(
                lambda done: (
                    told(destination) if _made(done) and done.result()[at] is True else None
                )
            )
        else:
            durable.add_done_callback(
                lambda done: told(destination) if _made(done) and done.result() else None
            )

    def nothing(self, consumer: str, record: Record) -> asyncio.Future[bool] | Share:
        """Give the future of a record that comes to nothing but what is written with every one."""
        effects = self.also(record)
        if not effects:
            return resolved()
        mark = mark_of(consumer, record, {"outcome": "done"})
        return self.submit(Write(inbox=mark, effects=effects))

    async def answered(self, consumer: str, delivery: Delivery) -> Taken | None:
        """Answer a delivery that was taken before; None where it was not.

        A mark is only ever set on what came to a good end, so that is what it answers.

        Raises ``Conflict`` where its id came before with another body, ``StoreUnavailable``.
        """
        if delivery.fresh:
            return None
        record = delivery.record
        mark = await self._known.get((consumer, record.position))
        if mark is None:
            return None
        if mark.payload_hash != digest(record):
            raise Conflict(
                "a message came again under its id with other bytes",
                place=f"inbox of {consumer}: message {record.position}",
                value=f"payload hash {digest(record)}",
                expected=f"payload hash {mark.payload_hash}",
                remedy="ask the sender which of the two holds",
            )
        self.counters.add("duplicates", consumer)
        return Taken(DONE, resolved(written=False))

    async def took(self, consumer: str, record: Record) -> bool:
        """Say whether a record was taken, with this very body. Raises ``StoreUnavailable``."""
        mark = await self._known.get((consumer, record.position))
        return mark is not None and mark.payload_hash == digest(record)

    def dead(
        self,
        consumer: str,
        endpoint: Endpoint,
        delivery: Delivery,
        error: BaseException,
        revision: str = "",
        reason: str = "",
    ) -> DeadLetter:
        """Make the dead letter of a delivery, and count it where it is quarantined."""
        if isinstance(error, Conflict):
            self.counters.add("quarantined", consumer)
        return letter(endpoint, delivery, error, revision, reason)

    def submit(self, write: Write) -> Share:
        """Hand a write to the journal, with others. Raises as ``Journal.prepare``."""
        share = self._bundler.add(self.journal.prepare(write))
        if not share.at:
            bundle = share.bundle
            bundle.outcomes.add_done_callback(lambda done: self._count(bundle, done))
        return share

    def write_on(
        self, endpoint: str, key: str, decide: Callable[[Standing], Write]
    ) -> asyncio.Future[bool]:
        """Write what is decided on how a key stands; again where it stood otherwise meanwhile.

        The future fails as ``Journal.commit`` does.
        """
        return background(self._write_on(endpoint, key, decide))

    async def _write_on(self, endpoint: str, key: str, decide: Callable[[Standing], Write]) -> bool:
        for left in reversed(range(_TRIES)):
            standing = await self._standings.get((endpoint, key))
            write = decide(standing or Standing(endpoint=endpoint, key=key))
            if standing is not None:
                write = msgspec.structs.replace(write, expect=standing.expect)
            try:
                return await self.journal.commit(write)
            except Overtaken:
                if not left:
                    raise
        raise AssertionError

    def _count(self, bundle: Bundle, done: asyncio.Future[Sequence[Outcome]]) -> None:
        """Count those that turned out to be known. What failed is told to whoever waits."""
        if not _made(done) or False not in done.result():
            return
        for content, outcome in zip(bundle.contents, done.result(), strict=True):
            if outcome is False and content.mark is not None:
                self.counters.add("duplicates", content.mark[0])


def digest(record: Record) -> str:
    """Give the digest by which a message is known again."""
    return sha256(record.body).hexdigest()


def mark_of(consumer: str, record: Record, result: dict[str, object]) -> InboxMark:
    """Make the mark that a record was taken, with what it came to."""
    text = msgspec.json.encode(result).decode()
    return InboxMark(consumer, record.position, digest(record), text)


def resolved(*, written: bool = True) -> asyncio.Future[bool]:
    """Give the future of something that is durable already; ``written``: by this delivery."""
    future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    future.set_result(written)
    return future


def background(work: Awaitable[bool]) -> asyncio.Future[bool]:
    """Start work whose end is waited for elsewhere, or by nobody."""
    task = asyncio.ensure_future(work)
    # Whoever waits hears of a failure; where nobody does any more, it is no news either.
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task


def _made(done: asyncio.Future[_Done]) -> bool:
    return not done.cancelled() and done.exception() is None
