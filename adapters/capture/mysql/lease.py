"""How events of a MySQL database are leased: locked by their primary key, what is locked passed.

``UPDATE`` gives no rows back here, so they are read under the locks first. At READ COMMITTED only
these rows are locked, and no gap that a trigger of legacy's would have to wait for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import BindParameter, bindparam, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from ..dialect import Claim, Event
from .troubles import is_deadlock
from .words import NOW

__all__ = ["BEGIN", "lease"]

BEGIN: Final = "START TRANSACTION"
_TRIES: Final = 5

_ids: Final[BindParameter[int]] = bindparam("ids", expanding=True)
_READ: Final = text(f"""SELECT id, event_id, `key`, op, `before`, `after`, schema_hash, created_at,
  attempts + 1 AS attempts, lost + (lease_token IS NOT NULL) AS lost, priority
FROM fig_event FORCE INDEX (PRIMARY)
WHERE id IN :ids AND done_at IS NULL AND next_at <= {NOW} AND parked <> 2
  AND (lease_until IS NULL OR lease_until < {NOW})
FOR UPDATE SKIP LOCKED""").bindparams(_ids)  # noqa: S608 words of ours
# In this order: what is set first is seen by what follows.
_WRITE: Final = text(f"""UPDATE fig_event FORCE INDEX (PRIMARY)
SET attempts = attempts + 1, lost = lost + (lease_token IS NOT NULL),
  lease_token = :token, lease_until = {NOW} + :lease
WHERE id IN :ids""").bindparams(_ids)  # noqa: S608


def lease(connection: Connection, claim: Claim, ids: Sequence[int]) -> list[Event]:
    """Lease those of the events that are still free, live ones first, and count the attempt."""
    for left in reversed(range(_TRIES)):
        try:
            with _transaction(connection):
                return _lease(connection, claim, ids)
        except SQLAlchemyError as error:
            if not left or not is_deadlock(error):
                raise
    raise AssertionError("the last try returns or raises")


def _lease(connection: Connection, claim: Claim, ids: Sequence[int]) -> list[Event]:
    rows = connection.execute(_READ, {"ids": ids}).mappings().all()
    if rows:
        free = [row["id"] for row in rows]
        values = {"ids": free, "token": claim.token, "lease": claim.lease}
        connection.execute(_WRITE, values)
    events = [Event(**row, lease_token=claim.token) for row in rows]
    return sorted(events, key=lambda event: (event.priority, event.id))


@contextlib.contextmanager
def _transaction(connection: Connection) -> Iterator[None]:
    connection.exec_driver_sql(BEGIN)
    try:
        yield
        connection.exec_driver_sql("COMMIT")
    except BaseException:
        with contextlib.suppress(SQLAlchemyError):
            connection.exec_driver_sql("ROLLBACK")
        raise
