"""Events that are done, marked in one statement whatever leases they were claimed under."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy.engine import Connection

from ..events import EVENTS
from .words import qualified

__all__ = ["Marks"]

# Arrays in their binary form cost a third of what they do as text. ``coalesce`` keeps the planner
# from the partial indexes, which it would walk from end to end. The commit is not waited for
# (``claim.py``): where the server goes down before it is on its disk, the event comes again, and
# the inbox knows it.
_DONE: Final = """\
UPDATE {events} e SET done_at = %(now)s, lease_token = NULL, lease_until = NULL
FROM unnest(%(ids)b::bigint[], %(tokens)b::text[]) AS mine (id, token)
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
        if rows.rowcount == len(held):  # nearly always: nothing is to be read then
            rows.close()
            return set(held)
        return {(event_id, token) for event_id, token in rows}
