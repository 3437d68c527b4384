"""Which events of a SQLite database may be claimed, found without a lock."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import and_, case, exists, literal_column, or_, select, text, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.elements import ColumnElement

from ..dialect import Claim, Event
from ..events import EVENTS, SUSPECT
from .shared import HISTORY, LIVE

__all__ = ["Heads"]

_WINDOW: Final = 1_000
_WINDOWS: Final = 4


class Heads:
    """The heads of keys, live ones first; it remembers how far its walks came."""

    def __init__(self) -> None:
        self._live, self._history = _Walk(LIVE), _Walk(HISTORY)

    def claim(self, connection: Connection, claim: Claim) -> list[Event]:
        """Look for heads; take the write lock only where there are some."""
        ids = _suspect(connection, claim) if claim.suspects else []
        for look in (self._live.heads, _before_live, self._history.heads):
            if len(ids) < claim.limit:
                # A step may give again what one before it gave.
                found = look(connection, claim, claim.limit - len(ids))
                ids += [event_id for event_id in found if event_id not in ids]
        return _lease(connection, claim, ids) if ids else []


class _Walk:
    """Goes over the waiting events of one priority, in windows.

    A key with very many waiting rows fills the oldest window but has one head: so each call goes on
    from where the last one stopped, and no key starves behind a deep one, nor costs a walk over
    everything (NOT EXISTS over all rows: 1.5 s for one deep key of 200,000).
    """

    def __init__(self, which: str) -> None:
        self._which = which
        self._at = 0

    def heads(self, connection: Connection, claim: Claim, limit: int) -> list[int]:
        """Give claimable heads from the oldest window, then from a few further ones."""
        found, end = self._window(connection, claim, 0, limit)
        if len(found) >= limit or end is None:
            self._at = 0
            return found
        self._at = max(self._at, end)
        for _ in range(_WINDOWS):
            more, end = self._window(connection, claim, self._at, limit - len(found))
            found += more
            full = len(found) >= limit
            self._at = more[-1] if full else end or 0
            if full or not self._at:
                break
        return found

    def _window(
        self, connection: Connection, claim: Claim, after: int, limit: int
    ) -> tuple[list[int], int | None]:
        """Give heads among the next waiting rows, and the last of these where a window is full."""
        columns = EVENTS.c
        waiting = (
            columns.source == claim.source,
            columns.done_at.is_(None),
            columns.id > after,
            text(self._which),
        )
        last = select(columns.id).where(*waiting).order_by(columns.id).limit(1).offset(_WINDOW - 1)
        end = connection.execute(last).scalar()
        heads = select(columns.id).where(*waiting, columns.lost < SUSPECT)
        if end is not None:
            heads = heads.where(columns.id <= end)
        heads = heads.where(*_claimable(columns, claim)).order_by(columns.id).limit(limit)
        return list(connection.execute(heads).scalars()), end


def _before_live(connection: Connection, claim: Claim, limit: int) -> list[int]:
    """Give history that holds live events of its key back, so that those need not wait for all."""
    columns = EVENTS.c
    live = EVENTS.alias("live")
    oldest = (
        select(live.c.key, live.c.id)
        .where(live.c.source == claim.source, live.c.done_at.is_(None), text("live." + LIVE))
        .order_by(live.c.id)
        .limit(_WINDOW)
        .subquery()
    )
    held = (
        select(columns.id)
        .join(oldest, and_(columns.key == oldest.c.key, columns.id < oldest.c.id))
        .where(columns.source == claim.source, columns.done_at.is_(None))
        .where(columns.priority > 0, columns.lost < SUSPECT, *_claimable(columns, claim))
        .distinct()
        .limit(limit)
    )
    return list(connection.execute(held).scalars())


def _suspect(connection: Connection, claim: Claim) -> list[int]:
    columns = EVENTS.c
    oldest = (
        select(columns.id)
        .where(columns.source == claim.source, columns.done_at.is_(None))
        .where(columns.lost >= literal_column(str(SUSPECT)))  # as the index has it
        .where(*_claimable(columns, claim))
        .order_by(columns.id)
        .limit(1)
    )
    return list(connection.execute(oldest).scalars())


def _lease(connection: Connection, claim: Claim, ids: Iterable[int]) -> list[Event]:
    columns = EVENTS.c
    statement = (
        update(EVENTS)
        .where(columns.id.in_(list(ids)), columns.done_at.is_(None), *_claimable(columns, claim))
        .values(
            lease_token=claim.token,
            lease_until=claim.until,
            attempts=columns.attempts + 1,
            lost=columns.lost + case((columns.lease_token.is_(None), 0), else_=1),
        )
        .returning(*(columns[name] for name in Event.__struct_fields__))
    )
    rows = connection.execute(statement).mappings().all()
    events = [Event(**row) for row in rows]
    return sorted(events, key=lambda event: (event.priority, event.id))


def _claimable(
    row: ReadOnlyColumnCollection[str, Any], claim: Claim
) -> tuple[ColumnElement[bool], ...]:
    """Due, not leased, and nothing of its key goes before it or is in somebody's hands.

    What is parked lets those behind it pass until it is due again.
    """
    other = EVENTS.alias("other")
    leased = other.c.lease_until >= claim.now
    goes_first = and_(other.c.id < row.id, or_(other.c.parked != 1, other.c.next_at <= claim.now))
    return (
        row.source == claim.source,
        row.next_at <= claim.now,
        row.parked != 2,
        or_(row.lease_until.is_(None), row.lease_until < claim.now),
        ~exists().where(
            other.c.source == claim.source,
            other.c.key == row.key,
            other.c.done_at.is_(None),
            other.c.id != row.id,
            or_(leased, goes_first),
        ),
    )
