"""What is missing of an installation, and what is to be taken out again: pure, but for looking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec
from sqlalchemy import inspect
from sqlalchemy.engine import Connection
from sqlalchemy.engine.reflection import Inspector

from ...errors import LegacyError
from .dialect import Capture, Dialect, Piece
from .events import EVENTS, INSTALLED, TABLES
from .record import (
    CAPTURE,
    NO_OBJECTS,
    SHARED,
    Entry,
    digest,
    former_entry,
    is_other,
    noted,
    shape_entry,
)

__all__ = ["Step", "missing", "purpose"]

_TABLES: Final = {table.name: table for table in TABLES}
_WHY: Final = {
    "fig_event": "Changes wait here until they are taken, and stay for a while after that.",
    "fig_gap": "Changes that a trigger saw and could not capture.",
    "fig_large": "Values too large for an event, kept beside it.",
    "fig_installed": "What was installed, so that exactly that is taken out again.",
    "fig_missed": "Counts what could not even be noted in fig_gap.",
    "fig_backfill": "How far a walk over the rows that were there before has come.",
    "schema": "A place of its own for what is ours.",
    "sequence": "Numbers events without touching the numbers of legacy's own tables.",
    "index": "Finds what waits without reading what is done.",
    "function": "Writes a change down; it cannot fail the statement that made the change.",
    "trigger": "Catches changes in the transaction that makes them.",
    "grant": "A right of the bridge's own user: no more than it needs.",
}


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A statement, what it is for, and the statement that undoes it ("" where there is none).

    ``entry`` is what the record says once it has run, ``strikes`` what it said before. An empty
    ``sql`` only changes the record.
    """

    sql: str
    why: str
    undo: str = ""
    entry: Entry | None = None
    strikes: Entry | None = None


def purpose(kind: str, name: str) -> str:
    """Say in one line what an object of ours is for."""
    return _WHY.get(name) or _WHY.get(kind, "")


def missing(
    connection: Connection,
    dialect: Dialect,
    capture: Capture,
    recorded: Sequence[Entry],
    *,
    place: str,
    granted: Sequence[Piece] = (),
) -> list[Step]:
    """Give the steps from what stands to what is wanted; none where all of it stands.

    ``granted`` are rights that are wanted too; where there are none, those that stand stay.

    Raises ``LegacyError`` where something that is not ours is in the way, and ``ValueError`` for
    what this database cannot do.
    """
    shared = [entry for entry in recorded if entry.source == SHARED]
    own = [entry for entry in recorded if entry.source == capture.source]
    steps = list(_shared(connection, dialect, shared, place))
    wanted = [*dialect.pieces(capture), *granted]
    # Of a right there is only the record: what a server shows of one differs from what was said.
    rights = {entry.name: entry.created for entry in own if entry.kind == "grant"}
    said = {one.name: one.create for one in granted if rights.get(one.name) == digest(one.create)}
    standing = {**dialect.standing(connection, capture), **said}
    names = {piece.name for piece in wanted} | (set() if granted else rights.keys())
    unwanted = [entry for entry in own if entry.kind not in NO_OBJECTS and entry.name not in names]
    steps += [_out(entry, standing) for entry in reversed(unwanted)]
    for step in _own(capture.source, wanted, standing, own, recorded, place):
        steps.append(step)
    agreed = shape_entry(capture)
    before = next((entry for entry in own if entry.kind == CAPTURE), None)
    if before is None or before.created != agreed.created:
        steps.append(Step(sql="", why="", entry=agreed, strikes=before))
    if before is not None and is_other(before, agreed):
        entry, replaced = former_entry(before, agreed, own)
        steps.append(Step(sql="", why="", entry=entry, strikes=replaced))
    return steps


def _out(entry: Entry, standing: Mapping[str, str]) -> Step:
    return Step(
        sql=entry.dropped,
        why="Not wanted any longer.",
        undo=standing.get(entry.name, ""),
        strikes=entry,
    )


def _own(
    source: str,
    wanted: Sequence[Piece],
    standing: Mapping[str, str],
    own: Sequence[Entry],
    recorded: Sequence[Entry],
    place: str,
) -> Iterator[Step]:
    mine = {(entry.kind, entry.name): entry for entry in own}
    taken = {entry.position for entry in own if entry.kind not in NO_OBJECTS}
    for at, piece in enumerate(wanted):
        entry = mine.get((piece.kind, piece.name))
        stands = standing.get(piece.name)
        position = entry.position if entry else _free(at, taken)
        taken.add(position)
        if stands == piece.create:
            if entry is None or entry.created != digest(piece.create):
                yield _adopt(noted(source, position, piece), entry)
            continue
        if stands is not None and entry is None:
            _refuse(piece, source, recorded, place)
        if stands is not None and entry is not None and not _replaces(piece):
            yield _replaced(entry, stands)
        yield _in(piece, noted(source, position, piece), entry)


def _shared(
    connection: Connection, dialect: Dialect, recorded: Sequence[Entry], place: str
) -> Iterator[Step]:
    looked = inspect(connection)
    known = {(entry.kind, entry.name): entry for entry in recorded}
    pieces = list(enumerate(dialect.shared()))
    # The record comes first of the tables, so that all that follows can be recorded.
    pieces.sort(key=lambda item: (item[1].kind != "schema", item[1].name != INSTALLED.name))
    for at, piece in pieces:
        entry = known.get((piece.kind, piece.name))
        made = noted(SHARED, at, piece)
        if _stands(looked, piece, entry):
            if piece.kind == "table":
                _check_table(looked, piece.name, place)
            if entry is None:
                yield _adopt(made, None)
            elif entry.created != digest(piece.create) and piece.kind != "table":
                if not _replaces(piece):
                    yield _replaced(entry, "")
                yield _in(piece, made, entry)
            continue
        yield _in(piece, made, entry)


def _replaced(entry: Entry, stood: str) -> Step:
    return Step(sql=entry.dropped, why="It is not as it would be made now.", undo=stood)


def _in(piece: Piece, entry: Entry, before: Entry | None) -> Step:
    return Step(
        sql=piece.create,
        why=purpose(piece.kind, piece.name),
        undo=piece.drop,
        entry=entry,
        strikes=before,
    )


def _adopt(entry: Entry, before: Entry | None) -> Step:
    """Record what stands exactly as it would be made: somebody ran the plan by hand."""
    return Step(sql="", why="", entry=entry, strikes=before)


def _stands(looked: Inspector, piece: Piece, entry: Entry | None) -> bool:
    match piece.kind:
        case "table":
            return looked.has_table(piece.name)
        case "index":
            if not looked.has_table(EVENTS.name):
                return False
            return any(index["name"] == piece.name for index in looked.get_indexes(EVENTS.name))
        case "schema":
            return looked.has_schema(piece.name)
    return entry is not None


def _check_table(looked: Inspector, name: str, place: str) -> None:
    wanted = {column.name for column in _TABLES[name].columns}
    found = {column["name"] for column in looked.get_columns(name)}
    if wanted - found:
        raise LegacyError(
            "a table of this name stands there, and it is not as ours is",
            place=place,
            value=f"{name} has no {', '.join(sorted(wanted - found))}",
            remedy="if an older version made it, remove it with that version; else rename it",
        )


def _refuse(piece: Piece, source: str, recorded: Sequence[Entry], place: str) -> None:
    owner = next((entry.source for entry in recorded if entry.name == piece.name), None)
    known = f" of source {owner!r}" if owner else ", not in the record"
    raise LegacyError(
        "the table is captured for another source already",
        place=place,
        value=f"{piece.kind} {piece.name}{known}",
        expected=f"one source a table and operation; this is for {source!r}",
        remedy="use that source, or remove it first",
    )


def _replaces(piece: Piece) -> bool:
    return piece.create.upper().startswith("CREATE OR REPLACE")


def _free(wanted: int, taken: set[int]) -> int:
    return wanted if wanted not in taken else max(taken, default=-1) + 1
