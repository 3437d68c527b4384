"""The processes on a store: who runs, since when, and when it was last heard of.

Every start has an incarnation of its own, so a process is never taken for the one before it, even
with the same host name and the same process id.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Final

import msgspec
from sqlalchemy import Connection, Row, delete, select, text
from sqlalchemy.dialects import postgresql, sqlite

from . import tables
from .database import Database

__all__ = ["Process", "Processes", "all_of", "clock", "new_incarnation"]

FORGET: Final = 86_400.0
"""Seconds after which nobody is told any longer of a process that ended without a word."""

_table = tables.processes


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """A process as the store has it. ``silent`` is how many seconds nothing was heard of it.

    ``status`` is what it last said of itself. Times are in seconds since the epoch.
    """

    incarnation: str
    kind: str
    host: str
    pid: int
    started_at: float
    seen_at: float
    silent: float
    status: Mapping[str, object]


def new_incarnation() -> str:
    """Give the id of a start."""
    return uuid.uuid4().hex


def clock(connection: Connection) -> float:
    """Give the time that all on this store share, in seconds since the epoch.

    A database server's own; a file is shared within one machine, so there it is the machine's.
    """
    if connection.dialect.name == "sqlite":
        return time.time()
    asked = connection.execute(text("SELECT extract(epoch FROM clock_timestamp())"))
    return float(asked.scalar_one())


class Processes:
    """The table of processes. Blocks: an event loop calls it in a thread.

    Every method raises ``StoreUnavailable`` where the store cannot be read or written.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def beat(
        self, incarnation: str, *, kind: str, host: str, pid: int, status: Mapping[str, object]
    ) -> None:
        """Say that a process lives, and how it is; its first beat is its entry.

        Called every second. Entries of those that went without a word a day ago are taken out.
        """
        said = msgspec.json.encode(status, order="sorted").decode()
        with self._database.write() as connection:
            now = clock(connection)
            make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
            row = {"kind": kind, "host": host, "pid": pid, "started_at": now}
            entry = make(_table).values(incarnation=incarnation, seen_at=now, status=said, **row)
            seen = {"seen_at": entry.excluded.seen_at, "status": entry.excluded.status}
            connection.execute(
                entry.on_conflict_do_update(index_elements=["incarnation"], set_=seen)
            )
            connection.execute(delete(_table).where(_table.c.seen_at < now - FORGET))

    def leave(self, incarnation: str) -> None:
        """Take out the entry of a process that ends in good order, and all that it leased."""
        with self._database.write() as connection:
            connection.execute(delete(_table).where(_table.c.incarnation == incarnation))
            # Ended, not removed: a lease's token must go on growing from where it stands.
            held = tables.leases.c.owner == incarnation
            connection.execute(tables.leases.update().where(held).values(until=0.0))

    def all(self) -> list[Process]:
        """Give every process that has an entry, in the order in which they started."""
        with self._database.read() as connection:
            return all_of(connection)


def all_of(connection: Connection) -> list[Process]:
    """Do as ``Processes.all``, in a transaction that is under way."""
    now = clock(connection)
    query = select(_table).order_by(_table.c.started_at, _table.c.incarnation)
    return [_process(found, now) for found in connection.execute(query)]


def _process(found: Row[tuple[object, ...]], now: float) -> Process:
    fields = dict(found._mapping)  # noqa: SLF001 SQLAlchemy's public way to a row by names
    fields["status"] = msgspec.json.decode(fields["status"], type=dict[str, object])
    return Process(silent=max(0.0, now - fields["seen_at"]), **fields)
