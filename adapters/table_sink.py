"""Messages as rows of a table in a legacy database, each once by its id."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import quote

import msgspec
from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from ..config import options as checked
from ..errors import ConfigError, FigError, InDoubt, LegacyError, LegacyUnavailable, MissingExtra
from ..model import Outgoing
from ..secret import with_password
from .outgoing_table import OutgoingTable

__all__ = ["Options", "TableSink"]

T = TypeVar("T")

_KINDS: Final = ("mysql", "mariadb", "postgresql", "sqlite")
_STRICT: Final = "SET SESSION sql_mode = CONCAT(@@SESSION.sql_mode, ',STRICT_ALL_TABLES')"
_PASSING: Final = frozenset({1021, 1040, 1041, 1053, 1114, 1205, 1213, 1290, 1836, 3024})
"""MySQL's errors that come from no message: no room, too many, shutting down, locks, read only."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """``[legacy.NAME]`` with ``adapter = "table-sink"``.

    ``id_column`` holds the message's id and must be unique; ``key_column`` and ``body_column`` hold
    its key and its whole body, "" where the table has none. ``columns`` names, by a column, a place
    in the body's JSON (``ticket.id``), or a header behind a colon (``:revision``). ``password`` is
    a reference, ``env:NAME`` or ``file:PATH``; ``timeout``, of each statement, is in seconds.
    """

    url: str
    table: str
    schema: str = ""
    password: str = ""
    id_column: str = "message_id"
    key_column: str = "key"
    body_column: str = "body"
    columns: Mapping[str, str] = {}
    timeout: float = 10.0


class TableSink:
    """Inserts messages into one table. Built by the app from ``[legacy.NAME]``.

    ``once`` is true: a row that is there already under a message's id stays as it is. The table is
    made by ``install`` only. Raises ``ConfigError`` for wrong options; the database is first looked
    at by ``install`` and ``open``.
    """

    once: Final = True

    def __init__(self, *, name: str, options: Mapping[str, object], place: str, root: Path) -> None:
        self.name = name
        self._options = one = checked(Options, options, place)
        self._root = root
        self._at = place
        self._url = _url(one.url, place)
        self._place = f"{self._url.render_as_string(hide_password=True)}: {one.table}"
        self._table = OutgoingTable(
            one.table,
            one.schema,
            id_column=one.id_column,
            key_column=one.key_column,
            body_column=one.body_column,
            columns=one.columns,
            place=self._place,
        )
        self._thread: ThreadPoolExecutor | None = None
        self._connection: Connection | None = None

    def __repr__(self) -> str:
        return f"TableSink({self.name!r}, {self._place!r})"

    async def open(self) -> None:
        """Connect, and see that the table is there and tells repeats.

        Raises ``LegacyUnavailable`` where it cannot be reached, ``LegacyError`` where it is not as
        it must be, ``ConfigError`` where the password leads nowhere.
        """
        await self.close()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"stranglerfig-{self.name}")
        try:
            await self._run(self._connect)
        except BaseException:
            await self.close()
            raise

    async def send(self, messages: Sequence[Outgoing]) -> None:
        """Insert all in one transaction; those that are there already are left as they are.

        Raises ``LegacyUnavailable`` and, where the database refuses one, ``LegacyError``: none was
        inserted then; ``ContractError`` where one does not fit; ``InDoubt`` where the commit was
        not confirmed.
        """
        await self._run(partial(self._insert, tuple(messages)))

    async def close(self) -> None:
        """Let go of the connection; a transaction under way is ended first. May be called twice."""
        thread, self._thread = self._thread, None
        if thread is not None:
            loop = asyncio.get_running_loop()
            await asyncio.shield(loop.run_in_executor(thread, self._disconnect))
            thread.shutdown(wait=False)

    def install_plan(self) -> list[str]:
        """Give the statement that makes the table; none where it stands."""
        return self._once(self._table.creation)

    def remove_plan(self) -> list[str]:
        """Give the statement that drops the table; none where there is none."""
        return self._once(self._table.dropping)

    def install(self) -> None:
        """Make the table where it is not there. Raises ``LegacyError``."""
        self._once(self._table.create)

    def remove(self, *, discard: bool = False) -> None:
        """Drop the table that ``install`` made.

        Raises ``LegacyError`` where it holds rows and ``discard`` is not given, or where it is not
        as ``install`` makes it.
        """
        self._once(partial(self._table.drop, discard=discard))

    async def _run(self, work: Callable[[], T]) -> T:
        if self._thread is None:
            raise LegacyUnavailable("the sink is not open", place=self.name, remedy="open it")
        # Work that has begun is finished: whoever is cancelled leaves no transaction half done.
        job = asyncio.get_running_loop().run_in_executor(self._thread, work)
        job.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(job)

    def _connect(self) -> None:
        connection = self._open()
        try:
            self._do(connection, self._table.check)
            connection.rollback()
        except BaseException:
            connection.close()
            raise
        self._connection = connection

    def _insert(self, messages: Sequence[Outgoing]) -> None:
        connection = self._connection
        if connection is None:
            raise LegacyUnavailable("the sink is not open", place=self.name, remedy="open it")
        rows = [self._table.row(one) for one in messages]
        if not rows:
            return
        try:
            self._do(connection, lambda to: self._table.insert(to, rows))
        except FigError:
            _undo(connection)
            raise
        try:
            connection.commit()
        except DBAPIError as error:
            _undo(connection)
            if error.connection_invalidated:
                raise InDoubt(
                    "the connection was lost in the commit: it may have been made",
                    place=self._place,
                    value=_words(error),
                ) from error.orig
            raise self._failure(error) from error.orig

    def _once(self, work: Callable[[Connection], T]) -> T:
        """Do something in a connection of its own."""
        connection = self._open()
        try:
            found = self._do(connection, work)
            self._do(connection, Connection.commit)
            return found
        finally:
            connection.close()

    def _open(self) -> Connection:
        try:
            return self._engine().connect()
        except DBAPIError as error:
            raise LegacyUnavailable(
                "was not reached", place=self._place, value=_words(error)
            ) from error.orig

    def _do(self, connection: Connection, work: Callable[[Connection], T]) -> T:
        try:
            return work(connection)
        except DBAPIError as error:
            raise self._failure(error) from error.orig
        except SQLAlchemyError as error:
            kind = type(error).__name__
            raise LegacyError("cannot be written", place=self._place, value=kind) from None

    def _failure(self, error: DBAPIError) -> LegacyError:
        """Say whether the system is in trouble, or does not take this message."""
        if error.connection_invalidated or _passes(error):
            return LegacyUnavailable(
                "does not take rows now", place=self._place, value=_words(error)
            )
        return LegacyError("refuses a row", place=self._place, value=_words(error))

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            _undo(connection)
            connection.close()

    def _engine(self) -> Engine:
        seconds = max(1, round(self._options.timeout))
        url = with_password(
            self._url.render_as_string(hide_password=False),
            self._options.password,
            f"{self._at}.password",
            self._root,
        )
        kind = self._url.get_backend_name()
        if kind == "sqlite":
            return create_engine("sqlite://", creator=self._file, poolclass=NullPool)
        arguments: dict[str, object] = {"connect_timeout": seconds}
        if kind == "postgresql":
            arguments["tcp_user_timeout"] = seconds * 1000
            arguments["options"] = f"-c statement_timeout={seconds * 1000}"
        else:
            arguments |= {"read_timeout": seconds, "write_timeout": seconds}
            arguments |= {"charset": "utf8mb4", "init_command": _STRICT}
        try:
            return create_engine(url, poolclass=NullPool, connect_args=arguments)
        except ImportError as error:
            raise MissingExtra(
                f"the database's driver is not installed: {error.name}",
                place=f"{self._at}.url",
                remedy=f"pip install {error.name}",
            ) from None

    def _file(self) -> sqlite3.Connection:
        # A file that is not there must not come to be by looking for it.
        path = quote(str((self._root / (self._url.database or "")).resolve()))
        return sqlite3.connect(
            f"file:{path}?mode=rw",
            uri=True,
            timeout=self._options.timeout,
            check_same_thread=False,
        )


def _url(text: str, place: str) -> URL:
    try:
        url = make_url(text)
    except ArgumentError:
        # The text may hold a password, so it is not repeated.
        expected = "an SQLAlchemy URL such as sqlite:///legacy.db"
        raise ConfigError("not a URL", place=f"{place}.url", expected=expected) from None
    if url.password is not None:
        expected = 'USER@HOST, and password = "env:NAME" or "file:PATH"'
        raise ConfigError("a password stands in it", place=f"{place}.url", expected=expected)
    if url.get_backend_name() not in _KINDS:
        raise ConfigError(
            "rows cannot be written to this kind of database",
            place=f"{place}.url",
            value=url.get_backend_name(),
            expected="one of " + ", ".join(_KINDS),
        )
    return url


def _undo(connection: Connection) -> None:
    try:
        connection.rollback()
    except SQLAlchemyError:
        connection.invalidate()


def _passes(error: DBAPIError) -> bool:
    """Say whether an error is of the system's state, and of no message."""
    if not isinstance(error, OperationalError) or error.orig is None:
        return False
    code = error.orig.args[0] if error.orig.args else None
    # MySQL's driver makes this kind of whatever it does not know, a trigger's refusal too.
    return code in _PASSING or code >= 2000 if isinstance(code, int) else True


def _words(error: DBAPIError) -> str:
    """Give the driver's first line, without the statement and its values."""
    driver = error.orig if error.orig is not None else error
    return (str(driver).strip().splitlines() or [""])[0][:300]
