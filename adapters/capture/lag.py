"""How much waits in a capture table."""

from __future__ import annotations

from typing import Final

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from ...model import Lag
from .events import EVENTS

__all__ = ["lag"]

_MOST: Final = 1_000_000
_PRIORITIES: Final = (0, 9)


def lag(connection: Connection, source: str, now: float) -> Lag:
    """Count a source's waiting events, a million of each kind at most, so that it stays cheap.

    ``oldest`` is of the live ones, for history is as old as it is. Raises what SQLAlchemy does.
    """
    columns = EVENTS.c
    counts, oldest = [], None
    for priority in _PRIORITIES:
        waiting = (
            select(columns.id, columns.created_at)
            .where(columns.source == source, columns.done_at.is_(None))
            .where(columns.priority == priority)
        )
        bounded = waiting.with_only_columns(columns.id).limit(_MOST).subquery()
        counts.append(connection.execute(select(func.count()).select_from(bounded)).scalar_one())
        if oldest is None:
            first = connection.execute(waiting.order_by(columns.id).limit(1)).first()
            oldest = first.created_at if first is not None else None
    age = max(now - oldest, 0.0) if oldest is not None else 0.0
    return Lag(pending=sum(counts), oldest=age, backfill=counts[1])
