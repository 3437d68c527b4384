"""A group written by one statement, in one trip to PostgreSQL, where nobody else writes meanwhile.

The statement takes the chain's lock, moves the head on from where we left it, and adds the rows; it
is a transaction by itself. Where the head stands elsewhere it writes nothing. So it costs neither
the trips of a transaction nor the reading of the head, and the lock is held for as long as the
server works.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection, Engine

from . import tables
from .driver import own_connection, own_errors
from .group import Content, observed
from .link import Linked, Tail, chained
from .postgresql import gone, lock_now
from .rows import Rows, rows_of

__all__ = ["Stroke", "Strokes"]

_RARELY: Final = 64  # transactions between two tries, where others write as well


class Stroke(msgspec.Struct, frozen=True):
    """A group, ready to be written behind the line ``before``; ``last`` is its own last line."""

    statement: str
    values: tuple[object, ...]
    before: Tail
    last: Tail

    def write(self, connection: Connection) -> bool:
        """Write it, durably; False where the head stands elsewhere: then nothing is written.

        Raises what the driver raises, as SQLAlchemy's errors. Where the connection was lost, it may
        be written yet, even later: the connection need not hold the chain's lock when it is lost.
        """
        driver = own_connection(connection)
        with gone(connection), own_errors(connection, driver, self.statement):
            cursor = driver.execute(self.statement, self.values, prepare=True)
            added: int = cursor.rowcount
            cursor.close()
        return added > 0


class Strokes:
    """Makes strokes, where they are likely to succeed. Owned by the writer.

    Where one missed, as somebody else had written or a message had come before, transactions are
    made for a while: always longer, until one succeeds.
    """

    def __init__(self, engine: Engine, wait: float) -> None:
        self._before: Tail | None = None
        self._left = self._rest = 0  # transactions to make, of how many
        self._statements: dict[tuple[bool, bool, bool], str] = {}
        self._turn = lock_now(wait)
        self._lines = rows_of(engine, tables.journal, leave=("id", "digest"))
        self._marks = rows_of(engine, tables.inbox)
        self._evidence = rows_of(engine, tables.evidence)
        self._captured = rows_of(engine, tables.captured)

    def stroke(self, contents: Sequence[Content]) -> Stroke | None:
        """Make a stroke of contents; None where they need a transaction."""
        before = self._before
        if before is None or not all(map(_fits, contents)):
            return None
        rows = [line for content in contents for line in content.rows]
        if not rows:
            return None
        linked = chained(before, rows)
        last = Tail(linked[-1][0], linked[-1][-1])
        values: list[object] = [last.id, last.link, before.id, before.link]
        values += [tables.OLDEST, tables.HEAD]
        marks = [content.mark for content in contents if content.mark is not None]
        values += _columns(self._marks, marks)
        seen = list(observed(contents, before.id + 1))
        values += _columns(self._evidence, seen)
        images = [effect.values for content in contents for effect in content.effects]
        # Of two images of one row the later one stands: one statement takes a row once.
        newest = {image[:2]: image for image in images}
        values += _columns(self._captured, newest.values())
        statement = self._statement(bool(marks), bool(seen), bool(images))
        values += (before.id, *_texts(linked))
        return Stroke(statement, tuple(values), before, last)

    @property
    def ready(self) -> bool:
        """Say whether one can be made."""
        return self._before is not None

    def hit(self, last: Tail) -> None:
        """Hear that a stroke was written."""
        self._before, self._rest = last, 0

    def missed(self) -> None:
        """Hear that a stroke was not written."""
        self._before = None
        self._left = self._rest = min(_RARELY, 2 * self._rest or 1)

    def lost(self) -> None:
        """Hear that the journal's end is not known any more."""
        self._before = None

    def reached(self, last: Tail) -> None:
        """Hear that a transaction was made, and where the journal ends now."""
        self._left -= 1
        if self._left <= 0 and self._lines is not None:
            self._before = last

    def _statement(self, *given: bool) -> str:
        kind = (given[0], given[1], given[2])
        found = self._statements.get(kind)
        if found is None:
            found = self._statements[kind] = self._composed(*kind)
        return found

    def _composed(self, marks: bool, seen: bool, images: bool) -> str:
        lines = self._lines
        if lines is None:
            raise NotImplementedError("strokes are for PostgreSQL")
        parts = [self._turn, _MOVED]
        if marks:
            parts.append(f"marked AS ({_insert('inbox', self._marks)})")
        if seen:
            parts.append(f"seen AS ({_insert('evidence', self._evidence)} ON CONFLICT DO NOTHING)")
        if images:
            parts.append(f"images AS ({_insert('captured', self._captured)} {_NEWER})")
        return (
            f"WITH {', '.join(parts)} INSERT INTO journal (id, {lines.names})"  # noqa: S608
            f" SELECT %b + given.place, {lines.names}"
            f" FROM moved, {lines.numbered}"
        )


_MOVED: Final = (
    "moved AS (UPDATE journal_head SET last_id = %b, last_link = %b FROM turn"
    " WHERE last_id = %b AND last_link = %b AND version BETWEEN %b AND %b RETURNING last_id)"
)
_NEWER: Final = "ON CONFLICT (source, key) DO UPDATE SET digest = excluded.digest, at = excluded.at"


def _insert(table: str, rows: Rows | None) -> str:
    names, source = ("", "") if rows is None else (rows.names, rows.source)
    return f"INSERT INTO {table} ({names}) SELECT {names} FROM moved, {source}"  # noqa: S608


def _columns(way: Rows | None, rows: Iterable[Sequence[object]]) -> tuple[list[object], ...]:
    return () if way is None else way.values(rows)


def _texts(lines: Sequence[Linked]) -> list[list[object]]:
    return [list(column) for column in zip(*lines, strict=True)][1:]


def _fits(content: Content) -> bool:
    return content.bare or (
        content.dead is None
        and content.expect is None
        and all(effect.kind == "capture" for effect in content.effects)
    )
