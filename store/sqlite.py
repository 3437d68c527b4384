"""How we use SQLite: a log written ahead, and transactions that ask for their turn often."""

from __future__ import annotations

import sqlite3
import time
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from .driver import own_connection, own_errors, run
from .file import StoreFile
from .postgresql import WAIT

__all__ = ["begin", "commit", "keep_log", "open_engine", "rollback"]

_ASK_AGAIN: Final = 0.001  # seconds between two tries of a write lock that another one holds


def open_engine(file: StoreFile, *, create: bool) -> Engine:
    """Make the engine; it connects later. ``create`` makes the file where there is none."""
    # No pool: a kept connection would read on in a file that was deleted or replaced.
    engine = create_engine(
        "sqlite://", creator=lambda: file.connect(create=create), poolclass=NullPool
    )
    event.listen(engine, "begin", _begin)
    return engine


def keep_log(connection: Connection) -> None:
    """Write ahead, so that readers never wait; a file brought back from a copy may not do so.

    From then on we wait for our turn ourselves: SQLite's own waiting sleeps longer and longer, and
    starves beside a busy writer.
    """
    run(connection, "PRAGMA journal_mode=WAL")
    run(connection, "PRAGMA busy_timeout=0")


def begin(connection: Connection, wait: float) -> None:
    """Begin a writing transaction past SQLAlchemy, whose own bookkeeping costs more than SQLite's.

    It takes part in it once it is asked for anything. End it by ``commit`` or by closing.
    """
    driver = own_connection(connection)
    with own_errors(connection, driver, "BEGIN IMMEDIATE"):
        until = time.monotonic() + wait
        while not _begun(driver, last=time.monotonic() >= until):
            time.sleep(_ASK_AGAIN)


def commit(connection: Connection) -> None:
    """Make durable what ``begin`` began."""
    if connection.in_transaction():
        connection.commit()
        return
    driver = own_connection(connection)
    with own_errors(connection, driver, "COMMIT"):
        driver.commit()


def rollback(connection: Connection) -> None:
    """Give up what ``begin`` began."""
    if connection.in_transaction():
        connection.rollback()
        return
    driver = own_connection(connection)
    with own_errors(connection, driver, "ROLLBACK"):
        driver.rollback()


def _begin(connection: Connection) -> None:
    wait = connection.get_execution_options().get(WAIT)
    if wait is None:
        run(connection, "BEGIN")
    elif not own_connection(connection).in_transaction:
        begin(connection, wait)


def _begun(driver: Any, *, last: bool) -> bool:
    # IMMEDIATE: the chain's last link, once read, must stay the last until we commit.
    try:
        driver.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        code = getattr(error, "sqlite_errorcode", None)
        if last or code is None or code & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True
