"""The store: the journal and every other table, behind one address."""

from __future__ import annotations

from sqlalchemy import Engine

from ..errors import StoreError
from .database import Database
from .dead_letters import DeadLetters
from .dual_work import DualWork
from .dual_writes import DualWrites
from .evidence import Evidence
from .group import Inserts
from .inbox import Inbox
from .journal import Journal
from .measures import Measures
from .routes import Routes
from .runs import Runs

__all__ = ["Store"]


class Store:
    """Everything durable. Built by the app, one for a process; several processes may share it.

    Reading works without ``open``, as does changing a route; the journal takes writes once it is
    open. Raises ``StoreError`` where ``url`` cannot be a store's.
    """

    def __init__(self, url: str, *, patience: float = 0.25, capacity: int = 100_000) -> None:
        self.database = Database(url)
        self.inserts = Inserts(self.database.engine)
        self.journal = Journal(self.database, patience=patience, capacity=capacity)
        self.routes = Routes(self.database, self.inserts)
        self.runs = Runs(self.database, self.inserts)
        self.evidence = Evidence(self.database, self.inserts)
        self.measures = Measures(self.database)
        self.dead_letters = DeadLetters(self.database)
        self.inbox = Inbox(self.database)
        self.dual_writes = DualWrites(self.database)
        self.dual_work = DualWork(self.database)
        self._opened = False

    @property
    def engine(self) -> Engine:
        """Give the engine, for a program that reads in its own words."""
        return self.database.engine

    def open(self) -> None:
        """Check the tables and start the journal's writer. Called once, before any write.

        Raises ``StoreError`` where there is no store or its tables are of another version, and
        ``StoreUnavailable`` where it cannot be read; it may be called again then.
        """
        if self._opened:
            raise StoreError("the store was opened before", place=self.database.place)
        self.database.check_schema()
        self.journal.start()
        self._opened = True

    def close(self, timeout: float = 5.0) -> None:
        """Write what is left, for ``timeout`` seconds at most, and let go. May be called twice."""
        self.journal.stop(timeout)
        self.database.engine.dispose()
