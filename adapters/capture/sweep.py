"""What was settled long ago goes, and with it the large values that only it referred to."""

from __future__ import annotations

from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.engine import Connection

from .events import EVENTS
from .large import collect
from .unsettled import drop_held

__all__ = ["Sweep"]

_CHUNK: Final = 500
_CHUNKS: Final = 20
_HELD: Final = 300.0
"""Seconds after which a walk that holds keys back was surely killed: it does so for some."""


class Sweep:
    """Short statements, one after the other, so that a legacy writer finds its turn.

    Of one source; built and called in its owner thread. It remembers how far it came.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._swept = 0

    def run(self, connection: Connection, now: float, keep: float) -> int:
        """Delete events that were done over ``keep`` seconds ago, a few thousand; dead ones stay.

        Raises what SQLAlchemy does.
        """
        deleted, before = 0, now - keep
        columns = EVENTS.c
        for _ in range(_CHUNKS):
            chunk = select(columns.id, columns.created_at).where(columns.id > self._swept)
            rows = connection.execute(chunk.order_by(columns.id).limit(_CHUNK)).all()
            old = [row.id for row in rows if row.created_at < before]
            if old:
                statement = delete(EVENTS).where(
                    columns.id.between(old[0], old[-1]),
                    columns.source == self._source,
                    columns.done_at < before,
                    columns.dead_reason.is_(None),
                )
                deleted += connection.execute(statement).rowcount
            # Ids rise with time: where a chunk is not all old, what follows is younger still.
            self._swept = old[-1] if len(old) == _CHUNK else 0
            if not self._swept:
                break
        collect(connection, self._source, keep)
        drop_held(connection, self._source, now - _HELD)
        return deleted
