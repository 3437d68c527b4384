"""Reads a figure of one's own from a database, and changes nothing there."""

from __future__ import annotations

from math import isnan
from typing import Final
from urllib.parse import quote

from sqlalchemy import Connection, create_engine, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from ...config import Metrics
from ...errors import ConfigError, FigError
from ...guardrail_settings import Metric
from ...secret import with_password

__all__ = ["ask_sql", "check_sql"]

_READ_ONLY: Final = {
    "sqlite": "PRAGMA query_only = 1",
    "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
}
"""What makes a session refuse to write. Other databases rely on the user's rights, and on the
transaction being rolled back."""


def ask_sql(metric: Metric, source: Metrics) -> float | None:
    """Give the one number that a query gives; None where it gives no row, or null.

    Connects anew each time, as a source that is down now may be back then. Blocks. Raises
    ``ConfigError`` for an address or a secret that is wrong, and ``FigError`` where the database
    cannot be asked or gives something else.
    """
    place = f"{source.place}.sql"
    engine = create_engine(
        check_sql(source),
        poolclass=NullPool,
        connect_args=_connecting(source),
        hide_parameters=True,
    )
    try:
        with engine.connect() as connection:
            return _number(connection, metric, place)
    except SQLAlchemyError as error:
        kind = type(getattr(error, "orig", None) or error).__name__
        raise FigError(
            f"the database of metric {metric.name!r} cannot be asked: {kind}",
            place=place,
            remedy="see that it runs, that the user may read, and that the query is right",
        ) from error


def check_sql(source: Metrics) -> URL:
    """Give the address with its password. Raises ``ConfigError``; also called by ``fig check``."""
    place = f"{source.place}.sql"
    given = with_password(source.source.sql, source.source.password, place, source.root)
    try:
        url = make_url(given)
        url.get_dialect()
    except (ArgumentError, SQLAlchemyError, ImportError, ValueError) as error:
        raise ConfigError(
            f"not the address of a database: {type(error).__name__}",
            place=place,
            expected="such as postgresql+psycopg://USER@HOST/NAME or sqlite:///FILE",
        ) from None
    if url.password and not source.source.password:
        raise ConfigError(
            "holds a password",
            place=place,
            expected='the password by reference: password = "env:NAME"',
        )
    if url.get_backend_name() == "sqlite" and url.database:
        # Never made where it is not there. A write-ahead log is read with leave to write only.
        file = quote(str((source.root / url.database).resolve()))
        return url.set(database=f"file:{file}", query={"mode": "rw", "uri": "true"})
    return url


def _connecting(source: Metrics) -> dict[str, object]:
    seconds = max(1, round(source.source.timeout))
    backend = make_url(source.source.sql).get_backend_name()
    if backend == "postgresql":
        limit = f"-c statement_timeout={seconds * 1000}"
        return {"connect_timeout": seconds, "options": limit}
    if backend in ("mysql", "mariadb"):
        return {"connect_timeout": seconds, "read_timeout": seconds}
    return {"timeout": seconds} if backend == "sqlite" else {}


def _number(connection: Connection, metric: Metric, place: str) -> float | None:
    guard = _READ_ONLY.get(connection.dialect.name)
    if guard:
        connection.exec_driver_sql(guard)
        connection.commit()
    # The query is the operator's own, as it stands: a colon or a percent sign in it is no bind.
    found = connection.execution_options(no_parameters=True).exec_driver_sql(metric.query)
    rows = found.fetchmany(2) if found.returns_rows else []
    connection.rollback()
    if not found.returns_rows or len(rows) > 1 or (rows and len(rows[0]) != 1):
        raise FigError(
            f"the query of metric {metric.name!r} gives something else than one number",
            place=place,
            expected="one row of one column",
        )
    value = rows[0][0] if rows else None
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise FigError(
            f"the query of metric {metric.name!r} gives no number",
            place=place,
            value=type(value).__name__,
            expected="a number",
        ) from None
    return None if isnan(number) else number
