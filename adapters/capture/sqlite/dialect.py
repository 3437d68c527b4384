"""Table capture on SQLite: claims, what stands in the database, and what its errors mean."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import create_engine
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from ....errors import ConfigError, LegacyError, LegacyUnavailable
from ..dialect import Capture, Claim, Event, Image, Operation, Piece, Shape, Waker
from ..events import TABLE_NAME
from ..when import translated
from .claim import Heads
from .image import read_image
from .row import IMAGE_BYTES, row_image
from .shared import shared
from .trigger import row_key, trigger
from .words import ident

__all__ = ["SqliteCapture"]


class SqliteCapture:
    """SQLite, through the files of any program that writes to it."""

    begin = "BEGIN IMMEDIATE"
    installs_atomically = True
    operations: frozenset[Operation] = frozenset({"insert", "update", "delete"})

    def __init__(self) -> None:
        self._heads = Heads()
        self._encoding = ""

    def engine(
        self,
        url: URL,
        root: Path,
        *,
        place: str,
        patience: float,
        password: str = "",  # noqa: ARG002 there are none
    ) -> Engine:
        """Open the file for reading and writing, never creating it."""
        if not url.database or url.database == ":memory:":
            expected = "sqlite:///path/of/the/legacy.db"
            raise ConfigError("names no file", place=place, expected=expected)
        path = (root / url.database).resolve()

        def connect() -> sqlite3.Connection:
            connection = sqlite3.connect(
                f"file:{quote(str(path))}?mode=rw",
                uri=True,
                timeout=patience,
                isolation_level=None,
                check_same_thread=False,
            )
            connection.text_factory = _text
            return connection

        return create_engine(
            "sqlite://", creator=connect, poolclass=NullPool, isolation_level="AUTOCOMMIT"
        )

    def shared(self) -> Sequence[Piece]:
        """Give our tables and the indexes of ``claim.py``."""
        return shared()

    def pieces(self, capture: Capture) -> Sequence[Piece]:
        """Give one AFTER trigger an operation. Raises ``ValueError`` for what SQLite has not."""
        if capture.level != "row":
            raise ValueError("SQLite has triggers for each row only")
        if not self.operations.issuperset(capture.operations):
            raise ValueError("SQLite has triggers for insert, update and delete only")
        return [trigger(capture, operation) for operation in capture.operations]

    def standing(self, connection: Connection, capture: Capture) -> Mapping[str, str]:
        """Read ``sqlite_master``, which keeps every statement as it was written."""
        rows = connection.exec_driver_sql(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
            " AND lower(tbl_name) = lower(?) AND instr(sql, ?)",
            (capture.shape.table, ident(TABLE_NAME)),
        )
        return {str(name): str(sql) for name, sql in rows}

    def users(self, connection: Connection) -> set[str]:
        """Read ``sqlite_master``: all triggers that write to the capture table."""
        rows = connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND instr(sql, ?)",
            (ident(TABLE_NAME),),
        )
        return {name for (name,) in rows}

    def columns(self, connection: Connection, table: str, schema: str = "") -> Mapping[str, str]:
        """Read the pragma, which gives types as they were written; hidden columns too."""
        del schema
        rows = connection.exec_driver_sql(
            "SELECT name, type FROM pragma_table_xinfo(?) ORDER BY cid", (table,)
        )
        return {str(name): str(declared) for name, declared in rows}

    def when(self, text: str, shape: Shape, operations: Sequence[Operation]) -> str:
        """Translate a condition over ``old`` and ``new``. Raises ``ValueError``."""
        del operations  # which row is absent is settled for each trigger
        return translated(text, shape, dialect="sqlite")

    def stamp(self, connection: Connection) -> int:
        """Read the pragma that changes when another connection has committed."""
        return int(connection.exec_driver_sql("PRAGMA data_version").scalar_one())

    def waker(self, engine: Engine, source: str) -> Waker | None:
        """Give nothing: the stamp is cheap enough to look at often."""
        del engine, source
        return None

    def now(self, connection: Connection) -> float:
        """Give this machine's clock: all that open a SQLite file are on it."""
        del connection
        return time.time()

    def claim(self, connection: Connection, claim: Claim) -> list[Event]:
        """Look for heads without a lock; take the write lock only where there are some."""
        if not self._encoding:
            self._encoding = str(connection.exec_driver_sql("PRAGMA encoding").scalar_one())
        return self._heads.claim(connection, claim)

    def image(self, text: str) -> Image:
        """Read an image in SQLite's own literals."""
        return read_image(text, self._encoding or "UTF-8")

    def row_image(self, shape: Shape, row: str, large: int = IMAGE_BYTES) -> str:
        """Give the expression that the triggers have."""
        return row_image(shape, row, large)

    def row_key(self, shape: Shape, row: str) -> str:
        """Give the expression that the triggers have."""
        return row_key(shape, row)

    def is_busy(self, error: SQLAlchemyError) -> bool:
        """Another connection holds the lock that was needed."""
        return _code(error).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))

    def is_lost(self, error: SQLAlchemyError) -> bool:
        """Say whether the file cannot be read any longer, or the connection was closed."""
        lost = ("SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_NOTADB")
        return _code(error).startswith(lost) or "closed database" in str(error)

    def trouble(self, error: SQLAlchemyError, *, place: str, name: str) -> LegacyError:
        """Turn a driver's error into ours, by SQLite's own error code."""
        said = str(error.orig) if isinstance(error, DBAPIError) else type(error).__name__
        if self.is_busy(error):
            remedy = "find the program that keeps a transaction open; nothing is lost meanwhile"
            return LegacyUnavailable(
                "the database is locked", place=place, value=said, remedy=remedy
            )
        code = _code(error)
        if code.startswith("SQLITE_CANTOPEN"):
            remedy = "mend url, or create the database: it is never created from here"
            return LegacyUnavailable("cannot be opened", place=place, value=said, remedy=remedy)
        if code.startswith("SQLITE_READONLY"):
            remedy = "give this user write rights on the file and its folder"
            return LegacyError("the database is read-only", place=place, value=said, remedy=remedy)
        if f"no such table: {TABLE_NAME}" in said:
            remedy = f"run 'fig adapter install {name}'"
            return LegacyError("capture is not installed", place=place, value=said, remedy=remedy)
        if code in ("SQLITE_NOTADB", "SQLITE_CORRUPT"):
            remedy = "check the file with sqlite3's '.recover' or 'PRAGMA integrity_check'"
            return LegacyError("not a sound SQLite file", place=place, value=said, remedy=remedy)
        return LegacyError("the database refused", place=place, value=f"{code} {said}".strip())


def _text(raw: bytes) -> str:
    # What a legacy program wrote need not be UTF-8; its bytes must come back as they were.
    return raw.decode("utf-8", "surrogateescape")


def _code(error: SQLAlchemyError) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else None
    return str(getattr(cause, "sqlite_errorname", ""))
