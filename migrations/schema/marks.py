"""The two marks that an upgrade moves: the tables that there are, and the oldest code allowed."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, update

from ...store.tables import alembic_version, journal_head, schema_version
from ...store.version import Version

__all__ = ["begin_marks", "keep_oldest"]


def begin_marks(connection: Connection, found: Version | None) -> None:
    """Give a store that a version before made the mark from which Alembic goes on."""
    if found is None:
        return
    schema_version.create(connection, checkfirst=True)
    connection.execute(delete(schema_version))
    connection.execute(insert(schema_version).values(version_num=found.tables))


def keep_oldest(connection: Connection, oldest: str) -> None:
    """Write which code is the oldest that may work on the store: where it starts, where it writes.

    In the transaction of the upgrade: who still runs with older code finds it at its next write.
    """
    alembic_version.create(connection, checkfirst=True)
    connection.execute(delete(alembic_version))
    connection.execute(insert(alembic_version).values(version_num=oldest))
    connection.execute(update(journal_head).values(version=oldest))
