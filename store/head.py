"""The journal's head: where it ends, where it begins, and whether we may write to it at all."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import Connection, func, select, update

from ..errors import StoreError
from .driver import first_row, run
from .link import Tail
from .postgresql import read_at_begin, runs_at_commit
from .tables import HEAD, OLDEST, journal, journal_head
from .trouble import wrong_version

__all__ = ["TAIL", "Head", "compact", "cut", "holds", "move", "read", "tail"]


TAIL: Final = "SELECT last_id, last_link, version FROM journal_head"
"""What ``tail`` reads."""


class Head(NamedTuple):
    """What the head says. ``found`` is the newest line that the journal really holds, 0 if none."""

    last: Tail
    cut: Tail
    compacted: int
    found: int


def tail(connection: Connection) -> Tail:
    """Read the newest line's id and link, in a writing transaction; id 0 before the first.

    Raises ``StoreError`` where we were shut out by an upgrade while we ran: we might link wrongly.
    """
    found = read_at_begin(connection) or first_row(connection, TAIL)
    if found is None:
        raise _missing()
    if not OLDEST <= found[2] <= HEAD:
        raise wrong_version(str(found[2]))
    return Tail(found[0], found[1])


def move(connection: Connection, last: Tail, *, at_commit: bool = False) -> None:
    """Write which line is the newest, in the transaction that wrote it.

    ``at_commit``: nothing reads it before that, so that PostgreSQL may do both in one trip.
    """
    if connection.dialect.name == "sqlite":
        # With values, it is kept prepared.
        run(connection, "UPDATE journal_head SET last_id = ?, last_link = ?", tuple(last))
        return
    # Numbers and hex digits that we made ourselves.
    statement = f"UPDATE journal_head SET last_id = {last.id:d}, last_link = '{last.link}'"  # noqa: S608
    if not (at_commit and runs_at_commit(connection, statement)):
        run(connection, statement)


def holds(connection: Connection, line: Tail) -> bool:
    """Say whether the journal holds that very line."""
    query = select(journal.c.id).where(journal.c.id == line.id, journal.c.link == line.link)
    return connection.execute(query).first() is not None


def read(connection: Connection) -> Head:
    """Read all of it, with the id of the newest line there is, by one statement: one moment."""
    newest = select(func.coalesce(func.max(journal.c.id), 0)).scalar_subquery()
    found = connection.execute(select(journal_head, newest.label("found"))).first()
    if found is None:
        raise _missing()
    return Head(
        last=Tail(found.last_id, found.last_link),
        cut=Tail(found.cut_id, found.cut_link),
        compacted=found.compacted_id,
        found=found.found,
    )


def cut(connection: Connection, upto: Tail) -> None:
    """Write which lines are gone from the front, in the transaction that removes them."""
    values = {"cut_id": upto.id, "cut_link": upto.link}
    connection.execute(update(journal_head).values(**values))


def compact(connection: Connection, upto: int) -> None:
    """Write up to which line the data is gone, in the transaction that removes it."""
    connection.execute(update(journal_head).values(compacted_id=upto))


def _missing() -> StoreError:
    return StoreError(
        "the journal's head is missing",
        place="table journal_head",
        remedy="bring the store back from a backup, and run 'fig journal verify'",
    )
