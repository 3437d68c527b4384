"""What was installed in a legacy database, as ``fig_installed`` keeps it."""

from __future__ import annotations

import getpass
import hashlib
import socket
import time
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from sqlalchemy import ClauseElement, Delete, Insert, delete, insert, inspect, select
from sqlalchemy.engine import Connection

from .dialect import Capture, Piece
from .events import INSTALLED

__all__ = [
    "CAPTURE",
    "FORMER",
    "NO_OBJECTS",
    "SHARED",
    "Entry",
    "agreed_on",
    "digest",
    "former_entry",
    "formerly",
    "is_other",
    "literal",
    "noted",
    "records",
    "shape_entry",
    "struck",
    "written",
]

SHARED: Final = ""
"""The source under which that is recorded which all sources of a database share."""

CAPTURE: Final = "capture"
"""The kind of the entry that holds the options and the shape, as JSON: it is no object."""

FORMER: Final = "former"
"""The kind of an entry with options and a shape that stood before: rows were taken by them."""

NO_OBJECTS: Final = (CAPTURE, FORMER)
"""Kinds of entries of which nothing stands in the database."""

_MOST_FORMER: Final = 8
_SOURCE_PLACES: Final = 10_000
"""The entry of the options stands behind those of the objects."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``fig_installed``.

    ``created`` tells a statement by its digest (of the options, it is all of them): enough to see
    that another version made it, and a script to review is not twice as long for it.
    """

    source: str
    position: int
    kind: str
    name: str
    created: str
    dropped: str
    by: str
    at: float


def records(connection: Connection) -> list[Entry]:
    """Read everything that is recorded, in the order in which it was created."""
    if not inspect(connection).has_table(INSTALLED.name):
        return []
    rows = connection.execute(select(INSTALLED).order_by(*INSTALLED.primary_key.columns))
    return [Entry(**row) for row in rows.mappings()]


def digest(statement: str) -> str:
    """Tell one statement from another."""
    return f"sha256:{hashlib.sha256(statement.encode()).hexdigest()[:32]}"


def noted(source: str, position: int, piece: Piece) -> Entry:
    """Make the entry of an object that is created now."""
    return Entry(
        source=source,
        position=position,
        kind=piece.kind,
        name=piece.name,
        created=digest(piece.create),
        dropped=piece.drop,
        by=_who(),
        at=round(time.time(), 3),
    )


def shape_entry(capture: Capture) -> Entry:
    """Make the entry of the options and the shape with which the objects were made."""
    return Entry(
        source=capture.source,
        position=_SOURCE_PLACES,
        kind=CAPTURE,
        name=capture.shape.table,
        created=msgspec.json.encode(capture).decode(),
        dropped="",
        by=_who(),
        at=round(time.time(), 3),
    )


def agreed_on(recorded: Sequence[Entry], source: str) -> Capture | None:
    """Give the options and the shape with which a source was installed; None where it was not."""
    for entry in recorded:
        if entry.source == source and entry.kind == CAPTURE:
            return msgspec.json.decode(entry.created, type=Capture)
    return None


def former_entry(before: Entry, agreed: Entry, own: Sequence[Entry]) -> tuple[Entry, Entry | None]:
    """Make the entry that remembers ``before``, and give the one whose place it takes, if any.

    ``own`` is the record of the source. Of shapes that are alike the last one is kept, and some.
    """
    formers = sorted((one for one in own if one.kind == FORMER), key=lambda one: one.at)
    alike = [one for one in formers if _columns(one) in (_columns(before), _columns(agreed))]
    replaced = next(iter(alike or formers[: max(0, len(formers) + 1 - _MOST_FORMER)]), None)
    last = max((one.position for one in formers), default=_SOURCE_PLACES)
    position = last + 1 if replaced is None else replaced.position
    return msgspec.structs.replace(
        before, kind=FORMER, position=position, at=round(time.time(), 3)
    ), replaced


def formerly(recorded: Sequence[Entry], source: str) -> list[Capture]:
    """Give the options and shapes with which a source was installed, the last one first.

    The present one is among them: the table may have changed since.
    """
    mine = [one for one in recorded if one.source == source and one.kind in NO_OBJECTS]
    mine.sort(key=lambda entry: (entry.kind == CAPTURE, entry.at), reverse=True)
    return [msgspec.json.decode(entry.created, type=Capture) for entry in mine]


def _columns(entry: Entry) -> tuple[Sequence[str], int]:
    capture = msgspec.json.decode(entry.created, type=Capture)
    return [name for name, _ in capture.shape.columns], capture.large


def is_other(before: Entry, agreed: Entry) -> bool:
    """Say whether images were made of other columns, or cut at another size."""
    return _columns(before) != _columns(agreed)


def written(entries: Sequence[Entry]) -> Insert:
    """Give the statement that records them."""
    return insert(INSTALLED).values([msgspec.structs.asdict(entry) for entry in entries])


def struck(entries: Iterable[Entry]) -> list[Delete]:
    """Give the statements that take entries out of the record again."""
    columns = INSTALLED.c
    return [
        delete(INSTALLED).where(columns.source == entry.source, columns.position == entry.position)
        for entry in entries
    ]


def literal(connection: Connection, statement: ClauseElement) -> str:
    """Write a statement with its values in it, as a person would run it."""
    compiled = statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    text = str(compiled).strip()
    # Drivers that take %s for a parameter want each % twice; a person does not.
    doubles = connection.dialect.paramstyle in ("format", "pyformat")
    return text.replace("%%", "%") if doubles else text


def _who() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
