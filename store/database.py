"""The database under the store: one engine, and the two ways of using it, reading and writing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from ..errors import StoreError
from . import postgresql, sqlite
from .file import StoreFile, replaced
from .postgresql import writing
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
        """Raise ``StoreError`` where the tables are not those that this code knows."""
        if self.file is not None and not self.file.path.exists():
            raise StoreError("there is no store", place=self.place, remedy="run 'fig init'")
        with self.read() as connection:
            found = schema_version(connection)
        if found != HEAD:
            raise wrong_version(found, self.place)


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
