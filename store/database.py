"""The database under the store: one engine, and the two ways of using it, reading and writing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Table, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from ..errors import StoreError
from ..telemetry import log
from . import postgresql, sqlite
from .file import StoreFile, replaced
from .postgresql import writing
from .tables import ADDED
from .trouble import unavailable
from .version import unfit, version

__all__ = ["Database"]

_LOOK_AGAIN: Final = 5.0  # seconds between two looks at whether an older schema was upgraded


class Database:
    """A store's database by its address. Built by ``Store``, and by the schema's upgrade.

    ``create`` lets SQLite make the file where there is none. Building one connects to nothing.
    Raises ``StoreError`` where the address cannot be one of a store.
    """

    def __init__(self, url: str, *, create: bool = False) -> None:
        parsed = _parse(url)
        self.place = parsed.render_as_string(hide_password=True)
        self._tables = ""  # their version, once somebody has looked
        self._again = 0.0
        self._said = False
        self.file = _file(parsed, self.place)
        self.engine = (
            postgresql.open_engine(parsed)
            if self.file is None
            else sqlite.open_engine(self.file, create=create)
        )

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
                sqlite.keep_log(connection)
            except BaseException:
                connection.close()
                raise
        return connection

    def check_schema(self) -> None:
        """Raise ``StoreError`` where the tables are none that this code can work on."""
        if self.file is not None and not self.file.path.exists():
            raise StoreError("there is no store", place=self.place, remedy="run 'fig init'")
        with self.read() as connection:
            found = version(connection)
        wrong = unfit(found, self.place)
        if wrong is not None:
            raise wrong
        self._tables = found.tables if found is not None else ""

    def has(self, *wanted: Table) -> bool:
        """Say whether tables are there that an older schema lacks: what is in them is absent then.

        Said once in the log where they are not; asked again now and then, as the store may be
        upgraded under us. Raises ``StoreUnavailable``.
        """
        since = max((ADDED.get(table.name, "") for table in wanted), default="")
        if since <= self._tables:
            return True
        if time.monotonic() < self._again:
            return False
        with self.read() as connection:
            found = version(connection)
            self._tables = found.tables if found is not None else ""
        self._again = time.monotonic() + _LOOK_AGAIN
        if since > self._tables and not self._said:
            self._said = True
            log.warning(
                "the store's tables are of version %s: what %s added is left out until"
                " 'fig check --migrate'",
                self._tables,
                since,
            )
        return since <= self._tables


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
