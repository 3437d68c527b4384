"""The course of the evidence on a revision: its rows in the order of their lines, and the pace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from sqlalchemy import func, select

from . import tables
from .database import Database

__all__ = ["Pace", "Seen", "course", "pace", "revisions"]

_PAGE: Final = 10_000
_LATEST: Final = 500


class Seen(NamedTuple):
    """One distinct input: the line of its first comparison, and who was right as it stands now."""

    line: int
    unit: str
    winner: str


class Pace(NamedTuple):
    """How quickly distinct inputs came: so many within so many seconds, up to ``last`` (epoch)."""

    inputs: int = 0
    seconds: float = 0.0
    last: float = 0.0


def course(database: Database, endpoint: str, revision: str) -> Iterator[Seen]:
    """Give the evidence in the order of its lines. Blocks. Raises ``StoreUnavailable``."""
    of = tables.evidence.c
    after = Seen(-1, "", "")
    while True:
        further = (of.line > after.line) | ((of.line == after.line) & (of.unit > after.unit))
        query = (
            select(of.line, of.unit, of.winner)
            .where(of.endpoint == endpoint, of.revision == revision, further)
            .order_by(of.line, of.unit)
            .limit(_PAGE)
        )
        with database.read() as connection:
            found = [Seen(int(row.line), row.unit, row.winner) for row in connection.execute(query)]
        yield from found
        if len(found) < _PAGE:
            return
        after = found[-1]


def pace(database: Database, endpoint: str, revision: str) -> Pace:
    """Say how quickly the newest 500 distinct inputs came. Blocks. Raises ``StoreUnavailable``."""
    of, lines = tables.evidence.c, tables.journal.c
    newest = (
        select(of.line)
        .where(of.endpoint == endpoint, of.revision == revision, of.line > 0)
        .order_by(of.line.desc())
        .limit(_LATEST)
        .subquery()
    )
    query = select(func.count(), func.min(lines.at), func.max(lines.at)).where(
        lines.id.in_(select(newest.c.line))
    )
    with database.read() as connection:
        count, first, last = connection.execute(query).one()
    return Pace(int(count), float(last) - float(first), float(last)) if count else Pace()


def revisions(database: Database, endpoint: str) -> list[str]:
    """Give the revisions that there is evidence on, the newest first. Raises as ``course``."""
    of = tables.evidence.c
    query = (
        select(of.revision)
        .where(of.endpoint == endpoint)
        .group_by(of.revision)
        .order_by(func.max(of.line).desc())
    )
    with database.read() as connection:
        return [str(found) for found in connection.execute(query).scalars()]
