"""What a walk over the rows of a captured table stands on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final, Protocol, runtime_checkable

import msgspec
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ...errors import LegacyError
from .dialect import Capture, Dialect

__all__ = ["Again", "Ground", "Grounded"]

_SESSION: Final = {
    "postgresql": ("SET default_transaction_isolation = 'read committed'",),
    # What is locked are rows, and not the gaps between them into which legacy inserts.
    "mysql": ("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",),
}
# MariaDB waits for no lock at all; elsewhere NOWAIT says so in each statement.
_NEVER_WAIT: Final = "SET SESSION innodb_lock_wait_timeout = 0"
_NO_NUMBER: Final = 1467
"""What MariaDB says where a statement of legacy's holds the lock of AUTO_INCREMENT."""


class Again(Exception):
    """Nothing of a chunk was written; it is to be taken once more, after something was waited for.

    ``reason`` says what that is, for people; empty where it is nothing.
    """

    def __init__(self, reason: str = "", seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.reason, self.seconds = reason, seconds


class Ground(msgspec.Struct, frozen=True):
    """A captured table in its database. Given by ``TableSource.ground``; it blocks.

    ``place`` names it in errors, without a password. ``former`` are the columns that were captured
    before others were, the last ones first, where all of them are still there.
    """

    engine: Engine
    dialect: Dialect
    capture: Capture
    place: str
    former: tuple[Capture, ...] = ()

    @property
    def source(self) -> str:
        """The source's name."""
        return self.capture.source

    @property
    def backend(self) -> str:
        """``sqlite``, ``postgresql`` or ``mysql``."""
        name = self.engine.dialect.name
        return "mysql" if name == "mariadb" else name

    @property
    def row(self) -> str:
        """The alias of a row, as conditions of triggers call it."""
        return "NEW" if self.backend == "mysql" else "new"

    @property
    def old(self) -> str:
        """The alias of the row as it was before."""
        return "OLD" if self.backend == "mysql" else "old"

    @property
    def share_lock(self) -> str:
        """The end of a select whose rows nobody may change: MariaDB's words are not MySQL's."""
        mariadb = getattr(self.engine.dialect, "is_mariadb", False)
        return "LOCK IN SHARE MODE NOWAIT" if mariadb else "FOR SHARE NOWAIT"

    @contextlib.contextmanager
    def connected(self) -> Iterator[Connection]:
        """Give a connection on which no lock is waited for. Raises ``LegacyError``."""
        try:
            with self.engine.connect() as connection:
                for statement in _SESSION.get(self.backend, ()):
                    connection.exec_driver_sql(statement)
                if getattr(connection.dialect, "is_mariadb", False):
                    connection.exec_driver_sql(_NEVER_WAIT)
                yield connection
        except SQLAlchemyError as error:
            raise self.trouble(error) from error

    @contextlib.contextmanager
    def writing(self, connection: Connection) -> Iterator[None]:
        """Make a transaction around what follows; nothing of it stays where that raises."""
        connection.exec_driver_sql(self.dialect.begin)
        try:
            yield
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            with contextlib.suppress(SQLAlchemyError):
                connection.exec_driver_sql("ROLLBACK")
            raise

    def is_busy(self, error: SQLAlchemyError) -> bool:
        """Say whether somebody else holds a lock, so that it is to be tried again."""
        cause = error.orig if isinstance(error, DBAPIError) else None
        code = cause.args[0] if cause is not None and cause.args else None
        return self.dialect.is_busy(error) or (self.backend == "mysql" and code == _NO_NUMBER)

    def trouble(self, error: SQLAlchemyError) -> LegacyError:
        """Turn what SQLAlchemy raised into our own tree."""
        return self.dialect.trouble(error, place=self.place, name=self.source)


@runtime_checkable
class Grounded(Protocol):
    """An adapter over whose rows one can walk."""

    def ground(self) -> Ground:
        """Give what a walk stands on; blocks. Raises ``LegacyError`` where nothing is captured."""
