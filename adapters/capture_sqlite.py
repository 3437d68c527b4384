"""Table capture on SQLite: triggers, claims, and what its errors mean.

A trigger here cannot catch an error of its own, so what it does must not be able to fail: no
constraint that a row could break, no value that JSON cannot hold, no text longer than SQLite
allows. It needs the JSON functions in the SQLite *of the legacy program* (built in since 3.38 and
usual since 3.9) and partial indexes (3.8). ``REPLACE`` is captured as an insert; the delete that it
implies fires a trigger only where the writer sets ``PRAGMA recursive_triggers``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import Select, String, create_engine, exists, func, or_, select, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.elements import ColumnElement

from ..errors import ConfigError, LegacyError, LegacyUnavailable
from .capture import Event, Operation, Shape
from .events import EVENTS, TABLE_NAME

__all__ = ["SqliteCapture"]

_DIALECT: Final = sqlite.dialect()
_MOST_BYTES: Final = 4_194_304
"""A longer value is not copied into an event: its length stands there."""
_ROW_BYTES: Final = 900_000_000
"""SQLite refuses text over 1e9 bytes, and a refusal would fail the legacy statement."""
_GROUP: Final = 40
"""Columns in one json_object(): older builds allow 100 arguments."""
_EVENT_ID: Final = "lower(hex(randomblob(16)))"
_WINDOW: Final = 1_000
_WINDOWS: Final = 4
_BUSY_SECONDS: Final = 1.0


class SqliteCapture:
    """SQLite, through the files of any program that writes to it."""

    begin = "BEGIN IMMEDIATE"

    def __init__(self) -> None:
        self._walk = 0

    def engine(self, url: URL, root: Path) -> Engine:
        """Open the file for reading and writing, never creating it."""
        if not url.database or url.database == ":memory:":
            expected = "sqlite:///path/of/the/legacy.db"
            raise ConfigError("names no file", value=url.render_as_string(), expected=expected)
        path = (root / url.database).resolve()

        def connect() -> sqlite3.Connection:
            connection = sqlite3.connect(
                f"file:{quote(str(path))}?mode=rw",
                uri=True,
                timeout=_BUSY_SECONDS,
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
            f"fig_{shape.table}_{operation}": _trigger(shape, source, operation)
            for operation in operations
        }

    def installed(self, connection: Connection, table: str) -> dict[str, str]:
        """Read ``sqlite_master``: triggers of the table that write to the capture table."""
        rows = connection.exec_driver_sql(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
            " AND lower(tbl_name) = lower(?) AND instr(sql, ?)",
            (table, _ident(TABLE_NAME)),
        )
        return {name: sql for name, sql in rows}

    def is_of(self, statement: str, source: str) -> bool:
        """Look for the source where our triggers write it."""
        return f"{_literal(source)}, {_EVENT_ID}," in statement

    def users(self, connection: Connection) -> set[str]:
        """Read ``sqlite_master``: all triggers that write to the capture table."""
        rows = connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND instr(sql, ?)",
            (_ident(TABLE_NAME),),
        )
        return {name for (name,) in rows}

    def stamp(self, connection: Connection) -> int:
        """Read the pragma that changes when another connection has committed."""
        return int(connection.exec_driver_sql("PRAGMA data_version").scalar_one())

    def claim(
        self, connection: Connection, *, source: str, limit: int, token: str, now: float, until: float
    ) -> list[Event]:
        """Look for heads without a lock; take the write lock only where there are some."""
        ids = self._heads(connection, source, limit, now)
        if not ids:
            return []
        statement = (
            update(EVENTS)
            .where(EVENTS.c.id.in_(ids), EVENTS.c.done_at.is_(None), *_claimable(EVENTS.c, source, now))
            .values(lease_token=token, lease_until=until, attempts=EVENTS.c.attempts + 1)
            .returning(*(EVENTS.c[name] for name in Event.__struct_fields__))
        )
        rows = connection.execute(statement).all()
        return sorted((Event(**row._mapping) for row in rows), key=lambda event: event.id)

    def is_busy(self, error: SQLAlchemyError) -> bool:
        """Another connection holds the lock that was needed."""
        return _code(error).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))

    def trouble(self, error: SQLAlchemyError, *, place: str, name: str) -> LegacyError:
        """Turn a driver's error into ours, by SQLite's own error code."""
        said = str(error.orig) if isinstance(error, DBAPIError) else type(error).__name__
        if self.is_busy(error):
            remedy = "find the program that keeps a transaction open; nothing is lost meanwhile"
            return LegacyUnavailable("the database is locked", place=place, value=said, remedy=remedy)
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

    def _heads(self, connection: Connection, source: str, limit: int, now: float) -> list[int]:
        """Give claimable heads of keys from the oldest window, then from a few further ones.

        A key with very many waiting rows fills the oldest window but has one head: so each call
        goes on from where the last one stopped, and no key starves behind a deep one, nor costs
        a walk over everything (NOT EXISTS over all rows: 1.5 s for one deep key of 200,000).
        """
        found, last, size = self._window(connection, source, 0, limit, now)
        if len(found) >= limit or size < _WINDOW:
            self._walk = 0
            return found
        self._walk = max(self._walk, last)
        for _ in range(_WINDOWS):
            more, last, size = self._window(
                connection, source, self._walk, limit - len(found), now
            )
            found += more
            self._walk = last if size == _WINDOW else 0
            if len(found) >= limit or not self._walk:
                break
        return list(dict.fromkeys(found))

    def _window(
        self, connection: Connection, source: str, after: int, limit: int, now: float
    ) -> tuple[list[int], int, int]:
        window = _window(source, after).subquery("w")
        heads = select(window.c.id).where(*_claimable(window.c, source, now))
        found = list(connection.execute(heads.order_by(window.c.id).limit(limit)).scalars())
        if len(found) >= limit:
            return found, found[-1], _WINDOW
        end = select(func.coalesce(func.max(window.c.id), after), func.count())
        last, size = connection.execute(end.select_from(window)).one()
        return found, last, size


def _window(source: str, after: int) -> Select[tuple[int, str, float, float | None]]:
    columns = EVENTS.c
    return (
        select(columns.id, columns.key, columns.next_at, columns.lease_until)
        .where(columns.source == source, columns.done_at.is_(None), columns.id > after)
        .order_by(columns.id)
        .limit(_WINDOW)
    )


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


def _trigger(shape: Shape, source: str, operation: Operation) -> str:
    row = "OLD" if operation == "delete" else "NEW"
    kinds = _kinds(shape, row)
    if operation == "update":
        kinds = f"{_kinds(shape, 'OLD')} || '>' || {kinds}"
    return _TRIGGER.format(
        name=_ident(f"fig_{shape.table}_{operation}"),
        operation=operation,
        table=_ident(shape.table),
        events=_ident(TABLE_NAME),
        source=_literal(source),
        event_id=_EVENT_ID,
        key=_key(shape, row),
        before=_image(shape, "OLD") if operation != "insert" else "NULL",
        after=_image(shape, "NEW") if operation != "delete" else "NULL",
        kinds=kinds,
        digest=shape.digest,
    )


_TRIGGER: Final = """\
CREATE TRIGGER {name} AFTER {operation} ON {table} FOR EACH ROW
BEGIN
  INSERT INTO {events}
    (source, event_id, "key", op, "before", "after", kinds, schema_hash, created_at)
  VALUES (
    {source}, {event_id},
    {key},
    '{operation}',
    {before},
    {after},
    {kinds},
    '{digest}',
    (julianday('now') - 2440587.5) * 86400.0
  );
END"""


def _image(shape: Shape, row: str) -> str:
    most = min(_MOST_BYTES, _ROW_BYTES // (6 * len(shape.columns)))  # JSON may need \\u0000: six
    pairs = [f"{_literal(name)}, {_value(row, name, most)}" for name, _ in shape.columns]
    groups = [",\n      ".join(pairs[at : at + _GROUP]) for at in range(0, len(pairs), _GROUP)]
    objects = [f"json_object(\n      {group}\n    )" for group in groups]
    # Values are text, null or a number, so a brace at an end is the object's own.
    left = [f"rtrim({text}, '}}')" for text in objects[:-1]] + objects[-1:]
    return " || ',' || ".join(left[:1] + [f"ltrim({text}, '{{')" for text in left[1:]])


def _value(row: str, name: str, most: int) -> str:
    """Give the exact text of a value of any type, for SQLite types values and not columns."""
    value = f"{row}.{_ident(name)}"
    return (
        f"CASE typeof({value}) WHEN 'text' THEN"
        f" CASE WHEN length(CAST({value} AS BLOB)) > {most}"
        f" THEN length(CAST({value} AS BLOB)) ELSE {value} END"
        f" WHEN 'blob' THEN"
        f" CASE WHEN length({value}) > {most} THEN length({value}) ELSE hex({value}) END"
        f" WHEN 'real' THEN {_real(value)} ELSE CAST({value} AS TEXT) END"
    )


def _real(value: str) -> str:
    short = f"printf('%!.15g', {value})"
    return (
        f"CASE WHEN CAST({short} AS REAL) = {value} THEN {short}"
        f" ELSE printf('%!.17g', {value}) END"
    )


def _key(shape: Shape, row: str) -> str:
    if not shape.key:
        names = {name.lower() for name in shape.all_columns}
        address = next(name for name in ("rowid", "_rowid_", "oid") if name not in names)
        return f"CAST({row}.{_ident(address)} AS TEXT)"
    parts = [_value(row, name, _MOST_BYTES) for name in shape.key]
    if len(parts) == 1:
        return f"coalesce(CAST({parts[0]} AS TEXT), '')"
    return f"json_array({', '.join(parts)})"


def _kinds(shape: Shape, row: str) -> str:
    return " || ".join(
        f"substr(typeof({row}.{_ident(name)}), 1, 1)" for name, _ in shape.columns
    )


def _ident(name: str) -> str:
    return _DIALECT.identifier_preparer.quote_identifier(name)


def _literal(text: str) -> str:
    process = String().literal_processor(_DIALECT)
    assert process is not None  # noqa: S101 - String has one in every dialect
    return process(text)


def _text(raw: bytes) -> str:
    # What a legacy program wrote need not be UTF-8; its bytes must come back as they were.
    return raw.decode("utf-8", "surrogateescape")


def _code(error: SQLAlchemyError) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else None
    return str(getattr(cause, "sqlite_errorname", ""))
