"""Table capture on MySQL and MariaDB: connections, and what stands in the database."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from ....errors import ConfigError, LegacyError, MissingExtra
from ..dialect import Capture, Claim, Event, Image, Operation, Piece, Shape, Waker
from ..events import TABLE_NAME
from ..when import translated
from . import troubles
from .heads import Heads
from .image import read_image
from .lease import BEGIN, lease
from .modes import is_good, mended
from .shared import shared
from .trigger import trigger
from .values import IMAGE_BYTES, row_image, row_key
from .words import NOW, ident

__all__ = ["MySqlCapture"]

_SESSION: Final = (
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    "SET SESSION time_zone = '+00:00'",
)
_CONNECT_SECONDS: Final = 10
_INTRODUCED: Final = re.compile(r" *(?:_utf8mb4)? *X'")


class _Cursor(Protocol):
    def execute(self, query: str) -> object: ...
    def fetchone(self) -> tuple[str] | None: ...
    def close(self) -> None: ...


class _Driver(Protocol):
    def cursor(self) -> _Cursor: ...


class MySqlCapture:
    """MariaDB from 10.6 and MySQL from 8.0, through PyMySQL."""

    begin = BEGIN
    installs_atomically = False
    operations: frozenset[Operation] = frozenset({"insert", "update", "delete"})

    def __init__(self) -> None:
        self._heads = Heads()
        self._home = ""

    def engine(
        self,
        url: URL,
        root: Path,  # noqa: ARG002 there are no files
        *,
        place: str,
        patience: float,
        password: str = "",
    ) -> Engine:
        """Connect with PyMySQL; a wait for a lock is bounded, in whole seconds."""
        if url.drivername not in ("mysql+pymysql", "mariadb+pymysql"):
            expected = "mysql+pymysql://user@host/database"
            raise ConfigError(
                "another driver", place=place, value=url.drivername, expected=expected
            )
        if not url.database:
            expected = "mysql+pymysql://user@host/database"
            raise ConfigError("names no database", place=place, expected=expected)
        self._home = url.database
        if password:
            url = url.set(password=password)
        url = url.update_query_dict({"charset": "utf8mb4"})
        engine = _engine(url)
        seconds = max(1, round(patience))

        @event.listens_for(engine, "connect")
        def prepare(connection: _Driver, _record: object) -> None:
            _prepare(connection.cursor(), seconds)

        return engine

    def shared(self) -> Sequence[Piece]:
        """Give our tables and the indexes of ``heads.py``."""
        return shared()

    def pieces(self, capture: Capture) -> Sequence[Piece]:
        """Give one AFTER trigger an operation. Raises ``ValueError`` for what MySQL has not."""
        if capture.level != "row":
            raise ValueError("MySQL has triggers for each row only")
        if not self.operations.issuperset(capture.operations):
            raise ValueError("MySQL has triggers for insert, update and delete only")
        return [trigger(capture, operation, self._home) for operation in capture.operations]

    def standing(self, connection: Connection, capture: Capture) -> Mapping[str, str]:
        """Read the triggers on the table that write to ours; MySQL keeps bodies as written."""
        shape = capture.shape
        rows = connection.exec_driver_sql(
            "SELECT TRIGGER_NAME, ACTION_TIMING, EVENT_MANIPULATION, ACTION_STATEMENT, SQL_MODE"
            " FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = COALESCE(%s, DATABASE())"
            " AND EVENT_OBJECT_TABLE = %s AND LOCATE(%s, ACTION_STATEMENT)",
            (shape.schema or None, shape.table, ident(TABLE_NAME)),
        )
        table = ident(shape.table, shape.schema)
        found = {}
        for name, timing, manipulation, body, mode in rows:
            head = f"CREATE TRIGGER {ident(name, shape.schema)} {timing} {manipulation} ON {table}"
            # Under a mode that bends what it does it is not as it was created.
            bent = "" if is_good(str(mode)) else f"/* sql_mode {mode} */ "
            found[str(name)] = f"{bent}{head} FOR EACH ROW\n{body}"
        # Text beyond ASCII is shown without the character set that was written before it.
        made = {piece.name: piece.create for piece in self.pieces(capture)}
        same = [
            name for name in found.keys() & made.keys() if _bare(found[name]) == _bare(made[name])
        ]
        return {**found, **{name: made[name] for name in same}}

    def users(self, connection: Connection) -> set[str]:
        """Read the triggers of the database that write to the capture table."""
        rows = connection.exec_driver_sql(
            "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS"
            " WHERE TRIGGER_SCHEMA = DATABASE() AND LOCATE(%s, ACTION_STATEMENT)"
            " OR LOCATE(CONCAT(%s, DATABASE(), %s), ACTION_STATEMENT)",
            (ident(TABLE_NAME), "INSERT INTO `", f"`.{ident(TABLE_NAME)}"),
        )
        return {name for (name,) in rows}

    def columns(self, connection: Connection, table: str, schema: str = "") -> dict[str, str]:
        """Give every column's type in the server's own words, invisible ones too.

        SQLAlchemy's inspector does not know all types, and leaves precisions and labels out. Text
        has its character set, be it the table's.
        """
        rows = connection.exec_driver_sql(
            "SELECT COLUMN_NAME, CONCAT(COLUMN_TYPE,"
            " IFNULL(CONCAT(' character set ', CHARACTER_SET_NAME), ''))"
            " FROM information_schema.COLUMNS"
            " WHERE TABLE_SCHEMA = COALESCE(%s, DATABASE()) AND TABLE_NAME = %s"
            " ORDER BY ORDINAL_POSITION",
            (schema or None, table),
        )
        return {name: str(declared) for name, declared in rows}

    def when(
        self,
        text: str,
        shape: Shape,
        operations: Sequence[Operation],  # noqa: ARG002 none is without its condition
    ) -> str:
        """Translate a condition over ``old`` and ``new``. Raises ``ValueError``."""
        return translated(text, shape, dialect="mysql")

    def stamp(self, connection: Connection) -> int:  # noqa: ARG002
        """Nothing cheap tells: the highest id shows neither late commits nor freed leases."""
        return -1

    def waker(self, engine: Engine, source: str) -> Waker | None:  # noqa: ARG002
        """Nothing: there is only polling."""
        return None

    def claim(self, connection: Connection, claim: Claim) -> list[Event]:
        """Look for heads without locks, then lock and lease those."""
        ids = self._heads.find(connection, claim)
        return lease(connection, claim, ids) if ids else []

    def now(self, connection: Connection) -> float:
        """Give the server's clock."""
        return float(connection.exec_driver_sql(f"SELECT {NOW}").scalar_one())

    def image(self, text: str) -> Image:
        """Read an image as ``values.py`` writes it."""
        return read_image(text)

    def row_image(self, shape: Shape, row: str, large: int = IMAGE_BYTES) -> str:
        """Give the expression that the triggers have."""
        return row_image(shape, row, large)

    def row_key(self, shape: Shape, row: str) -> str:
        """Give the expression that the triggers have."""
        return row_key(shape, row)

    def is_busy(self, error: SQLAlchemyError) -> bool:
        """Say whether somebody else holds a lock, or it was a deadlock."""
        return troubles.is_busy(error)

    def is_lost(self, error: SQLAlchemyError) -> bool:
        """Say whether the connection is gone."""
        return troubles.is_lost(error)

    def trouble(self, error: SQLAlchemyError, *, place: str, name: str) -> LegacyError:
        """Turn a driver's error into ours, by the server's number."""
        return troubles.trouble(error, place=place, name=name)


def _engine(url: URL) -> Engine:
    try:
        return create_engine(
            url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={"connect_timeout": _CONNECT_SECONDS},
        )
    except ImportError as error:
        raise MissingExtra(
            "MySQL and MariaDB need PyMySQL",
            place="tables",
            value=str(error),
            remedy="pip install 'stranglerfig[mysql]'",
        ) from error


def _prepare(cursor: _Cursor, seconds: int) -> None:
    for statement in _SESSION:
        cursor.execute(statement)
    for wait in ("innodb_lock_wait_timeout", "lock_wait_timeout"):
        cursor.execute(f"SET SESSION {wait} = {seconds}")
    cursor.execute("SELECT @@SESSION.sql_mode")
    (mode,) = cursor.fetchone() or ("",)
    if not is_good(mode):
        cursor.execute(f"SET SESSION sql_mode = '{mended(mode)}'")
    cursor.close()


def _bare(statement: str) -> str:
    return _INTRODUCED.sub("X'", statement)
