"""Writes to both sides on their way: prepared, on the first side, on both.

What is known of each is durable before the next thing is done, so that whoever finds a row knows
what may have happened and what cannot. Of a key, nothing is begun that could overtake what was
begun before it.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, select, update

from ..errors import Conflict
from ..model import Record, Side
from .database import Database
from .dual_write import OPEN, DualWrite, dual_write, packed
from .processes import clock
from .tables import dual_writes

__all__ = ["DualWrites", "Prepared", "Wanted"]

_PATIENCE: Final = 0.5
"""Seconds that a caller of legacy waits at most for a store that somebody holds."""

_rows: Final = dual_writes.c


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A write that is to be begun: in which ``order``, and under which ``token``.

    ``token`` is its idempotency key: what comes again under it is not done again. ``digest`` is
    that of what came.
    """

    endpoint: str
    request_id: str
    token: str
    digest: str
    key: str
    order: tuple[Side, ...]
    revision: str
    record: Record


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """What ``prepare`` found: a new write that is ours, one that is known, or one to wait for.

    ``behind``: the second side must not be asked yet, as others of the key wait for it.
    """

    what: Literal["ours", "known", "waits"]
    write: DualWrite
    behind: bool = False


class DualWrites:
    """The rows of those who serve. Blocks: an event loop calls it in a thread.

    ``owner`` names who asks a side, under a lease. Methods that end something under it give False
    where it is theirs no more: somebody else has said what became of it. Every method raises
    ``StoreUnavailable``; then nothing was written.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def prepare(self, wanted: Wanted, owner: str, seconds: float) -> Prepared:
        """Begin a write, to be asked of its first side within ``seconds``.

        One that is known is given as it stands, unless it came to nothing: then it begins anew.
        Raises ``Conflict`` where its token came before with something else.
        """
        with self._database.write(_PATIENCE, chained=False) as connection:
            _lock(connection, wanted)
            now = clock(connection)
            known = self._known(connection, wanted, now)
            if known is not None and not _came_to_nothing(known):
                return Prepared(what="known", write=known)
            before = _before(connection, wanted, now)
            held = next((one for one in before if _holds(one, wanted)), None)
            if held is not None:
                return Prepared(what="waits", write=held)
            if known is not None:
                connection.execute(delete(dual_writes).where(_rows.id == known.id))
            values = _values(wanted, owner, now + seconds, now)
            connection.execute(insert(dual_writes).values(**values))
            row = connection.execute(select(dual_writes).where(_token(wanted))).one()
            return Prepared(what="ours", write=dual_write(row, now), behind=bool(before))

    def find(self, endpoint: str, token: str) -> DualWrite | None:
        """Give a write by its token; None where there is none."""
        mine = and_(_rows.endpoint == endpoint, _rows.token == token)
        with self._database.read() as connection:
            row = connection.execute(select(dual_writes).where(mine)).first()
            return None if row is None else dual_write(row, clock(connection))

    def first(
        self, write: DualWrite, owner: str, result: Record | None, *, seconds: float = 0.0
    ) -> bool:
        """Note that the first side has it, and what it answered (None: that cannot be told).

        ``seconds``: the second is asked now, for so long; 0: it is left to who copies.
        """
        asks = write.second is not None and seconds > 0
        with self._database.write(chained=False) as connection:
            now = clock(connection)
            values: dict[str, object] = {
                "state": "first" if write.second else "done",
                "result": None if result is None else packed(result),
                "first_at": now,
                "error": "",
                "side": (write.second or "") if asks else "",
                "lease_token": owner if asks else None,
                "lease_until": now + seconds if asks else None,
            }
            if write.second is None:
                values |= {"done_at": now, "record": b""}
            return _end(connection, write.id, owner, write.first, values)

    def refused(self, write: DualWrite, owner: str, error: str, result: Record | None) -> bool:
        """Note that nothing happened: the first side refused it, or was not even asked.

        ``result`` is what it answered; where there is none, the same write may be begun again.
        """
        with self._database.write(chained=False) as connection:
            values = {"state": "undone", "error": error, "done_at": clock(connection)}
            kept = {"result": None if result is None else packed(result), "record": b""}
            return _end(connection, write.id, owner, write.first, values | kept | _UNLEASED)

    def copied(self, write: DualWrite, owner: str) -> bool:
        """Note that the second side has it too: it is done."""
        with self._database.write(chained=False) as connection:
            values = {"state": "done", "error": "", "record": b"", "done_at": clock(connection)}
            done = {**values, "side": "", **_UNLEASED}
            return write.second is not None and _end(
                connection, write.id, owner, write.second, done
            )

    def put_back(self, write: DualWrite, owner: str, side: Side, delay: float, error: str) -> bool:
        """Let go of a write that ``side`` is known not to have; it is asked again after ``delay``.

        What was in doubt before it was asked stays so.
        """
        with self._database.write(chained=False) as connection:
            values: dict[str, object] = {"next_at": clock(connection) + delay, "error": error}
            if write.state != "doubt":
                values["side"] = ""
            return _end(connection, write.id, owner, side, values | _UNLEASED)

    def doubt(
        self, write: DualWrite, owner: str, side: Side, error: str, delay: float = 0.0
    ) -> bool:
        """Note that nobody knows whether ``side`` has it; it is looked into after ``delay``."""
        with self._database.write(chained=False) as connection:
            values = {"state": "doubt", "error": error, "next_at": clock(connection) + delay}
            return _end(connection, write.id, owner, side, values | _UNLEASED)

    def unrecorded(self, wanted: Wanted, at: float, result: Record | None, error: str) -> bool:
        """Keep a write that was begun at ``at`` while the store was gone; False: it is known.

        ``result`` is what its first side answered; None: nobody knows whether that has it. Where
        later ones of its key came before it, its place among them is not known either: a person
        must say whether the second side still needs it.
        """
        with self._database.write(chained=False) as connection:
            _lock(connection, wanted)
            now = clock(connection)
            if self._known(connection, wanted, now) is not None:
                return False
            mine = and_(_rows.endpoint == wanted.endpoint, _rows.key == wanted.key, _rows.at >= at)
            later = select(func.count()).select_from(dual_writes).where(mine)
            overtaken = wanted.key and connection.execute(later).scalar_one()
            values = _values(wanted, "", 0.0, at) | _UNLEASED | {"error": error}
            if result is not None:
                values |= {"result": packed(result), "first_at": at}
                values["side"] = values["second"] if overtaken else ""
            values["state"] = "doubt" if overtaken or result is None else "first"
            connection.execute(insert(dual_writes).values(**values))
            return True

    def _known(self, connection: Connection, wanted: Wanted, now: float) -> DualWrite | None:
        row = connection.execute(select(dual_writes).where(_token(wanted))).first()
        if row is None:
            return None
        if row.digest != wanted.digest:
            raise Conflict(
                "a write came again under its idempotency key with another content",
                place=f"endpoint.{wanted.endpoint}: write {row.id}",
                value=f"digest {wanted.digest[:12]}",
                expected=f"digest {row.digest[:12]}",
                remedy="send another key with another write",
            )
        return dual_write(row, now)


_UNLEASED: Final[dict[str, object]] = {"lease_token": None, "lease_until": None}


def _token(wanted: Wanted) -> ColumnElement[bool]:
    return and_(_rows.endpoint == wanted.endpoint, _rows.token == wanted.token)


def _lock(connection: Connection, wanted: Wanted) -> None:
    """Let nobody else begin a write of this token or key meanwhile. SQLite has one writer."""
    if connection.dialect.name != "postgresql":
        return
    names = [f"token\x1f{wanted.endpoint}\x1f{wanted.token}"]
    names += [f"key\x1f{wanted.endpoint}\x1f{wanted.key}"] if wanted.key else []
    for name in names:
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def _before(connection: Connection, wanted: Wanted, now: float) -> list[DualWrite]:
    """Give the writes of its key that are not at an end; without a key there is no order."""
    if not wanted.key:
        return []
    mine = and_(_rows.endpoint == wanted.endpoint, _rows.key == wanted.key, _rows.state.in_(OPEN))
    query = select(dual_writes).where(mine).order_by(_rows.id)
    return [dual_write(row, now) for row in connection.execute(query)]


def _holds(before: DualWrite, wanted: Wanted) -> bool:
    """Say whether a write must wait: its first side would have it before one that came before."""
    return before.state != "first" or before.second is wanted.order[0]


def _came_to_nothing(write: DualWrite) -> bool:
    return write.state == "undone" and write.first_at is None and write.result is None


def _values(wanted: Wanted, owner: str, until: float, now: float) -> dict[str, Any]:
    return {
        "endpoint": wanted.endpoint,
        "request_id": wanted.request_id,
        "token": wanted.token,
        "digest": wanted.digest,
        "key": wanted.key,
        "first": wanted.order[0],
        "second": wanted.order[1] if len(wanted.order) > 1 else "",
        "state": "prepared",
        "side": wanted.order[0],
        "revision": wanted.revision,
        "record": packed(wanted.record),
        "at": now,
        "lease_token": owner,
        "lease_until": until,
    }


def _end(
    connection: Connection, number: int, owner: str, side: Side, values: dict[str, object]
) -> bool:
    """Change a row that ``owner`` asks ``side`` for, also where that was given up as in doubt."""
    mine = and_(
        _rows.id == number,
        _rows.lease_token == owner,
        _rows.side == side,
        _rows.state.in_(OPEN),
    )
    return connection.execute(update(dual_writes).where(mine).values(**values)).rowcount == 1
