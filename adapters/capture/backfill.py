"""The rows that were there before capture was: each taken once, as it is, beside what happens.

One short transaction a chunk locks its rows against changes, writes an event of each and how far
the walk has come. The ids of events follow the locks of rows, so a row never comes after a newer
one of itself; and a process that is killed loses a chunk's work and no row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from sqlalchemy.engine import Connection

from .address import estimate, moved
from .chunks import Chunks
from .ground import Ground
from .mark import Stand
from .order import Place
from .taking import capture_rows
from .unlocked import Unlocked
from .unsettled import drop_held
from .walk import At, Chunk

__all__ = ["Backfill"]


class Backfill:
    """The walk that takes existing rows, for ``Walk.run``.

    ``where`` is a condition over ``new`` in the database's own SQL, as ``Dialect.when`` gives it;
    None for the capture's own ``when``, as if each row had just come. ``locks``: False where rows
    may not be locked; SQLite has one writer, and nothing to be without.
    """

    def __init__(self, ground: Ground, where: str | None = None, *, locks: bool = True) -> None:
        self._ground, self._where, self._locks = ground, where, locks

    def begin(self, connection: Connection, stand: Stand) -> tuple[Chunk, At, int]:
        """Say where to go on. Raises ``LegacyError`` where places are no longer what they were."""
        chunks = Chunks(self._ground, connection, self._where)
        at = stand.at or {"after": None, "end": chunks.last(connection), "epoch": chunks.epoch}
        if at["epoch"] != chunks.epoch:
            raise moved(self._ground)
        total = stand.total or estimate(self._ground, connection)
        drop_held(connection, self._ground.source)
        taking: Chunk = _Taking(self._ground, chunks)
        if not self._locks and self._ground.backend != "sqlite":
            taking = Unlocked(self._ground, chunks, connection)
        return taking, at, total


class _Taking:
    """One chunk: its rows are locked, become events, and the mark moves on, or nothing does."""

    def __init__(self, ground: Ground, chunks: Chunks) -> None:
        self._ground, self._chunks = ground, chunks

    def __call__(
        self, connection: Connection, at: At, size: int, save: Callable[[At, int], None]
    ) -> tuple[At, int] | None:
        end = cast("Place | None", at["end"])
        if end is None:
            return None
        after = cast("Place | None", at["after"])
        with self._ground.writing(connection):
            found = self._chunks.edge(connection, after, end, size)
            if found is None:
                return None
            edge, rows = found
            between = self._chunks.between(after, edge)
            taken = capture_rows(self._ground, self._chunks, connection, between, "read")
            place = {**at, "after": edge, "taken": cast("int", at.get("taken", 0)) + taken}
            save(place, rows)
        return place, rows
