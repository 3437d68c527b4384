"""Table capture on PostgreSQL 13 and later, with psycopg."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from ....errors import ConfigError, LegacyError, MissingExtra
from ..dialect import Capture, Claim, Event, Image, Operation, Piece, Shape, Waker
from ..when import translated
from . import trouble
from .claim import Heads
from .columns import SETTINGS, declared_types, is_large
from .image import read_image
from .marks import Marks
from .row import columns_of, image_apart, key
from .shared import shared
from .standing import standing, users
from .trigger import Triggers, channel

__all__ = ["PostgreSqlCapture"]

_CONNECT: Final = {
    "client_encoding": "utf8",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
_STATEMENT_SECONDS: Final = 60

_SESSION: Final = """\
SELECT set_config('search_path', quote_ident(%s) || ', ' || current_setting('search_path'), false),
  set_config('lock_timeout', %s, false), set_config('statement_timeout', %s, false),
  set_config(name, value, false) FROM unnest(%s::text[], %s::text[]) AS s(name, value)"""


class PostgreSqlCapture:
    """PostgreSQL. ``home`` is the schema of our tables.

    ``notify``: triggers notify ``always``, ``never``, or where the server has no two-phase commits
    (``auto``): a transaction that notifies cannot be prepared. ``replicated``: they also fire for
    rows that come by logical replication.
    """

    begin = "BEGIN"
    installs_atomically = True
    operations: frozenset[Operation] = frozenset({"insert", "update", "delete", "truncate"})

    def __init__(
        self,
        home: str = "public",
        *,
        notify: Literal["auto", "always", "never"] = "auto",
        replicated: bool = False,
    ) -> None:
        self.home = home
        self._notify = notify
        self._triggers = Triggers(home=home, notify=notify, replicated=replicated)
        self._heads = Heads(home)
        self._marks = Marks(home)

    def engine(
        self, url: URL, root: Path, *, place: str, patience: float, password: str = ""
    ) -> Engine:
        """Connect with psycopg, to a server that is told how values are to be written."""
        del root
        if not url.database:
            expected = "postgresql://USER@HOST/DATABASE"
            raise ConfigError("names no database", place=place, expected=expected)
        url = url.set(drivername="postgresql+psycopg", password=password or url.password)
        try:
            engine = create_engine(
                url,
                poolclass=NullPool,
                pool_reset_on_return=None,
                isolation_level="AUTOCOMMIT",
                hide_parameters=True,
                connect_args=_CONNECT,
                execution_options={"no_parameters": True},
            )
        except ImportError as error:
            remedy = "pip install 'stranglerfig[postgresql]'"
            raise MissingExtra(
                "PostgreSQL needs psycopg", place=place, value=str(error), remedy=remedy
            ) from error
        event.listen(engine, "connect", self._tell(patience))
        return engine

    def _tell(self, patience: float) -> Any:
        names, values = list(SETTINGS), list(SETTINGS.values())
        milliseconds = str(int(patience * 1000)), str(_STATEMENT_SECONDS * 1000)

        def tell(connection: Any, _: object) -> None:
            if connection.info.parameter_status("server_encoding") == "SQL_ASCII":
                _take_any_bytes(connection)
            connection.execute(_SESSION, (self.home, *milliseconds, names, values))

        return tell

    def shared(self) -> Sequence[Piece]:
        """Give the schema, the tables, a sequence and the indexes of ``claim.py``."""
        return shared(self.home)

    def pieces(self, capture: Capture) -> Sequence[Piece]:
        """Give a function and a trigger an operation."""
        return self._triggers.pieces(capture)

    def standing(self, connection: Connection, capture: Capture) -> Mapping[str, str]:
        """Read the catalogue: the source's functions, and its triggers on this table."""
        return standing(connection, self.home, self._triggers, capture)

    def users(self, connection: Connection) -> set[str]:
        """Read the catalogue: all triggers that call functions of ours."""
        return users(connection, self.home)

    def columns(self, connection: Connection, table: str, schema: str = "") -> Mapping[str, str]:
        """Give every column's type in PostgreSQL's own words."""
        return declared_types(connection, table, schema)

    def when(self, text: str, shape: Shape, operations: Sequence[Operation]) -> str:
        """Translate a condition; in PostgreSQL a row that is not there is all null."""
        del operations
        return translated(text, shape, dialect="postgres")

    def stamp(self, connection: Connection) -> int:
        """Give -1: a claim that finds nothing is as cheap as any look."""
        del connection
        return -1

    def waker(self, engine: Engine, source: str) -> Waker | None:
        """Listen; None where the triggers do not notify."""
        from .waker import Listener  # noqa: PLC0415 it needs psycopg

        if self._notify == "never":
            return None
        if self._notify == "auto":
            with engine.connect() as connection:
                asked = "SELECT current_setting('max_prepared_transactions')"
                if connection.exec_driver_sql(asked).scalar_one() != "0":
                    return None
        return Listener(engine, channel(source))

    def claim(self, connection: Connection, claim: Claim) -> list[Event]:
        """Claim in one statement, by the server's clock."""
        return self._heads.claim(connection, claim)

    def mark(
        self, connection: Connection, held: Sequence[tuple[int, str]], now: float
    ) -> set[tuple[int, str]]:
        """Mark them in one statement that waits for no disk."""
        return self._marks.mark(connection, held, now)

    def now(self, connection: Connection) -> float:
        """Give the server's clock."""
        asked = "SELECT date_part('epoch', clock_timestamp())"
        return float(connection.exec_driver_sql(asked).scalar_one())

    def image(self, text: str) -> Image:
        """Read an image."""
        return read_image(text)

    def row_image(self, shape: Shape, row: str, large: int = 65_536) -> str:
        """Give the expression that the triggers have; large values are kept nowhere."""
        columns = columns_of(shape, large)
        return image_apart(
            columns,
            value=lambda at: columns[at].of(row),
            large=lambda at: is_large(columns[at], row, large),
            reference=lambda _: "''",
        )

    def row_key(self, shape: Shape, row: str) -> str:
        """Give the expression that the triggers have."""
        return key(shape, row)

    def is_busy(self, error: SQLAlchemyError) -> bool:
        """Somebody else holds a lock, or won a race."""
        return trouble.is_busy(error)

    def is_lost(self, error: SQLAlchemyError) -> bool:
        """Say whether the connection is gone."""
        return trouble.is_lost(error)

    def trouble(self, error: SQLAlchemyError, *, place: str, name: str) -> LegacyError:
        """Turn an error into ours, by its SQLSTATE."""
        return trouble.trouble(error, place=place, name=name)


def _take_any_bytes(connection: Any) -> None:
    """Read text of a database without an encoding: it need not be UTF-8, and must come back."""
    from psycopg.types.string import TextLoader  # noqa: PLC0415 an extra

    class AnyText(TextLoader):
        def load(self, data: Any) -> str:
            return bytes(data).decode("utf-8", "surrogateescape")

    connection.execute("SET client_encoding TO 'SQL_ASCII'")
    for name in ("text", "varchar", "bpchar", "name"):
        connection.adapters.register_loader(name, AnyText)
