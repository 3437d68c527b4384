"""Leases by name: what one process on a store does, and no other at the same time.

A lease that is not renewed ends by itself. Its token grows with every new holder, so that a holder
that was frozen and thawed is told from its successor: whatever it still writes is refused
(``fence``). Source: M. Kleppmann, "How to do distributed locking", 2016.
"""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from ..errors import StoreError
from . import tables
from .database import Database
from .processes import clock

__all__ = ["Leases", "fence"]

_table = tables.leases


class Leases:
    """The table of leases, by the store's clock. Blocks: an event loop calls it in a thread.

    Every method raises ``StoreUnavailable`` where the store cannot be written.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def acquire(self, name: str, owner: str, seconds: float) -> int | None:
        """Take a lease that nobody holds, and give its token; None while another holds it."""
        mine = _table.c.name == name
        with self._database.write() as connection:
            now = clock(connection)
            held = connection.execute(select(_table).where(mine)).first()
            if held is None:
                row = {"name": name, "owner": owner, "token": 1, "until": now + seconds}
                connection.execute(insert(_table).values(**row))
                return 1
            if held.until > now and held.owner != owner:
                return None
            token = int(held.token) + 1
            taken = {"owner": owner, "token": token, "until": now + seconds}
            connection.execute(update(_table).where(mine).values(**taken))
            return token

    def holder(self, name: str) -> str:
        """Say who holds a lease; empty where nobody does."""
        with self._database.read() as connection:
            now = clock(connection)
            held = connection.execute(select(_table).where(_table.c.name == name)).first()
            return str(held.owner) if held is not None and held.until > now else ""

    def renew(self, name: str, token: int, seconds: float) -> bool:
        """Hold a lease for longer; False where it has ended and another has it now."""
        mine = (_table.c.name == name) & (_table.c.token == token)
        with self._database.write() as connection:
            until = clock(connection) + seconds
            return connection.execute(update(_table).where(mine).values(until=until)).rowcount == 1

    def release(self, name: str, token: int) -> None:
        """Let go of a lease, so that another has it at once; harmless where it is lost."""
        mine = (_table.c.name == name) & (_table.c.token == token)
        with self._database.write() as connection:
            connection.execute(update(_table).where(mine).values(until=0.0))


def fence(connection: Connection, name: str, token: int) -> None:
    """Raise ``StoreError`` where a lease has a newer holder than this token's.

    Called within the writing transaction that is to happen under the lease only.
    """
    query = select(_table.c.token).where(_table.c.name == name)
    found = connection.execute(query).scalar()
    if found != token:
        raise StoreError(
            "the lease was lost: another process has it now",
            place=f"lease {name}",
            value=f"token {token}",
            expected=f"token {found}",
            remedy="nothing was written; the other one goes on with it",
        )
