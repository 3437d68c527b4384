"""Brings a store's tables to the version that this code knows, and says where they stand."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from ...errors import StoreError
from ...store.database import Database
from ...store.postgresql import writing
from ...store.tables import metadata, schema_version
from ...store.trouble import unavailable
from ...store.version import Version, version
from .marks import begin_marks, keep_oldest
from .others import check_nobody_older

__all__ = ["current", "head", "standing", "upgrade"]

_AGAIN: Final = 0.01
_WAIT: Final = 10.0  # seconds; two that upgrade at once take turns, and the second finds it done


def upgrade(url: str, *, contract: bool = False) -> None:
    """Make the store where there is none, and bring its tables to the newest version, all or none.

    Called by ``fig init`` and ``fig check --migrate``; harmless where nothing is to be done.
    Processes of the version before go on beside those of this one, until it is called to
    ``contract``. Raises ``StoreError``, also where processes live that would be shut out.
    """
    database = Database(url, create=True)
    try:
        _make_file(database)
        engine = database.engine.execution_options(**writing(database.engine, _WAIT))
        with engine.begin() as connection:
            _upgrade(connection, database.place, contract=contract)
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise unavailable(error, database.place) from error
    except CommandError as error:
        remedy = "the store was written by a newer stranglerfig: upgrade it here too"
        raise StoreError(str(error), place=database.place, remedy=remedy) from error
    except ValueError as error:
        raise StoreError(
            f"the tables cannot be brought to a newer version: {error}",
            place=database.place,
            remedy="keep this store as it is, as evidence; bring back an older copy of it",
        ) from error
    finally:
        database.engine.dispose()


def _upgrade(connection: Connection, place: str, *, contract: bool) -> None:
    found = version(connection)
    if found is not None and max(found) > head():
        if found.oldest > head() or contract:
            raise _newer(found, place)
        return  # expanded by a newer code, beside which this one works
    oldest = head() if found is None or contract else _oldest_after(found)
    if found is not None and oldest > found.oldest:
        check_nobody_older(connection, oldest, unsaid=found.oldest, place=place)
    begin_marks(connection, found)
    config = _config()
    config.attributes.update(
        connection=connection, metadata=metadata, version_table=schema_version.name
    )
    command.upgrade(config, "head")
    keep_oldest(connection, oldest)


def _oldest_after(found: Version) -> str:
    """Say which code the oldest is that works on a store once every step was taken."""
    steps = ScriptDirectory.from_config(_config()).iterate_revisions("head", found.tables)
    return max([found.oldest, *(str(getattr(s.module, "oldest", s.revision)) for s in steps)])


def _newer(found: Version, place: str) -> StoreError:
    return StoreError(
        "the store was written by a newer stranglerfig",
        place=place,
        value=max(found),
        expected=f"{head()} or before",
        remedy="upgrade stranglerfig here too",
    )


def current(url: str) -> str | None:
    """Say which version the store's tables have; None where there is no store yet.

    Raises ``StoreUnavailable`` where it cannot be read.
    """
    found = standing(url)
    return None if found is None else found.tables


def standing(url: str) -> Version | None:
    """Say which tables a store has, and which code may work on it. As ``current``."""
    database = Database(url)
    if database.file is not None and not database.file.path.exists():
        return None
    try:
        with database.read() as connection:
            return version(connection)
    finally:
        database.engine.dispose()


def head() -> str:
    """Say which version is the newest."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def _make_file(database: Database) -> None:
    file = database.file
    if file is None:
        return
    file.drop_orphans()
    connection = file.connect(create=True)
    until = time.monotonic() + _WAIT
    try:
        while not _keeps_log(connection):
            if time.monotonic() > until:
                raise StoreError("locked by another process", place=str(file.path))
            time.sleep(_AGAIN)
    finally:
        connection.close()


def _keeps_log(connection: sqlite3.Connection) -> bool:
    """Have the file keep a log; False where another one does that just now.

    SQLite waits for nobody here, whatever its busy timeout.
    """
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


def _config() -> Config:
    config = Config()
    # Alembic's options know %-interpolation; a folder's name may hold the sign.
    folder = str(Path(__file__).parent).replace("%", "%%")
    config.set_main_option("script_location", folder)
    config.set_main_option("path_separator", "newline")
    return config
