"""Table capture on SQLite: claims, what stands in the database, and what its errors mean."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import (
    case,
    create_engine,
    exists,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.elements import ColumnElement

from ....errors import ConfigError, LegacyError, LegacyUnavailable
from ..dialect import Claim, Event, Image, Operation, Shape
from ..events import EVENTS, SUSPECT, TABLE_NAME
from .image import read_image
from .trigger import ident, is_of, trigger

__all__ = ["SqliteCapture"]

_WINDOW: Final = 1_000
_WINDOWS: Final = 4


class SqliteCapture:
    """SQLite, through the files of any program that writes to it."""

    begin = "BEGIN IMMEDIATE"

    def __init__(self) -> None:
        self._walk = 0
        self._encoding = ""

    def engine(self, url: URL, root: Path, *, place: str, patience: float) -> Engine:
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

    def triggers(
        self, shape: Shape, source: str, operations: Sequence[Operation]
    ) -> dict[str, str]:
        """Give one AFTER trigger an operation, ``fig_<table>_<operation>``."""
        return {
            f"fig_{shape.table}_{operation}": trigger(shape, source, operation)
            for operation in operations
        }

    def installed(self, connection: Connection, table: str) -> dict[str, str]:
        """Read ``sqlite_master``: triggers of the table that write to the capture table."""
        rows = connection.exec_driver_sql(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
            " AND lower(tbl_name) = lower(?) AND instr(sql, ?)",
            (table, ident(TABLE_NAME)),
        )
        return {str(name): str(sql) for name, sql in rows}

    def is_of(self, statement: str, source: str) -> bool:
        """Look for the source where our triggers write it."""
        return is_of(statement, source)

    def users(self, connection: Connection) -> set[str]:
        """Read ``sqlite_master``: all triggers that write to the capture table."""
        rows = connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND instr(sql, ?)",
            (ident(TABLE_NAME),),
        )
        return {name for (name,) in rows}

    def stamp(self, connection: Connection) -> int:
        """Read the pragma that changes when another connection has committed."""
        return int(connection.exec_driver_sql("PRAGMA data_version").scalar_one())

    def claim(self, connection: Connection, claim: Claim) -> list[Event]:
        """Look for heads without a lock; take the write lock only where there are some."""
        if not self._encoding:
            self._encoding = str(connection.exec_driver_sql("PRAGMA encoding").scalar_one())
        ids = self._suspect(connection, claim) if claim.suspects else []
        if len(ids) < claim.limit:
            ids += self._heads(connection, claim.source, claim.limit - len(ids), claim.now)
        if not ids:
            return []
        columns = EVENTS.c
        statement = (
            update(EVENTS)
            .where(columns.id.in_(ids), columns.done_at.is_(None))
            .where(*_claimable(columns, claim.source, claim.now))
            .values(
                lease_token=claim.token,
                lease_until=claim.until,
                attempts=columns.attempts + 1,
                lost=columns.lost + case((columns.lease_token.is_(None), 0), else_=1),
            )
            .returning(*(columns[name] for name in Event.__struct_fields__))
        )
        rows = connection.execute(statement).mappings().all()
        return sorted((Event(**row) for row in rows), key=lambda event: event.id)

    def image(self, text: str) -> Image:
        """Read an image in SQLite's own literals."""
        return read_image(text, self._encoding)

    def is_busy(self, error: SQLAlchemyError) -> bool:
        """Another connection holds the lock that was needed."""
        return _code(error).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))

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

    def _suspect(self, connection: Connection, claim: Claim) -> list[int]:
        columns = EVENTS.c
        oldest = (
            select(columns.id)
            .where(columns.source == claim.source, columns.done_at.is_(None))
            .where(columns.lost >= literal_column(str(SUSPECT)))  # as the index has it
            .where(*_claimable(columns, claim.source, claim.now))
            .order_by(columns.id)
            .limit(1)
        )
        return list(connection.execute(oldest).scalars())

    def _heads(self, connection: Connection, source: str, limit: int, now: float) -> list[int]:
        """Give claimable heads of keys from the oldest window, then from a few further ones.

        A key with very many waiting rows fills the oldest window but has one head: so each call
        goes on from where the last one stopped, and no key starves behind a deep one, nor costs
        a walk over everything (NOT EXISTS over all rows: 1.5 s for one deep key of 200,000).
        """
        found, end = _window(connection, source, 0, limit, now)
        if len(found) >= limit or end is None:
            self._walk = 0
            return found
        self._walk = max(self._walk, end)
        for _ in range(_WINDOWS):
            more, end = _window(connection, source, self._walk, limit - len(found), now)
            found += more
            full = len(found) >= limit
            self._walk = more[-1] if full else end or 0
            if full or not self._walk:
                break
        return found


def _window(
    connection: Connection, source: str, after: int, limit: int, now: float
) -> tuple[list[int], int | None]:
    """Give heads among the next waiting rows, and the last of these where a window is full."""
    columns = EVENTS.c
    waiting = (columns.source == source, columns.done_at.is_(None), columns.id > after)
    last = select(columns.id).where(*waiting).order_by(columns.id).limit(1).offset(_WINDOW - 1)
    end = connection.execute(last).scalar()
    heads = select(columns.id).where(*waiting, columns.lost < SUSPECT)
    if end is not None:
        heads = heads.where(columns.id <= end)
    heads = heads.where(*_claimable(columns, source, now)).order_by(columns.id).limit(limit)
    return list(connection.execute(heads).scalars()), end


def _claimable(
    row: ReadOnlyColumnCollection[str, Any], source: str, now: float
) -> tuple[ColumnElement[bool], ...]:
    """Due, not leased, and no older event of its key still waits."""
    older = EVENTS.alias("older")
    return (
        row.next_at <= now,
        or_(row.lease_until.is_(None), row.lease_until < now),
        ~exists().where(
            older.c.source == source,
            older.c.key == row.key,
            older.c.done_at.is_(None),
            older.c.id < row.id,
        ),
    )


def _text(raw: bytes) -> str:
    # What a legacy program wrote need not be UTF-8; its bytes must come back as they were.
    return raw.decode("utf-8", "surrogateescape")


def _code(error: SQLAlchemyError) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else None
    return str(getattr(cause, "sqlite_errorname", ""))
