"""Messages that are to leave: written with what decided them, and handed out under leases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select, update

from ..model import Headers, Outgoing
from . import link, tables
from .database import Database
from .effects import Effect
from .group import Inserts
from .line import Line

__all__ = ["HELD", "Leaving", "Outbox", "Waiting", "message_of", "send"]

HELD: Final = 1e18
"""``next_at`` of a message that nobody sends before a person has decided, and so are those behind
it under its key."""

_outbox = tables.outbox.c
_unsent = _outbox.sent_at.is_(None)


class Leaving(msgspec.Struct, frozen=True, kw_only=True):
    """A message under a lease. ``attempts`` counts this one too; ``error`` is the last one's.

    ``lost``: whoever had it before ended without a word, and may have sent it.
    """

    id: int
    message: Outgoing
    attempts: int
    error: str
    lost: bool


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for a destination: unsent messages, the held ones among them.

    ``oldest`` is when the oldest was written, in seconds since the epoch; 0.0 where none waits.
    """

    unsent: int = 0
    held: int = 0
    oldest: float = 0.0


def send(message: Outgoing, at: float) -> Effect:
    """Have a message leave once what it is written with is durable; once by destination and id."""
    values = (at, message.destination, message.message_id, message.key)
    return Effect("send", (*values, link.encode(message.headers), message.body))


class Outbox:
    """Hands out messages in the order in which they were written, per key one after the other.

    Blocks: an event loop calls it in a thread. Every method raises ``StoreUnavailable``; then
    nothing was changed. ``now`` is in seconds since the epoch.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._inserts = Inserts(database.engine)

    def claim(
        self, destination: str, token: str, *, now: float, lease: float, limit: int
    ) -> list[Leaving]:
        """Lease what may be sent now to ``token``, oldest first.

        Of a key all may come at once, in order; none while one of it waits for its time, is held or
        in other hands. Messages without a key have no order.
        """
        if not self._any(destination, now):
            return []
        with self._database.write() as connection:
            found = _heads(connection, destination, now, limit)
            ids = [row.id for row in found]
            if ids:
                leased = {
                    "lease_token": token,
                    "lease_until": now + lease,
                    "attempts": _outbox.attempts + 1,
                }
                connection.execute(update(tables.outbox).where(_outbox.id.in_(ids)).values(leased))
        return [_leaving(row) for row in found]

    def sent(self, token: str, ids: Sequence[int], *, now: float) -> int:
        """Mark as sent what is still leased to ``token``; give the number of those."""
        return self._end(token, ids, {"sent_at": now, "error": ""})

    def renew(self, token: str, ids: Sequence[int], *, until: float) -> int:
        """Prolong leases; give the number of those that were still held."""
        query = update(tables.outbox).where(_mine(token, ids)).values(lease_until=until)
        with self._database.write() as connection:
            return connection.execute(query).rowcount

    def put_back(self, token: str, ids: Sequence[int], *, next_at: float, error: str) -> int:
        """Give messages back, to be sent again at ``next_at``."""
        return self._end(token, ids, {"next_at": next_at, "error": error})

    def give_up(self, token: str, ids: Sequence[int]) -> int:
        """Give leases back that nothing was done under: the attempt does not count."""
        return self._end(token, ids, {"attempts": _outbox.attempts - 1})

    def hold(self, token: str, leaving: Leaving, *, error: str, now: float) -> int:
        """Send a message no more until a person has decided, with a journal line that says why."""
        message = leaving.message
        line = Line(
            kind="held",
            at=now,
            request_id=message.message_id,
            data={
                "destination": message.destination,
                "key": message.key,
                "attempts": leaving.attempts,
                "error": error,
            },
        )
        with self._database.write() as connection:
            ended = {"lease_token": None, "lease_until": None, "next_at": HELD, "error": error}
            query = update(tables.outbox).where(_mine(token, [leaving.id])).values(ended)
            count = connection.execute(query).rowcount
            if count:
                self._inserts.lines(connection, [link.row(line)])
        return count

    def waiting(self) -> dict[str, Waiting]:
        """Count what waits, by destination."""
        held = func.count().filter(_outbox.next_at >= HELD)
        query = (
            select(_outbox.destination, func.count(), held, func.min(_outbox.at))
            .where(_unsent)
            .group_by(_outbox.destination)
        )
        with self._database.read() as connection:
            return {
                name: Waiting(unsent=int(unsent), held=int(held), oldest=float(oldest))
                for name, unsent, held, oldest in connection.execute(query)
            }

    def _any(self, destination: str, now: float) -> bool:
        """Look without the store's one lock, which is there to be written under."""
        with self._database.read() as connection:
            return bool(_heads(connection, destination, now, 1))

    def _end(self, token: str, ids: Sequence[int], values: Mapping[str, object]) -> int:
        ended = {"lease_token": None, "lease_until": None, **values}
        with self._database.write() as connection:
            query = update(tables.outbox).where(_mine(token, ids)).values(ended)
            return connection.execute(query).rowcount


def _free(now: float) -> ColumnElement[bool]:
    unleased = or_(_outbox.lease_until.is_(None), _outbox.lease_until < now)
    return and_(_outbox.next_at <= now, unleased)


def _mine(token: str, ids: Sequence[int]) -> ColumnElement[bool]:
    return and_(_outbox.id.in_(ids), _outbox.lease_token == token, _unsent)


def _heads(
    connection: Connection, destination: str, now: float, limit: int
) -> list[Row[tuple[object, ...]]]:
    """Give what may leave: unsent, free, and of a key of which nothing is kept back."""
    mine = and_(_outbox.destination == destination, _unsent)
    kept_back = or_(_outbox.next_at > now, _outbox.lease_until >= now)
    blocked = select(_outbox.key).where(mine, kept_back, _outbox.key != "")
    query = (
        select(tables.outbox)
        .where(mine, _free(now), _outbox.key.not_in(blocked.correlate(None)))
        .order_by(_outbox.id)
        .limit(limit)
    )
    return list(connection.execute(query))


def _leaving(row: Row[tuple[object, ...]]) -> Leaving:
    fields = row._mapping  # noqa: SLF001 SQLAlchemy's public way to a row by names
    return Leaving(
        id=fields["id"],
        message=message_of(dict(fields)),
        attempts=fields["attempts"] + 1,
        error=fields["error"],
        lost=fields["lease_token"] is not None,
    )


def message_of(fields: Mapping[str, Any]) -> Outgoing:
    """Read the message of a row of the table, by its columns' names."""
    return Outgoing(
        destination=fields["destination"],
        message_id=fields["message_id"],
        key=fields["key"],
        headers=msgspec.json.decode(fields["headers"], type=Headers),
        body=bytes(fields["body"]),
    )
