"""Takes data, or whole lines, from the journal's front, so that its chain can still be proved.

Each step is one short transaction, in which a line of the kind ``cut`` is chained that tells of it.
The lines are proved before anything goes: nobody's change is hidden by their age.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, bindparam, delete, func, select, update

from ..errors import StoreError
from . import head
from .chain import NO_DATA, Stored, Walk, page
from .database import Database
from .group import Inserts
from .head import Head
from .line import Line
from .link import GENESIS, Tail, digest, row
from .tables import journal

__all__ = ["KEPT", "compact", "compactable", "removable", "remove"]

KEPT: Final = ("cut", "route")
"""Kinds of line that keep their data: they say what was done to a route or to the journal."""

_STEP: Final = 500  # lines in a transaction: some milliseconds
_BARE: Final = (
    update(journal)
    .where(journal.c.id == bindparam("which"))
    .values(data=NO_DATA, digest=bindparam("of"))
)


def compact(database: Database, inserts: Inserts, before: float) -> Iterator[int]:
    """Take the data of lines from before a time, in steps; give how many each step took.

    It goes as far as the first line that is younger. Raises ``StoreError`` where the chain does not
    hold: nothing from there on is touched; and ``StoreUnavailable``.
    """
    with database.read() as connection:
        said = head.read(connection)
        last, upto = _line(connection, max(said.compacted, said.cut.id), said), said.last.id
    while lines := _proved(database, last, before, upto):
        last = Tail(lines[-1].id, lines[-1].link)
        some = [line for line in lines if line.kind not in KEPT and line.digest is None]
        if some:
            yield _take_data(database, inserts, said, some)
            said = said._replace(compacted=some[-1].id)


def remove(
    database: Database, inserts: Inserts, before: float, upto: int | None = None
) -> Iterator[int]:
    """Remove lines from before a time from the front, in steps; give how many each step removed.

    ``upto``: none behind that line. Raises as ``compact`` does.
    """
    with database.read() as connection:
        said = head.read(connection)
    last = said.cut
    # Not those that are written meanwhile, ours among them, however late a clock says that it is.
    upto = said.last.id if upto is None else min(upto, said.last.id)
    while lines := _proved(database, last, before, upto):
        yield _remove(database, inserts, last, lines)
        last = Tail(lines[-1].id, lines[-1].link)


def compactable(connection: Connection, before: float) -> int:
    """Count the lines whose data would be taken."""
    said = head.read(connection)
    done = max(said.compacted, said.cut.id)
    where = journal.c.id > done, journal.c.id < _first_younger(connection, done, before)
    query = select(func.count()).where(*where, journal.c.kind.not_in(KEPT))
    return int(connection.execute(query).scalar_one())


def removable(connection: Connection, before: float) -> int:
    """Count the lines that would be removed."""
    done = head.read(connection).cut.id
    return _first_younger(connection, done, before) - done - 1


def _take_data(database: Database, inserts: Inserts, said: Head, lines: list[Stored]) -> int:
    told = {"what": "data", "from": lines[0].id, "up to": lines[-1].id, "lines": len(lines)}
    with database.write() as connection:
        now = head.read(connection)
        _expect(now.compacted == said.compacted and now.cut.id < lines[0].id)
        taken = [{"which": line.id, "of": digest(line.data)} for line in lines]
        connection.execute(_BARE, taken)
        head.compact(connection, lines[-1].id)
        inserts.lines(connection, [row(Line(kind="cut", data=told))])
    return len(lines)


def _remove(database: Database, inserts: Inserts, before: Tail, lines: list[Stored]) -> int:
    last = Tail(lines[-1].id, lines[-1].link)
    told = {"what": "lines", "from": lines[0].id, "up to": last.id, "link": last.link}
    with database.write() as connection:
        _expect(head.read(connection).cut == before)
        connection.execute(delete(journal).where(journal.c.id <= last.id))
        head.cut(connection, last)
        inserts.lines(connection, [row(Line(kind="cut", data=told))])
    return len(lines)


def _expect(alone: bool) -> None:
    if not alone:
        raise StoreError(
            "somebody else is compacting or removing lines",
            place="journal",
            remedy="let that end; what is left goes with the next run",
        )


def _proved(database: Database, last: Tail, before: float, upto: int) -> list[Stored]:
    """Read the next lines that are old enough, and prove them."""
    found = page(database, last, min(last.id + _STEP, upto))
    lines = list(itertools.takewhile(lambda line: line.at < before, found))
    walk = Walk(last)
    for line in lines:
        for broken in walk.step(line):
            raise StoreError(
                f"the journal's chain does not hold: {broken.reason}",
                place=f"journal: line {broken.id}",
                remedy="run 'fig journal verify'; nothing goes from there on until that is settled",
            )
    return lines


def _line(connection: Connection, number: int, said: Head) -> Tail:
    """Give a line to stand on."""
    if number == said.cut.id:
        return said.cut
    query = select(journal.c.link).where(journal.c.id == number)
    return Tail(number, connection.execute(query).scalar() or GENESIS)


def _first_younger(connection: Connection, after: int, before: float) -> int:
    lines = journal.c
    query = select(lines.id).where(lines.id > after, lines.at >= before)
    found = connection.execute(query.order_by(lines.id).limit(1)).scalar()
    if found is not None:
        return int(found)
    newest = select(func.coalesce(func.max(lines.id), after))
    return int(connection.execute(newest).scalar_one()) + 1
