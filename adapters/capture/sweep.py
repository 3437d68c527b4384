"""What was settled long ago goes, and with it the large values that only it referred to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Row, delete, select
from sqlalchemy.engine import Connection

from .dialect import Dialect
from .events import EVENTS, LARGE

__all__ = ["Sweep"]

_CHUNK: Final = 500
_CHUNKS: Final = 20


class Sweep:
    """Short statements, one after the other, so that a legacy writer finds its turn.

    Of one source; built and called in its owner thread. It remembers how far it came.
    """

    def __init__(self, dialect: Dialect, source: str) -> None:
        self._dialect, self._source = dialect, source
        self._swept = 0

    def run(self, connection: Connection, before: float) -> int:
        """Delete events that were done ``before``, a few thousand; dead ones stay.

        Raises what SQLAlchemy does.
        """
        deleted = 0
        apart = self._has_large(connection, before)
        for _ in range(_CHUNKS):
            rows = self._oldest(connection, with_images=apart)
            old = [row for row in rows if row.created_at < before]
            if old:
                deleted += self._delete(connection, old, before, with_large=apart)
            # Ids rise with time: where a chunk is not all old, what follows is younger still.
            self._swept = old[-1].id if len(old) == _CHUNK else 0
            if not self._swept:
                break
        return deleted

    def _oldest(self, connection: Connection, *, with_images: bool) -> Sequence[Row[Any]]:
        columns = EVENTS.c
        shown = [columns.id, columns.source, columns.created_at, columns.done_at]
        if with_images:
            shown += [columns.before, columns.after]
        chunk = select(*shown, columns.dead_reason).where(columns.id > self._swept)
        return connection.execute(chunk.order_by(columns.id).limit(_CHUNK)).all()

    def _delete(
        self, connection: Connection, rows: Sequence[Row[Any]], before: float, *, with_large: bool
    ) -> int:
        done = [
            row
            for row in rows
            if row.source == self._source
            and row.done_at is not None
            and row.done_at < before
            and row.dead_reason is None
        ]
        if not done:
            return 0
        if with_large:
            # An event owns what it refers to. First the values: what is left over is found again.
            references = list(self._references(done))
            if references:
                connection.execute(delete(LARGE).where(LARGE.c.ref.in_(references)))
        ids = [row.id for row in done]
        statement = delete(EVENTS).where(EVENTS.c.id.in_(ids), EVENTS.c.done_at < before)
        return connection.execute(statement).rowcount

    def _references(self, rows: Iterable[Row[Any]]) -> Iterable[str]:
        for row in rows:
            for image in (row.before, row.after):
                try:
                    read = self._dialect.image(image) if image else None
                except ValueError:
                    continue  # somebody wrote to the capture table
                yield from (ref for ref in (read.large.values() if read else ()) if ref)

    def _has_large(self, connection: Connection, before: float) -> bool:
        columns = LARGE.c
        one = select(columns.ref).where(columns.source == self._source, columns.created_at < before)
        return connection.execute(one.limit(1)).first() is not None
