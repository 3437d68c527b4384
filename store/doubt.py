"""Groups whose commit nobody confirmed: the journal itself is asked whether it was made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from ..errors import StoreUnavailable
from . import head
from .backlog import Item
from .group import Outcome
from .link import Tail

__all__ = ["Doubt", "in_doubt"]


class Doubt(NamedTuple):
    """A group that may have been written. ``last`` is the line with which it ended.

    Asked in a writing transaction only: it begins when the one in doubt has ended, even where its
    connection is lost and the server has not noticed yet. (PostgreSQL lets a chain lock go only
    once the commit can be seen; SQLite has one writer at a time.)
    """

    last: Tail
    group: Sequence[Item]
    outcomes: Sequence[Outcome]

    def written(self, connection: Connection) -> bool:
        """Say whether it was, in a transaction that holds the chain's lock."""
        return head.holds(connection, self.last)

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
