"""Groups whose commit nobody confirmed: the journal itself is asked whether it was made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..errors import StoreUnavailable
from . import head
from .backlog import Item
from .group import Inserts, Outcome
from .line import Line
from .link import Tail, row
from .session import Session

__all__ = ["Doubt", "in_doubt"]


class Doubt(NamedTuple):
    """A group that may have been written. ``last`` is the line with which it ended.

    Asked in a writing transaction only: it begins when the one in doubt has ended, even where its
    connection is lost and the server has not noticed yet. (PostgreSQL lets a chain lock go only
    once the commit can be seen; SQLite has one writer at a time.)

    ``unlocked``: it was one statement, of which nobody knows whether the server had begun it, with
    the lock, when the connection was lost. It may lie before the server even now.
    """

    last: Tail
    group: Sequence[Item]
    outcomes: Sequence[Outcome]
    unlocked: bool = False

    def settle(self, session: Session, inserts: Inserts) -> bool:
        """Say whether it was written. Where not, it never will be.

        Raises what the driver raises: then nobody knows yet.
        """
        connection = session.begin()
        written = head.holds(connection, self.last)
        if written or not self.unlocked:
            session.rollback()
            return written
        # A statement that comes late finds the head elsewhere then, and does nothing.
        data = {"event": "was in doubt, and is not written", "writes": len(self.outcomes)}
        inserts.lines(connection, [row(Line(kind="note", data=data))], at_commit=True)
        session.commit()
        return False

    def again(self) -> list[Item]:
        """Give what must be written where it was not: nobody waits for it, it was only appended."""
        return [item for item in self.group if item.waiting is None]

    def told(self) -> dict[str, object] | None:
        """Give a note's data where it was written, and those who waited were told of a doubt."""
        waited = sum(len(item.contents) for item in self.group if item.waiting is not None)
        if not waited:
            return None
        return {"event": "was in doubt, and is written", "up to": self.last.id, "writes": waited}


def in_doubt(why: StoreUnavailable) -> StoreUnavailable:
    """Give the error for those whose commit nobody confirmed, and nobody can be asked about."""
    return StoreUnavailable(
        f"{why.message}; whether this was written is not known yet",
        place=why.place,
        value=why.value,
        remedy="a note in the journal will tell; with an inbox mark, do it again",
    )
