"""Writes to both sides that are left over: found, handed out, settled, and counted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    func,
    not_,
    or_,
    select,
    true,
    update,
)

from ..errors import RouteError
from ..model import Side
from .database import Database
from .dual_write import OPEN, DualWrite, dual_line, dual_write
from .group import Inserts
from .link import row
from .processes import clock
from .tables import dual_writes

__all__ = ["DualWork", "Lag", "lags"]

_rows: Final = dual_writes.c
_UNCOPIED: Final = and_(_rows.state == "first", _rows.second != "")
_DOUBT: Final = _rows.state == "doubt"


class Lag(msgspec.Struct, frozen=True, kw_only=True):
    """How far an endpoint's sides are apart.

    ``to_legacy`` and ``to_replacement`` writes are on the other side only and wait to be copied;
    ``in_hand`` are being written now. Of ``doubts`` nobody knows whether a side has them. The
    oldest that waits or is in doubt is ``oldest`` seconds old.
    """

    to_legacy: int = 0
    to_replacement: int = 0
    in_hand: int = 0
    doubts: int = 0
    oldest: float = 0.0

    @property
    def waiting(self) -> int:
        """Count those that wait to be copied, either way."""
        return self.to_legacy + self.to_replacement

    def to(self, side: Side) -> int:
        """Count those that wait to be copied to a side."""
        return self.to_legacy if side is Side.LEGACY else self.to_replacement


class DualWork:
    """The rows of who copies, of people, and of who looks. Blocks: call it in a thread.

    Every method raises ``StoreUnavailable``; then nothing was changed.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._inserts = Inserts(database.engine)

    def expire(self, limit: int = 100) -> list[DualWrite]:
        """Put into doubt what somebody asked for who ended without a word; journalled."""
        if not self._database.has(dual_writes):
            return []
        with self._database.read() as connection:
            query = _lost(clock(connection)).limit(1)
            if connection.execute(query).first() is None:
                return []
        with self._database.write() as connection:
            now = clock(connection)
            # Locked: PostgreSQL has others say what became of it at the same time.
            query = _lost(now).limit(limit).with_for_update()
            found = [dual_write(one, now) for one in connection.execute(query)]
            error = "whoever asked ended without a word: it may have happened"
            # The lease's token stays: one who was only frozen still knows what became of it.
            values = {"state": "doubt", "error": error, "lease_until": 0.0, "next_at": 0.0}
            which = _rows.id.in_([one.id for one in found])
            connection.execute(update(dual_writes).where(which).values(**values))
            lines = [row(dual_line(one, "doubt", error=error)) for one in found]
            self._inserts.lines(connection, lines)
        return found

    def heads(
        self, limit: int, *, without: Collection[str] = (), among: Collection[str] | None = None
    ) -> list[DualWrite]:
        """Give what may be looked into or copied now: of each key the first that is not at an end.

        ``without``: endpoints whose replacement is not to be asked. ``among``: of these endpoints
        only.
        """
        if not self._database.has(dual_writes):
            return []
        earlier = dual_writes.alias()
        before = select(earlier.c.id).where(
            earlier.c.endpoint == _rows.endpoint,
            earlier.c.key == _rows.key,
            earlier.c.id < _rows.id,
            earlier.c.state.in_(OPEN),
        )
        with self._database.read() as connection:
            now = clock(connection)
            query = (
                select(dual_writes)
                .where(
                    _free(now),
                    or_(_rows.key == "", ~before.exists()),
                    not_(and_(_rows.endpoint.in_(without), _target() == Side.REPLACEMENT)),
                    true() if among is None else _rows.endpoint.in_(among),
                )
                .order_by(_rows.id)
                .limit(limit)
            )
            return [dual_write(one, now) for one in connection.execute(query)]

    def claim(self, write: DualWrite, owner: str, side: Side, seconds: float) -> DualWrite | None:
        """Take a write in hand, to ask ``side`` for ``seconds``; None where another was first."""
        with self._database.write(chained=False) as connection:
            now = clock(connection)
            mine = and_(_rows.id == write.id, _rows.state == write.state, _free(now))
            values: dict[str, Any] = {
                "side": side,
                "lease_token": owner,
                "lease_until": now + seconds,
                "attempts": _rows.attempts + 1,
            }
            query = update(dual_writes).where(mine).values(**values)
            if connection.execute(query).rowcount != 1:
                return None
            return _get(connection, write.id, now)

    def end(self, write: DualWrite, why: str) -> bool:
        """End a write that its second side will never have, as nobody needs that any more."""
        with self._database.write() as connection:
            now = clock(connection)
            mine = and_(_rows.id == write.id, _rows.state == write.state, _free(now))
            values = {"state": "undone", "error": why, "record": b"", "done_at": now}
            if connection.execute(update(dual_writes).where(mine).values(**values)).rowcount != 1:
                return False
            self._inserts.lines(connection, [row(dual_line(write, "ended", error=why))])
            return True

    def settle(
        self, number: int, *, happened: bool, who: str, why: str, owner: str = ""
    ) -> DualWrite:
        """Say of a write in doubt whether it happened; of one that waits, that it was copied.

        With ``happened`` false, what waits is tried again at once. Give it as it stands then.
        Journalled. ``owner``: who has it in hand and found out. Raises ``RouteError`` where there
        is nothing to be settled.
        """
        with self._database.write() as connection:
            now = clock(connection)
            write = _get(connection, number, now)
            if write is None or write.state not in ("first", "doubt"):
                raise _nothing(number, write)
            mine = _rows.lease_token == owner if owner else _unleased(now)
            values = {**_settled(write, happened=happened, now=now), **_CLEARED}
            where = and_(_rows.id == number, _rows.state == write.state, mine)
            if connection.execute(update(dual_writes).where(where).values(**values)).rowcount != 1:
                raise _nothing(number, write)
            data = {"happened": happened, "who": who, "why": why, "state": values["state"]}
            self._inserts.lines(connection, [row(dual_line(write, "settled", **data))])
            found = _get(connection, number, now)
            assert found is not None  # noqa: S101 for mypy: it was just changed
            return found

    def get(self, number: int) -> DualWrite | None:
        """Give a write by its number; None where there is none."""
        with self._database.read() as connection:
            return _get(connection, number, clock(connection))

    def open(self, endpoint: str, limit: int = 0, *, doubts: bool = False) -> list[DualWrite]:
        """Give an endpoint's writes that are not at an end, oldest first.

        ``doubts``: those only that need somebody: in doubt, or tried in vain.
        """
        if not self._database.has(dual_writes):
            return []
        needs = or_(_DOUBT, and_(_UNCOPIED, _rows.error != ""))
        wanted = needs if doubts else _rows.state.in_(OPEN)
        query = select(dual_writes).where(_rows.endpoint == endpoint, wanted).order_by(_rows.id)
        with self._database.read() as connection:
            now = clock(connection)
            found = connection.execute(query.limit(limit) if limit else query)
            return [dual_write(one, now) for one in found]

    def lags(self) -> Mapping[str, Lag]:
        """Give the lag of every endpoint that has one."""
        if not self._database.has(dual_writes):
            return {}
        with self._database.read() as connection:
            return lags(connection)

    def lag(self, endpoint: str) -> Lag:
        """Give the lag of an endpoint."""
        return self.lags().get(endpoint, Lag())


def lags(connection: Connection) -> dict[str, Lag]:
    """Give the lag of every endpoint that has one, within a transaction that reads more."""
    now = clock(connection)
    counted = [count.label(name) for name, count in _counted(now).items()]
    query = select(_rows.endpoint, *counted).where(_rows.state.in_(OPEN)).group_by(_rows.endpoint)
    return {one.endpoint: _lag(one, now) for one in connection.execute(query)}


_CLEARED: Final[dict[str, object]] = {
    "lease_token": None,
    "lease_until": None,
    "next_at": 0.0,
    "attempts": 0,
    "error": "",
}


def _target() -> ColumnElement[str]:
    """Give the side that is to be asked next: the one in doubt, or the second."""
    return func.coalesce(func.nullif(_rows.side, ""), _rows.second)


def _unleased(now: float) -> ColumnElement[bool]:
    return or_(_rows.lease_until.is_(None), _rows.lease_until <= now)


def _free(now: float) -> ColumnElement[bool]:
    # One that is asked for and whose lease is over is nobody's before it has been put into doubt.
    waits = and_(_UNCOPIED, _rows.side == "")
    return and_(or_(waits, _DOUBT), _rows.next_at <= now, _unleased(now))


def _lost(now: float) -> Select[Any]:
    asked = or_(_rows.state == "prepared", and_(_rows.state == "first", _rows.side != ""))
    return select(dual_writes).where(asked, _rows.lease_until <= now).order_by(_rows.id)


def _get(connection: Connection, number: int, now: float) -> DualWrite | None:
    found = connection.execute(select(dual_writes).where(_rows.id == number)).first()
    return None if found is None else dual_write(found, now)


def _settled(write: DualWrite, *, happened: bool, now: float) -> dict[str, object]:
    """Give what a write is once it is known whether the side in question has it."""
    first = write.state == "doubt" and write.side is write.first
    if first and happened and write.second is not None:
        return {"state": "first", "side": "", "first_at": now}
    if happened:
        reached = {"first_at": now} if first else {}
        return {"state": "done", "side": "", "record": b"", "done_at": now, **reached}
    if first:
        return {"state": "undone", "side": "", "record": b"", "done_at": now}
    return {"state": "first", "side": ""}


def _counted(now: float) -> dict[str, ColumnElement[Any]]:
    held = not_(_unleased(now))
    waits = and_(_UNCOPIED, not_(held))
    lasts = or_(_UNCOPIED, _DOUBT)
    return {
        "to_legacy": func.count().filter(waits, _rows.second == Side.LEGACY),
        "to_replacement": func.count().filter(waits, _rows.second == Side.REPLACEMENT),
        "in_hand": func.count().filter(or_(_rows.state == "prepared", and_(_UNCOPIED, held))),
        "doubts": func.count().filter(_DOUBT),
        "since": func.min(_rows.at).filter(lasts),
    }


def _lag(found: Any, now: float) -> Lag:
    since = found.since
    return Lag(
        to_legacy=found.to_legacy,
        to_replacement=found.to_replacement,
        in_hand=found.in_hand,
        doubts=found.doubts,
        oldest=0.0 if since is None else max(0.0, now - since),
    )


def _nothing(number: int, write: DualWrite | None) -> RouteError:
    state = "there is no such write" if write is None else write.state
    return RouteError(
        "there is nothing to be settled",
        place=f"write {number}",
        value="somebody asks for it now" if write is not None and write.leased else state,
        expected="a write in doubt, or one that waits to be copied",
        remedy="fig route doubts lists them; one that is asked for now is free in a moment",
    )
