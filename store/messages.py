"""The outbox as people see it: what waits, what is held and why, and what is to become of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec
from sqlalchemy import ColumnElement, Row, Select, and_, case, select, true, update

from ..model import Outgoing
from . import link, tables
from .database import Database
from .group import Inserts
from .line import Line
from .outbox import HELD, message_of
from .page import Page

__all__ = ["Kept", "Messages", "State"]

State = Literal["waiting", "sending", "held", "sent", "dropped"]
"""``held``: nobody sends it before a person has decided. ``sending``: somebody has it in hand."""

_ALL: Final = Page()
_STEP: Final = 100
_outbox = tables.outbox.c
_FROM: Final[Mapping[str, tuple[State, ...]]] = {
    "release": ("held",),
    "drop": ("held", "waiting"),
}


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A message, under its number.

    ``at`` is when it was written, ``next_at`` when it is tried again (0: at once), ``ended_at``
    when it was sent or dropped (None: not yet), in seconds since the epoch. ``error`` is why it was
    not sent the last time.
    """

    id: int
    message: Outgoing
    state: State
    at: float
    attempts: int
    next_at: float
    ended_at: float | None
    error: str


class Messages:
    """Reads the outbox, and notes what people decide. Used by ``fig outbox``.

    Blocks. Every method raises ``StoreUnavailable``. ``now`` is in seconds since the epoch.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, number: int, now: float) -> Kept | None:
        """Give one by its number; None where there is none."""
        with self._database.read() as connection:
            found = connection.execute(_query(now).where(_outbox.id == number)).first()
        return None if found is None else _kept(found)

    def read(
        self,
        now: float,
        *,
        destination: str | None = None,
        states: Collection[State] | None = None,
        page: Page = _ALL,
    ) -> Iterator[Kept]:
        """Give those of a page, the oldest first where it says nothing else."""
        query = _query(now).where(_where(now, destination, states))
        yield from map(_kept, page.rows(self._database, query, _outbox.id))

    def count(
        self,
        now: float,
        *,
        destination: str | None = None,
        states: Collection[State] | None = None,
        page: Page = _ALL,
    ) -> int:
        """Say how many there are; of a page those behind where it begins, whatever its limit."""
        return page.count(self._database, _where(now, destination, states), _outbox.id)

    def behind(self, one: Kept) -> int:
        """Say how many wait behind one that is held, under its key."""
        if one.state != "held" or not one.message.key:
            return 0
        where = and_(
            _outbox.destination == one.message.destination,
            _outbox.key == one.message.key,
            _outbox.sent_at.is_(None),
        )
        return Page(after=one.id).count(self._database, where, _outbox.id)

    def decide(
        self,
        numbers: Sequence[int],
        what: Literal["release", "drop"],
        *,
        who: str,
        why: str,
        now: float,
    ) -> list[int]:
        """Have messages sent again, or never; with a journal line each. Give what changed.

        A message that was sent, or is in somebody's hands, is left as it is, and only one that is
        held can be released. What a bridge on the store may do next, it does within a second.
        """
        changed: list[int] = []
        inserts = Inserts(self._database.engine)
        for start in range(0, len(numbers), _STEP):
            some = numbers[start : start + _STEP]
            with self._database.write() as connection:
                which = and_(_outbox.id.in_(some), _where(now, None, _FROM[what]))
                # Locked: PostgreSQL has others lease messages at the same time.
                query = _query(now).where(which).order_by(_outbox.id).with_for_update()
                found = [_kept(row) for row in connection.execute(query)]
                ids = [one.id for one in found]
                decided = update(tables.outbox).where(_outbox.id.in_(ids))
                connection.execute(decided.values(_values(what, now)))
                inserts.lines(connection, [link.row(_line(one, what, who, why)) for one in found])
            changed += ids
        return changed


def _values(what: str, now: float) -> dict[str, object]:
    unleased: dict[str, object] = {"lease_token": None, "lease_until": None}
    if what == "release":
        return {**unleased, "next_at": 0.0, "attempts": 0}
    # What was dropped ended without being sent, and that is how it is told from what was.
    return {**unleased, "sent_at": now, "next_at": HELD}


def _states(now: float) -> Mapping[State, ColumnElement[bool]]:
    unsent, held = _outbox.sent_at.is_(None), _outbox.next_at >= HELD
    leased = and_(_outbox.lease_until.is_not(None), _outbox.lease_until >= now)
    return {
        "dropped": and_(~unsent, held),
        "sent": ~unsent,
        "held": held,
        "sending": leased,
        "waiting": true(),
    }


def _state(now: float) -> ColumnElement[str]:
    """Give the state as a column: the first that fits holds."""
    *first, (last, _) = _states(now).items()
    return case(*((where, name) for name, where in first), else_=last)


def _where(
    now: float, destination: str | None, states: Collection[State] | None
) -> ColumnElement[bool]:
    found: list[ColumnElement[bool]] = [true()]
    if destination is not None:
        found.append(_outbox.destination == destination)
    if states is not None:
        found.append(_state(now).in_(sorted(states)))
        if not {"sent", "dropped"} & set(states):
            found.append(_outbox.sent_at.is_(None))  # there is an index for it
    return and_(*found)


def _query(now: float) -> Select[Any]:
    return select(tables.outbox, _state(now).label("state"))


def _line(one: Kept, what: str, who: str, why: str) -> Line:
    message = one.message
    return Line(
        kind="note",
        request_id=message.message_id,
        data={
            "action": f"message {one.id}: {what}",
            "message": one.id,
            "destination": message.destination,
            "key": message.key,
            "error": one.error,
            "who": who,
            "why": why,
        },
    )


def _kept(row: Row[Any]) -> Kept:
    fields = row._mapping  # noqa: SLF001 SQLAlchemy's public way to a row by names
    next_at = fields["next_at"]
    return Kept(
        id=fields["id"],
        message=message_of(dict(fields)),
        state=fields["state"],
        at=fields["at"],
        attempts=fields["attempts"],
        next_at=0.0 if next_at >= HELD else next_at,
        ended_at=fields["sent_at"],
        error=fields["error"],
    )
