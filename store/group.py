"""Writes many writes in one transaction: what belongs to each of them is in it whole, or not."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection, Engine, Table, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from ..errors import Conflict, StoreError
from ..model import Comparison, request_id
from . import head, tables
from .effects import Effect, Effects, compiled
from .expect import Expect, overtaken
from .line import Line
from .link import Row, Tail, digest, encode, link, row, seal
from .write import DeadLetter, Write

__all__ = ["Content", "Inserts", "Outcome", "prepare", "write_group"]

Outcome = bool | StoreError | Conflict
"""True: written. False: a duplicate by its inbox mark, or a claim that no longer holds. An error:
refused. Nothing of what is not True was written."""


Unit = tuple[str, str, str, str, int]
"""endpoint, revision, unit, winner and the line of it."""


class Content(msgspec.Struct, frozen=True):
    """A write as rows, encoded in the thread that asked for it.

    The last of a row of ``evidence`` is the place of its line among the ``rows``.
    """

    rows: tuple[Row, ...] = ()
    evidence: tuple[Unit, ...] = ()
    mark: tuple[str, str, str, float, str | None] | None = None
    dead: tuple[object, ...] | None = None
    effects: tuple[Effect, ...] = ()
    expect: Expect | None = None


def prepare(write: Write) -> Content:
    """Encode a write. Raises ``TypeError`` or ``ValueError`` where it cannot be stored."""
    now = time.time()
    rows = [row(line) for line in write.lines]
    first = len(rows)
    rows += [_comparison_line(seen, now) for seen in write.observations]
    mark = write.inbox
    if write.dead is not None:
        rows.append(_dead_line(write.dead))
    return Content(
        rows=tuple(rows),
        evidence=tuple(
            (seen.endpoint, seen.revision, seen.unit, seen.winner, number)
            for number, seen in enumerate(write.observations, first)
        ),
        mark=None
        if mark is None
        else (mark.consumer, mark.message_id, mark.payload_hash, now, mark.result),
        dead=None if write.dead is None else _dead_row(write.dead),
        effects=write.effects,
        expect=write.expect,
    )


class Inserts:
    """The insert statements, compiled once with positional parameters for the raw driver.

    Compiling and binding in SQLAlchemy would cost more than SQLite's own work for a row.
    """

    def __init__(self, engine: Engine) -> None:
        self.journal = _insert(engine, tables.journal, leave={"digest"})
        self.evidence = _insert(engine, tables.evidence, ignore=True)
        self.inbox = _insert(engine, tables.inbox, ignore=True)
        self.dead_letters = _insert(engine, tables.dead_letters, leave=_OF_REPLAYS)
        self.effects = Effects(engine)

    def lines(self, connection: Connection, rows: Sequence[Row]) -> Tail:
        """Chain rows to the journal. The transaction must be a writing one.

        Raises ``StoreError`` where the journal is not ours to go on with.
        """
        number, hashed = head.tail(connection)
        if not rows:
            return Tail(number, hashed)
        linked = []
        for at, kind, endpoint, request, revision, data, sealed in rows:
            number += 1
            hashed = link(hashed, sealed)
            linked.append((number, at, kind, endpoint, request, revision, data, hashed))
        try:
            connection.exec_driver_sql(self.journal, linked)
        except IntegrityError as error:
            raise StoreError(
                "the journal holds lines that its head does not know",
                place=f"journal: line {linked[0][0]} or after",
                remedy="run 'fig journal verify': somebody else has written to it",
            ) from error
        last = Tail(number, hashed)
        head.move(connection, last)
        return last


def write_group(
    connection: Connection, inserts: Inserts, contents: Sequence[Content]
) -> tuple[list[Outcome], Tail]:
    """Write contents in order; give what became of each, and the journal's new end.

    Whatever is written, a line of the journal is: by its presence one can tell later whether a
    commit that nobody confirmed was made.
    """
    late = overtaken(connection, [content.expect for content in contents])
    outcomes = _judge(connection, inserts, [c for at, c in enumerate(contents) if at not in late])
    for at in sorted(late):
        outcomes.insert(at, late[at])
    taken = [c for c, outcome in zip(contents, outcomes, strict=True) if outcome is True]
    rows = [line for content in taken for line in content.rows]
    if not rows:
        rows = _trace(taken)
    last = inserts.lines(connection, rows)
    observed = list(_observed(taken, last.id - len(rows) + 1))
    if observed:
        connection.exec_driver_sql(inserts.evidence, observed)
    dead = [content.dead for content in taken if content.dead is not None]
    if dead:
        connection.exec_driver_sql(inserts.dead_letters, dead)
    effects = [effect for content in taken for effect in content.effects]
    if effects:
        inserts.effects.write(connection, effects)
    return outcomes, last


def _observed(taken: Sequence[Content], line: int) -> Iterator[Unit]:
    for content in taken:
        for endpoint, revision, unit, winner, place in content.evidence:
            yield endpoint, revision, unit, winner, line + place
        line += len(content.rows)


def _trace(taken: Sequence[Content]) -> list[Row]:
    marks = sum(content.mark is not None for content in taken)
    effects = sum(len(content.effects) for content in taken)
    if not marks and not effects:
        return []
    data = {"event": "written without a line", "marks": marks, "effects": effects}
    return [row(Line(kind="note", data=data))]


def _judge(connection: Connection, inserts: Inserts, contents: Sequence[Content]) -> list[Outcome]:
    """Set the inbox marks, all at once; one by one only where some were there already."""
    marks = [content.mark for content in contents if content.mark is not None]
    if marks:
        connection.exec_driver_sql("SAVEPOINT fig_marks")
        if connection.exec_driver_sql(inserts.inbox, marks).rowcount != len(marks):
            connection.exec_driver_sql("ROLLBACK TO SAVEPOINT fig_marks")
            return [_mark_one(connection, inserts, content) for content in contents]
        connection.exec_driver_sql("RELEASE SAVEPOINT fig_marks")
    return [True] * len(contents)


def _mark_one(connection: Connection, inserts: Inserts, content: Content) -> Outcome:
    if content.mark is None:
        return True
    if connection.exec_driver_sql(inserts.inbox, [content.mark]).rowcount == 1:
        return True
    consumer, message_id, payload_hash, *_ = content.mark
    kept = tables.inbox.c
    query = select(kept.payload_hash).where(
        kept.consumer == consumer, kept.message_id == message_id
    )
    found = connection.execute(query).scalar_one()
    if found == payload_hash:
        return False
    return Conflict(
        "a message came again under its id with other bytes",
        place=f"inbox of {consumer}: message {message_id}",
        value=f"payload hash {payload_hash}",
        expected=f"payload hash {found}",
        remedy="keep it as a dead letter, and ask the sender which of the two holds",
    )


def _dead_line(dead: DeadLetter) -> Row:
    data = {
        "source": dead.source,
        "position": dead.position,
        "reason": dead.reason,
        "error": dead.error,
        "attempts": dead.attempts,
    }
    ident = request_id(dead.source, dead.position)
    return row(Line(kind="dead", request_id=ident, at=dead.at, data=data))


def _dead_row(dead: DeadLetter) -> tuple[object, ...]:
    record = dead.record
    return (
        float(dead.at),
        dead.source,
        dead.position,
        dead.reason,
        encode(dead.error),
        dead.attempts,
        record.kind,
        record.key,
        encode(record.headers),
        record.encoding,
        record.captured_at,
        record.body,
        dead.endpoint,
        encode(dead.chain),
        encode(dead.versions),
    )


def _comparison_line(seen: Comparison, now: float) -> Row:
    text = encode(seen)
    of = ("comparison", seen.endpoint, seen.request_id, seen.revision)
    return (now, *of, text, seal(now, *of, digest(text)))


_OF_REPLAYS: Final = frozenset({"state", "replays", "next_at", "lease_token", "lease_until"})


def _insert(
    engine: Engine, table: Table, *, ignore: bool = False, leave: Collection[str] = ()
) -> str:
    insert = sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert
    statement = insert(table)
    if ignore:
        statement = statement.on_conflict_do_nothing()
    given = [c.name for c in table.columns if c.autoincrement is not True and c.name not in leave]
    return compiled(engine, statement.values({name: bindparam(name) for name in given}))
