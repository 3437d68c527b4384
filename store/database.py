"""The database under the store: one engine, and the two ways of using it, reading and writing."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from ..errors import StoreError
from .file import StoreFile, replaced
from .postgresql import WAIT, open_engine, writing
from .tables import HEAD
from .trouble import unavailable, wrong_version

__all__ = ["Database"]

_ASK_AGAIN: Final = 0.001  # seconds between two tries of a write lock that another one holds


class Database:
    """A store's database by its address. Built by ``Store``, and by the schema's upgrade.

    ``create`` lets SQLite make the file where there is none. Building one connects to nothing.
    Raises ``StoreError`` where the address cannot be one of a store.
    """

    def __init__(self, url: str, *, create: bool = False) -> None:
        parsed = _parse(url)
        self.place = parsed.render_as_string(hide_password=True)
        self.file = _file(parsed, self.place)
        self.engine = self._engine(parsed, create=create)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection in a reading transaction. Raises ``StoreUnavailable``."""
        try:
            if self.file is not None:
                self.file.check_same()
            with self.engine.connect() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise unavailable(error, self.place) from error

    @contextmanager
    def write(self, wait: float = 2.0, *, chained: bool = True) -> Iterator[Connection]:
        """Give a connection in a transaction that alone writes, waiting ``wait`` seconds for that.

        For changes made one at a time, by people and by the router; the journal's lines go through
        its writer. Not ``chained``: it leaves the journal and its head alone, so that on PostgreSQL
        it waits for nobody and nobody for it. Raises ``StoreUnavailable``; then nothing was
        written.
        """
        try:
            with self.connect(wait, chained=chained) as connection:
                before = self.file and self.file.identity()
                with connection.begin():
                    yield connection
            if self.file is not None and self.file.identity() != before:
                raise replaced(self.file.path)
        except (SQLAlchemyError, OSError) as error:
            raise unavailable(error, self.place) from error

    def connect(self, wait: float, *, chained: bool = True, reads: str = "") -> Connection:
        """Open a connection whose every transaction writes, waiting ``wait`` seconds for its turn.

        ``reads`` is a query for ``read_at_begin``.

        Raises ``StoreUnavailable`` where the file may not be written, else what the driver raises.
        """
        if self.file is not None:
            self.file.check_same()
            self.file.check_writable()
        options = writing(self.engine, wait, chained=chained, reads=reads)
        connection = self.engine.connect().execution_options(**options)
        if self.file is not None:
            try:
                _keep_log(connection)
            except BaseException:
                connection.close()
                raise
        return connection

    def check_schema(self) -> None:
        """Raise ``StoreError`` where the tables are not those that this code knows."""
        if self.file is not None and not self.file.path.exists():
            raise StoreError("there is no store", place=self.place, remedy="run 'fig init'")
        with self.read() as connection:
            found = schema_version(connection)
        if found != HEAD:
            raise wrong_version(found, self.place)

    def _engine(self, url: URL, *, create: bool) -> Engine:
        file = self.file
        if file is None:
            return open_engine(url)
        # No pool: a kept connection would read on in a file that was deleted or replaced.
        engine = create_engine(
            "sqlite://", creator=lambda: file.connect(create=create), poolclass=NullPool
        )
        event.listen(engine, "begin", _begin_sqlite)
        return engine


def schema_version(connection: Connection) -> str | None:
    """Read Alembic's mark in the database; None where there are no tables of ours."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if version is None else str(version)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (ArgumentError, SQLAlchemyError, ImportError, ValueError) as error:
        raise StoreError(
            f"not the address of a store: {type(error).__name__}",
            place="fig.toml: workspace.store",
            expected="sqlite:///FILE or postgresql+psycopg://HOST/NAME",
        ) from None
    return parsed


def _file(url: URL, place: str) -> StoreFile | None:
    backend = url.get_backend_name()
    if backend == "postgresql":
        return None
    if backend == "sqlite" and url.database and url.database != ":memory:":
        return StoreFile(Path(url.database).absolute())
    raise StoreError(
        "a store cannot be kept there",
        place=place,
        value=f"{backend} {url.database or 'in memory'}",
        expected="sqlite:///FILE or postgresql+psycopg://HOST/NAME",
        remedy="change workspace.store in fig.toml",
    )


def _keep_log(connection: Connection) -> None:
    """Write ahead, so that readers never wait; a file brought back from a copy may not do so."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute("PRAGMA journal_mode=WAL")
    finally:
        cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    wait = connection.get_execution_options().get(WAIT)
    if wait is None:
        connection.exec_driver_sql("BEGIN")
        return
    # SQLite's own waiting sleeps longer and longer, and starves beside a busy writer: ask often.
    connection.exec_driver_sql("PRAGMA busy_timeout=0")
    until = time.monotonic() + wait
    while not _try_immediate(connection, last=time.monotonic() >= until):
        time.sleep(_ASK_AGAIN)


def _try_immediate(connection: Connection, *, last: bool) -> bool:
    # IMMEDIATE: the chain's last hash, once read, must stay the last until we commit.
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    except OperationalError as error:
        code = getattr(error.orig, "sqlite_errorcode", None)
        if last or code is None or code & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True
