"""Dead events that a person has decided on: they go as those do that were done."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.engine import Connection

from .events import EVENTS

__all__ = ["Decided", "forget"]

Decided = Callable[[Sequence[str]], Collection[str]]
"""Says which of these positions a person has decided on. It may raise what it wants."""

_CHUNK: Final = 5_000
_SOME: Final = 500


def forget(connection: Connection, source: str, decided: Decided) -> int:
    """Have the dead events be dead no more that a person has decided on; count them.

    The sweep takes them then, and their large values. Raises what SQLAlchemy and ``decided`` do.
    """
    found = _dead(connection, source)
    return _forget(connection, [found[position] for position in decided([*found])])


def _dead(connection: Connection, source: str) -> dict[str, int]:
    """Give the dead events of a source that hold nothing back, by position.

    No index finds them, as legacy's writes would pay for it. So all are looked through, in short
    statements that lock nothing and leave legacy its turn.
    """
    columns, found, after = EVENTS.c, dict[str, int](), 0
    while True:
        chunk = select(columns.id).where(columns.id > after).order_by(columns.id).limit(_CHUNK)
        last = connection.execute(select(func.max(chunk.subquery().c.id))).scalar()
        if last is None:
            return found
        some = select(columns.event_id, columns.id).where(
            columns.id.between(after + 1, last),
            columns.source == source,
            columns.dead_reason.is_not(None),
            columns.done_at.is_not(None),
        )
        found.update((position, number) for position, number in connection.execute(some))
        after = last


def _forget(connection: Connection, ids: Sequence[int]) -> int:
    """Name events by their ids, so that no lock is held but theirs."""
    columns, count = EVENTS.c, 0
    for start in range(0, len(ids), _SOME):
        some = columns.id.in_(ids[start : start + _SOME])
        still = (columns.dead_reason.is_not(None), columns.done_at.is_not(None))
        query = update(EVENTS).where(some, *still).values(dead_reason=None)
        count += connection.execute(query).rowcount
    return count
