"""Events that nobody has settled yet: what they tell of is not missed, only not there yet."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.engine import Connection

from .events import EVENTS
from .ground import Ground
from .identity import identity
from .order import bound

__all__ = ["HELD", "Horizon", "drop_held", "keys_waiting", "rows_waiting"]

HELD: Final = 2
"""``parked`` of an event whose number is taken before what it tells of is known. It holds its key
back, as a dead one does that blocks; a dead one has a reason, though."""

_SOME: Final = 500
_LOOK: Final = 0.02
_FRESH: Final = 0.13
"""Seconds in which nobody may ask for InnoDB's list of transactions, so that it is a new one."""
_READING: Final = 2**48
"""From here on InnoDB numbers transactions that have not written anything."""


def keys_waiting(
    connection: Connection, source: str, keys: Collection[str], but: Collection[int] = ()
) -> set[str]:
    """Give those of some keys that have an event which is not settled, ``but`` not these."""
    columns = EVENTS.c
    query = (
        select(columns.key)
        .distinct()
        .where(
            columns.source == source,
            columns.done_at.is_(None),
            columns.key.in_([bound(key) for key in keys]),
        )
    )
    if but:
        query = query.where(columns.id.not_in(list(but)))
    return {str(key) for key in connection.execute(query).scalars()}


def rows_waiting(ground: Ground, connection: Connection, columns: Sequence[str]) -> set[str] | None:
    """Give the rows that a waiting update has made another row of; None for all of a truncate."""
    waiting = (EVENTS.c.source == ground.source, EVENTS.c.done_at.is_(None))
    emptied = select(EVENTS.c.id).where(*waiting, EVENTS.c.op == "truncate").limit(1)
    if connection.execute(emptied).first() is not None:
        return None
    query = select(EVENTS.c.key, EVENTS.c.before).where(*waiting, EVENTS.c.op == "update")
    return {
        identity(ground.dialect.image(before), columns, key)
        for key, before in connection.execute(query)
        if before is not None
    }


def drop_held(connection: Connection, source: str, before: float | None = None) -> int:
    """Delete what a walk has left behind that was killed in the middle of a chunk; say how many.

    Called when a walk begins, which then is the only one; and by a source's sweep for those written
    ``before`` some minutes ago by the database's clock, so that no key stands still until somebody
    walks again. Raises what SQLAlchemy does.
    """
    columns = EVENTS.c
    left = select(columns.id).where(
        columns.source == source,
        columns.done_at.is_(None),
        columns.parked == HELD,
        columns.dead_reason.is_(None),
    )
    if before is not None:
        left = left.where(columns.created_at < before)
    # By their numbers: MariaDB would lock what it only looks at, and legacy writes there.
    ids = list(connection.execute(left).scalars())
    for start in range(0, len(ids), _SOME):
        some = ids[start : start + _SOME]
        connection.execute(delete(EVENTS).where(columns.id.in_(some)))
    return len(ids)


class Horizon:
    """The transactions that were under way at a moment, until all of them have ended."""

    def __init__(self, ground: Ground, connection: Connection) -> None:
        self._backend = ground.backend
        self._newest = ""
        self._open: set[int] = set()
        if self._backend == "postgresql":
            asked = "SELECT CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text)"
            self._newest = str(connection.exec_driver_sql(asked).scalar_one())
        elif self._backend == "mysql":
            self._open = _transactions(connection)

    def wait(self, connection: Connection, seconds: float) -> bool:
        """Wait until what they have written is there to be seen; say whether it is."""
        until = time.monotonic() + seconds
        while not self._has_passed(connection):
            if time.monotonic() > until:
                return False
            time.sleep(_LOOK)
        return True

    def _has_passed(self, connection: Connection) -> bool:
        if self._backend == "postgresql":
            oldest = "SELECT pg_snapshot_xmin(pg_current_snapshot()) >= CAST(%s AS xid8)"
            return bool(connection.exec_driver_sql(oldest, (self._newest,)).scalar_one())
        if self._backend == "mysql" and self._open:
            self._open &= _transactions(connection)
            return not self._open
        return True


def _transactions(connection: Connection) -> set[int]:
    time.sleep(_FRESH)
    asked = "SELECT trx_id FROM information_schema.INNODB_TRX WHERE trx_mysql_thread_id <> "
    found = connection.exec_driver_sql(f"{asked}CONNECTION_ID()").scalars()
    return {int(one) for one in found if int(one) < _READING}
