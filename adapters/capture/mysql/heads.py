"""Which events of a MySQL database may be claimed.

A look reads without locks at READ COMMITTED, and no more than a few windows of what waits, however
much waits: there are no partial indexes here, nor a cheap way over the keys.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import TextClause, text
from sqlalchemy.engine import Connection

from ..dialect import Claim
from ..events import SUSPECT
from .shared import KEYS, SUSPECTS, WAITING
from .words import NOW

__all__ = ["Heads"]

_WINDOW: Final = 1_000
_WINDOWS: Final = 4

_OF_KEY: Final = f"""FROM fig_event AS o FORCE INDEX ({KEYS})
    WHERE o.source = e.source AND o.`key` = e.`key` AND o.done_at IS NULL"""

# Scalar subqueries with a limit: these are never turned into a join over everything that waits.
# Nothing of the key goes first or is in somebody's hands; what is parked lets those behind it pass
# until it is due again. Of those that are not parked only the oldest can be leased.
_CLAIMABLE: Final = f"""e.next_at <= {NOW} AND e.parked <> 2
  AND (e.lease_until IS NULL OR e.lease_until < {NOW})
  AND COALESCE((SELECT o.id {_OF_KEY} AND o.parked = 0 ORDER BY o.id LIMIT 1), e.id) >= e.id
  AND COALESCE((SELECT o.lease_until {_OF_KEY} AND o.parked = 0 ORDER BY o.id LIMIT 1), 0) < {NOW}
  AND COALESCE((SELECT o.id {_OF_KEY} AND o.parked = 2 ORDER BY o.id LIMIT 1), e.id) >= e.id
  AND (SELECT o.id {_OF_KEY} AND o.parked = 1 AND o.id <> e.id
    AND (o.lease_until >= {NOW} OR o.id < e.id AND o.next_at <= {NOW}) LIMIT 1) IS NULL"""

_WAITING: Final = f"""FROM fig_event FORCE INDEX ({WAITING})
    WHERE source = :source AND done_at IS NULL AND priority = :priority AND id > :after
    ORDER BY id"""

_END: Final = text(f"SELECT id {_WAITING} LIMIT 1 OFFSET {_WINDOW - 1}")

# A head is the first of its key in a window, if it is in there at all.
_HEADS: Final = text(f"""SELECT e.id FROM (
  SELECT MIN(w.id) AS id FROM (
    SELECT id, `key`, parked, next_at {_WAITING} LIMIT {_WINDOW}
  ) AS w WHERE w.parked = 0 OR w.parked = 1 AND w.next_at <= {NOW} GROUP BY w.`key`, w.parked
) AS c JOIN fig_event AS e ON e.id = c.id
WHERE e.lost < {SUSPECT} AND {_CLAIMABLE} ORDER BY e.id LIMIT :most""")  # noqa: S608 words of ours

_BEFORE_LIVE: Final = text(f"""SELECT e.id FROM (
  SELECT DISTINCT (SELECT o.id FROM fig_event AS o FORCE INDEX ({KEYS})
    WHERE o.source = :source AND o.`key` = k.`key` AND o.done_at IS NULL AND o.parked = 0
    ORDER BY o.id LIMIT 1) AS id
  FROM (SELECT DISTINCT w.`key` FROM (SELECT `key` {_WAITING} LIMIT {_WINDOW}) AS w) AS k
) AS c JOIN fig_event AS e ON e.id = c.id
WHERE e.priority > 0 AND e.lost < {SUSPECT} AND {_CLAIMABLE} ORDER BY e.id LIMIT :most""")  # noqa: S608

_SUSPECT: Final = text(f"""SELECT e.id FROM fig_event AS e FORCE INDEX ({SUSPECTS})
WHERE e.lost >= {SUSPECT} AND e.source = :source AND e.done_at IS NULL AND {_CLAIMABLE}
ORDER BY e.id LIMIT 1""")  # noqa: S608

_NEXT_PRIORITY: Final = text(f"""SELECT MIN(priority) FROM fig_event FORCE INDEX ({WAITING})
WHERE source = :source AND done_at IS NULL AND priority > :priority""")  # noqa: S608


class Heads:
    """The heads of keys, live ones first; it remembers how far its walks came."""

    def __init__(self) -> None:
        self._walks: dict[tuple[str, int], _Walk] = {}

    def find(self, connection: Connection, claim: Claim) -> list[int]:
        """Give ids of events that may be claimed, the most urgent first, one of a key."""
        found: list[int] = []
        priority = _next_priority(connection, claim.source, -1)
        if priority is not None and claim.suspects:
            found += connection.execute(_SUSPECT, {"source": claim.source}).scalars()
        while priority is not None and len(found) < claim.limit:
            walk = self._walks.setdefault((claim.source, priority), _Walk(claim.source, priority))
            _add(found, walk.heads(connection, claim.limit - len(found)))
            if priority == 0 and len(found) < claim.limit:
                # History that holds live events of its key back need not wait for all of those.
                _add(found, walk.before(connection, claim.limit - len(found)))
            priority = _next_priority(connection, claim.source, priority)
        return found


def _next_priority(connection: Connection, source: str, after: int) -> int | None:
    """Give the lowest priority above this one of which anything waits; it costs one look."""
    values = {"source": source, "priority": after}
    found: int | None = connection.execute(_NEXT_PRIORITY, values).scalar()
    return found


def _add(found: list[int], more: list[int]) -> None:
    found += [event_id for event_id in more if event_id not in found]


class _Walk:
    """Goes over the waiting events of one priority, in windows.

    A key with very many waiting events fills the oldest window but has one head: so each call goes
    on from where the last one stopped, and no key starves behind a deep one.
    """

    def __init__(self, source: str, priority: int) -> None:
        self._values = {"source": source, "priority": priority}
        self._at = 0

    def heads(self, connection: Connection, limit: int) -> list[int]:
        """Give claimable heads from the oldest window, then from a few further ones."""
        found, end = self._window(connection, 0, limit)
        if len(found) >= limit or end is None:
            self._at = 0
            return found
        self._at = max(self._at, end)
        for _ in range(_WINDOWS):
            more, end = self._window(connection, self._at, limit - len(found))
            found += more
            full = len(found) >= limit
            self._at = more[-1] if full else end or 0
            if full or not self._at:
                break
        return found

    def before(self, connection: Connection, limit: int) -> list[int]:
        """Give heads of a later priority that keys of the oldest window wait for."""
        return self._ids(connection, _BEFORE_LIVE, 0, limit)

    def _window(
        self, connection: Connection, after: int, limit: int
    ) -> tuple[list[int], int | None]:
        """Give heads among the next waiting events, and the last of these where it is full."""
        end = connection.execute(_END, {**self._values, "after": after}).scalar()
        return self._ids(connection, _HEADS, after, limit), end

    def _ids(
        self, connection: Connection, statement: TextClause, after: int, limit: int
    ) -> list[int]:
        values = {**self._values, "after": after, "most": limit}
        return list(connection.execute(statement, values).scalars())
