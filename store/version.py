"""Which tables a store has and which code may work on it: a range, as several versions run at once.

An upgrade expands first: it only adds, and processes of the version before go on, are started anew,
and may even come back for good. Then it contracts: they are shut out. Between the two, either code
works on either schema. Source: D. Sato, "Parallel Change", 2014.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, inspect, select

from ..errors import StoreError
from .tables import HEAD, OLDEST, alembic_version, schema_version
from .trouble import wrong_version

__all__ = ["Version", "unfit", "version"]


class Version(NamedTuple):
    """A store's version. ``tables``: which there are; ``oldest``: the oldest code that may write.

    They differ while an upgrade has expanded and not contracted yet.
    """

    tables: str
    oldest: str

    @property
    def open(self) -> bool:
        """Say whether processes of a version before that of the tables may work on it."""
        return self.oldest < self.tables


def version(connection: Connection) -> Version | None:
    """Read it; None where there are no tables of ours."""
    there = inspect(connection)
    if not there.has_table("alembic_version"):
        return None
    oldest = connection.execute(select(alembic_version.c.version_num)).scalar()
    if oldest is None:
        return None
    tables = None
    if there.has_table("schema_version"):
        tables = connection.execute(select(schema_version.c.version_num)).scalar()
    return Version(str(tables or oldest), str(oldest))


def unfit(found: Version | None, place: str) -> StoreError | None:
    """Say what keeps this code from working on a store; None where nothing does."""
    if found is None:
        return wrong_version(None, place)
    if found.oldest > HEAD:
        return wrong_version(found.oldest, place)
    if min(found) < OLDEST:
        return wrong_version(min(found), place)
    return None
