"""Heads of keys, claimed in one statement, at a cost that grows neither with keys nor with depth.

A claim looks at windows of the oldest waiting events. Of each key in one it asks the index which
event goes first, which is one step down a tree; it stops as soon as it has enough, and rows that
another process has locked this moment are passed over. A key of very many waiting events fills the
oldest window and has one head: so each claim goes on from where the last one stopped.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy.engine import Connection

from ..dialect import Claim, Event
from ..events import EVENTS, SUSPECT
from .words import qualified

__all__ = ["Heads"]

_WINDOW: Final = 1_000
_WINDOWS: Final = 5
_NOWHERE: Final = 2**62
_AGAIN: Final = 1.0
"""Seconds after which a claim begins at the very oldest again: a transaction that was long in
committing leaves events whose numbers are lower than those that were seen already."""
_FIELDS: Final = Event.__struct_fields__
_SEEN: Final = 6
"""Columns before those: what the window held."""

# What is parked lets those behind it pass while its delay runs, and holds them back from a second
# before its end on: a claim that began before that has committed when it is claimed itself.
#
# A key is asked for as a range, so that only the index by key has the order that is wanted. As an
# equality it would leave an order by id alone, for which the planner may walk the primary key over
# all that was ever done.
_FIRST: Final = """\
SELECT x.{what} FROM {events} x WHERE x.source = %(source)s AND x.done_at IS NULL
      AND x.key >= {row}.key AND x.key <= {row}.key AND NOT (x.parked = 1 AND x.next_at > {now} + 1)
      ORDER BY x.key, x.id LIMIT 1"""
_IN_HAND: Final = """\
SELECT FROM (SELECT x.lease_until FROM {events} x
      WHERE x.source = %(source)s AND x.done_at IS NULL
        AND x.key >= {row}.key AND x.key <= {row}.key AND x.id > {row}.id
      ORDER BY x.key, x.id LIMIT {window}) y WHERE y.lease_until >= {now}"""
_FREE: Final = """\
{row}.next_at <= {now} AND {row}.parked <> 2
    AND ({row}.lease_until IS NULL OR {row}.lease_until < {now})"""
_HEAD: Final = """\
{free}
    AND {row}.id = ({first})
    AND ({row}.parked = 0 OR NOT EXISTS ({in_hand}))"""

# The lock within LATERAL keeps the order of the heads. What is locked is found again by its place,
# which needs no index; what was changed since the statement began is left for the next claim. A
# done_at that is not spelled as in the indexes keeps the planner from those: just after a vacuum
# they look small. Every part but the first and the last is worked off only as far as the limit asks
# for it.
_CLAIM: Final = """\
WITH look AS MATERIALIZED (
  (SELECT id, key, priority, next_at, lease_until, parked, lost FROM {events}
   WHERE source = %(source)s AND priority = 0 AND done_at IS NULL AND id > %(live)s
   ORDER BY priority, id LIMIT {window})
  UNION ALL
  (SELECT id, key, priority, next_at, lease_until, parked, lost FROM {events}
   WHERE source = %(source)s AND priority = 9 AND done_at IS NULL AND id > %(history)s
   ORDER BY priority, id LIMIT {window})
), firsts AS MATERIALIZED (
  SELECT * FROM (
    SELECT DISTINCT ON (priority, key) * FROM look
    WHERE NOT (parked = 1 AND next_at > {now} + 1) ORDER BY priority, key, id) l
  ORDER BY priority, id
), suspect AS MATERIALIZED (
  SELECT l.id FROM firsts l WHERE %(suspects)s AND l.lost >= {suspect} AND {head_l} LIMIT 1
), live AS MATERIALIZED (
  SELECT l.id FROM firsts l WHERE l.priority = 0 AND l.lost < {suspect} AND {head_l}
), before_live AS MATERIALIZED (
  SELECT h.id FROM (SELECT key FROM firsts WHERE priority = 0) l
  CROSS JOIN LATERAL ({first_l}) h
  WHERE EXISTS (SELECT FROM look WHERE priority = 9)
    AND h.priority > 0 AND h.lost < {suspect} AND {free_h}
    AND (h.parked = 0 OR NOT EXISTS ({in_hand_h}))
), history AS MATERIALIZED (
  SELECT l.id FROM firsts l WHERE l.priority = 9 AND l.lost < {suspect} AND {head_l}
), heads AS (
  SELECT id FROM suspect UNION ALL SELECT id FROM live
  UNION ALL SELECT id FROM before_live UNION ALL SELECT id FROM history
), pick AS MATERIALIZED (
  SELECT locked.at FROM heads CROSS JOIN LATERAL (
    SELECT e.ctid AS at FROM {events} e
    WHERE e.id = heads.id AND coalesce(e.done_at, 0) = 0 AND {free_e}
    FOR UPDATE SKIP LOCKED) locked
  LIMIT %(limit)s
), taken AS (
  UPDATE {events} e SET lease_token = %(token)s, lease_until = {now} + %(lease)s,
    attempts = e.attempts + 1, lost = e.lost + (e.lease_token IS NOT NULL)::integer, parked = 0
  FROM pick WHERE e.ctid = pick.at
  RETURNING {fields}
)
SELECT seen.*, taken.* FROM (
  SELECT count(*) FILTER (WHERE priority = 0), min(id) FILTER (WHERE priority = 0),
    max(id) FILTER (WHERE priority = 0), count(*) FILTER (WHERE priority = 9),
    min(id) FILTER (WHERE priority = 9), max(id) FILTER (WHERE priority = 9) FROM look
) seen LEFT JOIN taken ON true"""

_SETTINGS: Final = """\
SELECT set_config(name, 'off', false)
FROM unnest(ARRAY['jit', 'enable_seqscan', 'enable_hashjoin', 'enable_mergejoin',
  'enable_bitmapscan', 'enable_sort', 'synchronous_commit']) AS name
UNION ALL SELECT set_config('plan_cache_mode', 'force_generic_plan', false)"""
"""Claims walk indexes in their order: where nothing waited a moment ago the planner would
rather read and sort all that does by now, and to plan one costs more than to run it. Leases and
marks that a crash of the server takes back are made again, for what they stand for is durable
elsewhere: so nobody waits for legacy's disk."""


class Heads:
    """Claims for one process. It remembers where the oldest waiting event was, and its walk."""

    def __init__(self, home: str) -> None:
        self._statement = _statement(qualified(home, EVENTS.name))
        self._prepared: Connection | None = None
        self._oldest = [0, 0]
        self._walk = [0, 0]
        self._anew = 0.0

    def claim(self, connection: Connection, claim: Claim) -> list[Event]:
        """Lease up to ``limit`` heads: live ones first, oldest first, one of a key."""
        if self._prepared is not connection:
            connection.exec_driver_sql(_SETTINGS)
            self._prepared = connection
        if time.monotonic() - self._anew >= _AGAIN:
            self._oldest, self._anew = [0, 0], time.monotonic()
        events: list[Event] = []
        starts = [max(at - 1, 0) for at in self._oldest]
        for window in range(_WINDOWS):
            rows = self._look(connection, claim, starts, claim.limit - len(events))
            events += [_event(*row[_SEEN:]) for row in rows if row[_SEEN] is not None]
            ends = self._remember(rows[0], first=window == 0)
            if len(events) >= claim.limit or ends == [_NOWHERE, _NOWHERE]:
                break
            starts = ends
        else:
            self._walk = [0 if at == _NOWHERE else at for at in starts]
        return sorted(events, key=lambda event: (event.priority, event.id))

    def _look(
        self, connection: Connection, claim: Claim, starts: Sequence[int], limit: int
    ) -> Sequence[tuple[Any, ...]]:
        values = {
            "source": claim.source,
            "live": starts[0],
            "history": starts[1],
            "suspects": claim.suspects,
            "limit": limit,
            "token": claim.token,
            "lease": claim.lease,
        }
        result = connection.exec_driver_sql(self._statement, values)
        # The driver's own tuples: SQLAlchemy's rows would cost as much as all else here.
        cursor: Any = result.cursor
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        result.close()
        return rows

    def _remember(self, seen: tuple[Any, ...], *, first: bool) -> list[int]:
        """Note where a window began, and say where the next one does: nowhere behind the last."""
        ends: list[int] = []
        for at in (0, 1):
            count, oldest, last = seen[3 * at : 3 * at + 3]
            if first:
                self._oldest[at] = oldest or 0
            if count < _WINDOW:
                ends.append(_NOWHERE)
                self._walk[at] = 0
            else:
                ends.append(max(last, self._walk[at]) if first else last)
        return ends


def _event(
    id_: int,
    event_id: str,
    key: str,
    op: str,
    before: str | None,
    after: str | None,
    schema_hash: str,
    created_at: float,
    attempts: int,
    lost: int,
    lease_token: str,
    priority: int,
) -> Event:
    """Make an event of what stands behind the window's figures, in the order of its fields."""
    return Event(
        id=id_,
        event_id=event_id,
        key=key,
        op=op,
        before=before,
        after=after,
        schema_hash=schema_hash,
        created_at=created_at,
        attempts=attempts,
        lost=lost,
        lease_token=lease_token,
        priority=priority,
    )


def _statement(events: str) -> str:
    now = "date_part('epoch', statement_timestamp())"

    def free(row: str) -> str:
        return _FREE.format(row=row, now=now)

    def first(row: str, what: str) -> str:
        return _FIRST.format(events=events, row=row, now=now, what=what)

    def in_hand(row: str) -> str:
        return _IN_HAND.format(events=events, row=row, now=now, window=_WINDOW)

    head = _HEAD.format(free=free("l"), row="l", first=first("l", "id"), in_hand=in_hand("l"))
    return _CLAIM.format(
        events=events,
        window=_WINDOW,
        suspect=SUSPECT,
        now=now,
        head_l=head,
        first_l=first("l", "*"),
        free_h=free("h"),
        in_hand_h=in_hand("h"),
        free_e=free("e"),
        fields=", ".join(f"e.{name}" for name in _FIELDS),
    )
