"""The driver's own connection under SQLAlchemy's, for what is done with every group of lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from ..errors import StoreUnavailable

__all__ = ["first_row", "own_connection", "own_errors", "run"]


def own_connection(connection: Connection) -> Any:
    """Give it. Raises ``StoreUnavailable`` where it is gone."""
    driver = connection.connection.dbapi_connection
    if driver is None:
        raise StoreUnavailable("the connection is closed", remedy="nothing: it is opened again")
    return driver


@contextmanager
def own_errors(connection: Connection, driver: Any, statement: str) -> Iterator[None]:
    """Raise the driver's errors as SQLAlchemy would, which knows them by their kinds."""
    dialect = connection.dialect
    kinds = dialect.loaded_dbapi
    try:
        yield
    except kinds.Error as error:
        gone = dialect.is_disconnect(error, driver, None)
        raise DBAPIError.instance(
            statement, None, error, kinds.Error, connection_invalidated=gone, dialect=dialect
        ) from error


def run(connection: Connection, statement: str, values: Sequence[object] = ()) -> None:
    """Run a statement whose rows nobody asks for."""
    driver = own_connection(connection)
    with own_errors(connection, driver, statement):
        driver.execute(statement, values).close()


def first_row(connection: Connection, statement: str) -> tuple[Any, ...] | None:
    """Give the first row of a query without values; None where there is none."""
    driver = own_connection(connection)
    with own_errors(connection, driver, statement):
        cursor = driver.execute(statement)
        row: tuple[Any, ...] | None = cursor.fetchone()
        cursor.close()
    return row
