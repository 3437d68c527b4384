"""What the user of a connection may do, tried rather than read: statements that touch no row."""

from __future__ import annotations

from sqlalchemy import false, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from .events import EVENTS, GAPS, INSTALLED, LARGE

__all__ = ["lacking", "sees_triggers"]


def lacking(connection: Connection) -> list[str]:
    """Name the rights on our tables that the bridge needs and this user has not."""
    tried = {
        f"SELECT on {table.name}": select(*table.c).where(false())
        for table in (EVENTS, GAPS, LARGE, INSTALLED)
    }
    update = EVENTS.update().values(attempts=EVENTS.c.attempts).where(false())
    changes = {
        f"UPDATE on {EVENTS.name}": update,
        f"DELETE on {EVENTS.name}": EVENTS.delete().where(false()),
        f"DELETE on {LARGE.name}": LARGE.delete().where(false()),
    }
    absent = []
    for right, statement in {**tried, **changes}.items():
        try:
            connection.execute(statement).close()
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            absent.append(right)
    return absent


def sees_triggers(connection: Connection) -> bool:
    """Say whether this user sees the triggers of others: in MariaDB that is a right of its own."""
    if connection.dialect.name not in ("mysql", "mariadb"):
        return True
    grants = connection.exec_driver_sql("SHOW GRANTS").scalars()
    return any("TRIGGER" in line or "ALL PRIVILEGES" in line for line in grants)
