"""Writes many writes in one transaction: what belongs to each of them is in it whole, or not."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Final

import msgspec
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from ..errors import Conflict, StoreError
from ..model import Comparison, request_id
from . import head, tables
from .additions import Additions
from .effects import Effect, Effects
from .expect import Expect, overtaken
from .insert import insertion
from .line import Line
from .lines import Lines
from .link import Row, Tail, chained, digest, encode, row, seal
from .marks import Mark, Marks
from .write import DeadLetter, InboxMark, Write

__all__ = ["Content", "Inserts", "Outcome", "observed", "prepare", "write_group"]

Outcome = bool | StoreError | Conflict
"""True: written. False: a duplicate by its inbox mark. An error: it is
refused. Nothing of what is not True was written."""


Unit = tuple[str, str, str, str, int]
"""endpoint, revision, unit, winner and the line of it."""


class Content(msgspec.Struct, frozen=True, gc=False):
    """A write as rows, encoded in the thread that asked for it.

    The last of a row of ``evidence`` is the place of its line among the ``rows``. ``bare``: there
    is nothing but rows in it, so that a group need not look.
    """

    rows: tuple[Row, ...] = ()
    evidence: tuple[Unit, ...] = ()
    mark: Mark | None = None
    dead: tuple[object, ...] | None = None
    effects: tuple[Effect, ...] = ()
    expect: Expect | None = None
    bare: bool = False


def prepare(write: Write) -> Content:
    """Encode a write. Raises ``TypeError`` or ``ValueError`` where it cannot be stored."""
    lines = write.lines
    rows = (row(lines[0]),) if len(lines) == 1 else tuple([row(line) for line in lines])
    mark = write.inbox
    if not write.observations and write.dead is None:  # nearly all of them
        if mark is None and not write.effects and write.expect is None:
            return Content(rows, bare=bool(rows))
        return Content(rows, (), _mark(mark), None, write.effects, write.expect)
    first, now = len(rows), time.time()
    evidence = tuple(
        (seen.endpoint, seen.revision, seen.unit, seen.winner, place)
        for place, seen in enumerate(write.observations, first)
    )
    rows += tuple(_comparison_line(seen, now) for seen in write.observations)
    dead = None
    if write.dead is not None:
        rows += (_dead_line(write.dead),)
        dead = _dead_row(write.dead)
    return Content(rows, evidence, _mark(mark), dead, write.effects, write.expect)


def _mark(mark: InboxMark | None) -> Mark | None:
    if mark is None:
        return None
    return (mark.consumer, mark.message_id, mark.payload_hash, time.time(), mark.result)


class Inserts:
    """The statements of a group, compiled once."""

    def __init__(self, engine: Engine) -> None:
        self.journal = Lines(engine)
        self.evidence = Additions(engine, tables.evidence)
        self.marks = Marks(engine)
        self.dead_letters = insertion(engine, tables.dead_letters, leave=_OF_REPLAYS)
        self.effects = Effects(engine)

    def lines(
        self, connection: Connection, rows: Sequence[Row], *, at_commit: bool = False
    ) -> Tail:
        """Chain rows to the journal. The transaction must be a writing one.

        ``at_commit``: as ``head.move`` says; they are the last lines of the transaction then.
        Raises ``StoreError`` where the journal is not ours to go on with.
        """
        before = head.tail(connection)
        if not rows:
            return before
        linked = chained(before, rows)
        try:
            self.journal.write(connection, linked)
        except IntegrityError as error:
            raise StoreError(
                "the journal holds lines that its head does not know",
                place=f"journal: line {linked[0][0]} or after",
                remedy="run 'fig journal verify': somebody else has written to it",
            ) from error
        last = Tail(linked[-1][0], linked[-1][-1])
        head.move(connection, last, at_commit=at_commit)
        return last


def write_group(
    connection: Connection,
    inserts: Inserts,
    contents: Sequence[Content],
    *,
    hopeful: bool = False,
) -> tuple[list[Outcome], Tail]:
    """Write contents in order; give what became of each, and the journal's new end.

    ``hopeful``, and the ``CameBefore`` that it raises, are those of ``Marks.set``.

    Whatever is written, a line of the journal is: by its presence one can tell later whether a
    commit that nobody confirmed was made.
    """
    if all(map(_bare, contents)):  # nearly always
        rows = [line for content in contents for line in content.rows]
        return [True] * len(contents), inserts.lines(connection, rows, at_commit=True)
    late = overtaken(connection, [content.expect for content in contents])
    judged = [content for at, content in enumerate(contents) if at not in late]
    outcomes = _judge(connection, inserts, judged, hopeful=hopeful)
    for at in sorted(late):
        outcomes.insert(at, late[at])
    taken = [c for c, outcome in zip(contents, outcomes, strict=True) if outcome is True]
    rows = [line for content in taken for line in content.rows]
    if not rows:
        rows = _trace(taken)
    last = inserts.lines(connection, rows, at_commit=True)
    seen = list(observed(taken, last.id - len(rows) + 1))
    if seen:
        inserts.evidence.add(connection, seen)
    dead = [content.dead for content in taken if content.dead is not None]
    if dead:
        connection.exec_driver_sql(inserts.dead_letters, dead)
    effects = [effect for content in taken for effect in content.effects]
    if effects:
        inserts.effects.write(connection, effects)
    return outcomes, last


def observed(taken: Sequence[Content], line: int) -> Iterator[Unit]:
    """Give the rows of ``evidence``; ``line`` is the id that the first of their lines gets."""
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


def _judge(
    connection: Connection, inserts: Inserts, contents: Sequence[Content], *, hopeful: bool
) -> list[Outcome]:
    """Set the inbox marks; who has none is written."""
    marks = [content.mark for content in contents if content.mark is not None]
    if not marks:
        return [True] * len(contents)
    told = iter(inserts.marks.set(connection, marks, hopeful=hopeful))
    return [True if content.mark is None else next(told) for content in contents]


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


_bare: Final = attrgetter("bare")
_OF_REPLAYS: Final = frozenset({"state", "replays", "next_at", "lease_token", "lease_until"})
