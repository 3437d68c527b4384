"""Events that are done, marked in one statement whatever leases they were claimed under."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy.engine import Connection

from ..events import EVENTS
from .words import qualified

__all__ = ["Marks"]

# The commit is not waited for. Where the server goes down before it is on its disk, in half a
# second or so, the lease stands there still, for claims are waited for: when it has run out, the
# event comes again as one that was handed out before, and the inbox knows it.
# ``coalesce`` keeps the planner on the primary key, as in ``claim.py``.
_DONE: Final = """\
WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
UPDATE {events} e SET done_at = %(now)s, lease_token = NULL, lease_until = NULL
FROM quick, unnest(%(ids)s::bigint[], %(tokens)s::text[]) AS mine (id, token)
WHERE e.id = mine.id AND e.lease_token = mine.token AND coalesce(e.done_at, -1) < 0
RETURNING e.id, mine.token"""


class Marks:
    """Marks events of the capture table in ``home``. Called in the owner thread."""

    def __init__(self, home: str) -> None:
        self._statement = _DONE.format(events=qualified(home, EVENTS.name))

    def mark(
        self, connection: Connection, held: Sequence[tuple[int, str]], now: float
    ) -> set[tuple[int, str]]:
        """Mark those whose lease is still theirs; give them. Raises what SQLAlchemy does."""
        values = {
            "now": now,
            "ids": [event_id for event_id, _ in held],
            "tokens": [token for _, token in held],
        }
        rows = connection.exec_driver_sql(self._statement, values)
        return {(event_id, token) for event_id, token in rows}
