"""Values too large for an event: kept beside it, read back, and collected when nobody needs them.

A reference is an event's own id and the column's place in its image, ``<event_id>-3``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from sqlalchemy import delete, func, or_, select
from sqlalchemy.engine import Connection

from ...errors import LegacyError
from .events import EVENTS, LARGE
from .ground import Ground

__all__ = ["collect", "fetch"]

_PIECE: Final = 1_048_576
_SWEEP: Final = 200
_MOST: Final = 10_000


def fetch(ground: Ground, ref: str) -> Iterator[bytes]:
    """Give a value's bytes, at most a mebibyte at a time; text is in UTF-8.

    Called by ``fig adapter fetch``, and by whoever handles a record with a header ``large``.
    Raises ``LegacyError`` where the source keeps no such value.
    """
    with ground.connected() as connection:
        mine = (LARGE.c.ref == ref, LARGE.c.source == ground.source)
        size = connection.execute(select(LARGE.c.bytes).where(*mine)).scalar()
        if size is None:
            raise LegacyError(
                "no such value is kept",
                place=f"{ground.place}: {LARGE.name}",
                value=ref,
                expected="a reference out of a record's header 'large'",
                remedy="it may have been collected: see 'keep' of the system",
            )
        at = 1
        while True:
            # PostgreSQL, MariaDB and SQLite alike count the bytes of a substring from 1.
            piece = select(func.substr(LARGE.c.value, at, _PIECE)).where(*mine)
            found = connection.execute(piece).scalar()
            if not found:
                return
            yield bytes(found)
            at += _PIECE


def collect(connection: Connection, source: str, older_than: float) -> int:
    """Delete values written over ``older_than`` seconds ago, and say how many.

    Those of an event that is not settled, or that is dead, stay. Called by the sweep of a table
    source, which holds no transaction open; short statements, so that legacy finds its turn,
    and no more than some thousand values at a time. Raises what SQLAlchemy does.
    """
    limit, deleted, after = time.time() - older_than, 0, ""
    needed: set[str] | None = None
    while deleted < _MOST:
        old = select(LARGE.c.ref).where(
            LARGE.c.source == source, LARGE.c.created_at < limit, LARGE.c.ref > after
        )
        refs = list(connection.execute(old.order_by(LARGE.c.ref).limit(_SWEEP)).scalars())
        if not refs:
            break
        needed = _needed(connection, source, limit) if needed is None else needed
        free = [ref for ref in refs if _event_of(ref) not in needed]
        if free:
            connection.execute(delete(LARGE).where(LARGE.c.ref.in_(free)))
        after, deleted = refs[-1], deleted + len(free)
    return deleted


def _needed(connection: Connection, source: str, limit: float) -> set[str]:
    """Give the events of before a time that are not settled, or dead."""
    columns = EVENTS.c
    kept = or_(columns.done_at.is_(None), columns.dead_reason.is_not(None))
    query = select(columns.event_id).where(columns.source == source, columns.created_at < limit)
    return {str(one) for one in connection.execute(query.where(kept)).scalars()}


def _event_of(ref: str) -> str:
    return ref.rpartition("-")[0]
