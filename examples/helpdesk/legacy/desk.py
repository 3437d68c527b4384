"""The business of the help desk: looking at mails, and keeping tickets."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import NamedTuple

from keywords import KeywordTable, Triage, fill

CHANNELS = {"P": "phone", "M": "mail", "W": "web", "A": "app"}

_SCHEMA = Path(__file__).with_name("schema.sql")


class Refused(Exception):
    """The caller asked for something that the desk does not do; `code` is for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Ticket(NamedTuple):
    """One row of `tickets`, as callers see it."""

    id: int
    customer: str
    channel: str
    text: str
    category: str
    priority: int
    opened: str
    status: str


class Desk:
    """The help desk over one SQLite file. Safe to use from many threads."""

    def __init__(self, path: Path, keywords: Path, categories: Path) -> None:
        self._path = path
        self._local = threading.local()
        db = self._db()
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(_SCHEMA.read_text(encoding="utf-8"))
        with _transaction(db):
            fill(db, keywords, categories)
        self._table = KeywordTable(db)

    def triage(self, customer: str, channel: str, text: str) -> Triage:
        """Decide category and priority of a mail. Keeps nothing."""
        _check(customer, channel, text)
        return self._table.triage(text)

    def submit(self, customer: str, channel: str, text: str) -> tuple[int, Triage]:
        """Open a ticket; returns its number and what was decided."""
        decided = self.triage(customer, channel, text)
        row = (customer, channel, text, decided.category, decided.priority, str(decided.score))
        with _transaction(self._db()) as db:
            done = db.execute(
                "INSERT INTO tickets (customer, channel, text, category, priority, score, opened)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*row, date.today().strftime("%Y%m%d")),
            )
        assert done.lastrowid is not None
        return done.lastrowid, decided

    def get(self, ticket_id: int) -> Ticket:
        """Look a ticket up by its number."""
        found = self._db().execute(
            "SELECT id, customer, channel, text, category, priority, opened, status"
            " FROM tickets WHERE id = ?",
            (ticket_id,),
        )
        row = found.fetchone()
        if row is None:
            raise Refused("NOT_FOUND", f"there is no ticket {ticket_id}")
        return Ticket(*row)

    def close(self) -> None:
        """Close the calling thread's connection, if it has one."""
        db: sqlite3.Connection | None = self._local.__dict__.pop("db", None)
        if db is not None:
            db.close()

    def _db(self) -> sqlite3.Connection:
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            db = sqlite3.connect(self._path, isolation_level=None)
            db.execute("PRAGMA busy_timeout = 5000")
            db.execute("PRAGMA foreign_keys = ON")
            self._local.db = db
        return db


def _check(customer: str, channel: str, text: str) -> None:
    if not customer.strip():
        raise Refused("BAD_INPUT", "customer is missing")
    if channel not in CHANNELS:
        known = ", ".join(f"{code} ({name})" for code, name in CHANNELS.items())
        raise Refused("BAD_INPUT", f"unknown channel {channel[:20]!r}: use one of {known}")
    if not text.strip():
        raise Refused("BAD_INPUT", "text is missing")


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
