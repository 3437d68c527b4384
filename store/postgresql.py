"""How we use PostgreSQL: connections that notice a dead server, transactions that alone write."""

from __future__ import annotations

import select
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from ..errors import MissingExtra, StoreUnavailable
from .driver import own_connection, own_errors

__all__ = [
    "CHAINED",
    "WAIT",
    "alive",
    "gone",
    "lock_now",
    "open_engine",
    "quiet",
    "read_at_begin",
    "runs_at_commit",
    "writing",
]

WAIT: Final = "fig_wait"
"""The execution option that makes a transaction a writing one: seconds to wait for its turn."""
CHAINED: Final = "fig_chained"
"""False where a writing transaction leaves the journal alone, and so needs no turn."""
_READS: Final = "fig_head"  # what a transaction reads as it begins, and under what name it is kept
_LAST: Final = "fig_last"  # what it does at its end

_FROZEN: Final = 5.0
"""Seconds after which the server ends a writing transaction in which nothing happens: whoever began
it was frozen, for its own end would have ended it. All others wait for its lock until then."""

_CHAIN_LOCK: Final = 0x66696701  # "fig" and a version: our key among the advisory locks

_DURABLE: Final = (
    "CASE current_setting('synchronous_commit')"
    " WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END"
)

# Whoever asks for a route must hear soon that it cannot be had: two seconds to connect. A server
# that went away without a word is noticed within about ten.
_CONNECT: Final = {
    "connect_timeout": "2",
    "keepalives_idle": "4",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
    "application_name": "stranglerfig",
}


def open_engine(url: URL) -> Engine:
    """Make the engine; it connects later. Raises ``MissingExtra`` without the driver."""
    arguments = {name: value for name, value in _CONNECT.items() if name not in url.query}
    try:
        engine = create_engine(url, pool_pre_ping=True, connect_args=arguments, pool_timeout=2)
    except ImportError as error:
        raise MissingExtra(
            f"the database's driver is not installed: {error.name}",
            place="fig.toml: workspace.store",
            remedy=f"pip install {error.name}",
        ) from None
    event.listen(engine, "begin", _begin)
    event.listen(engine, "commit", _commit)
    return engine


def writing(
    engine: Engine, wait: float, *, chained: bool = True, reads: str = ""
) -> dict[str, object]:
    """Give the execution options of a writing transaction, on either kind of database.

    ``reads`` is a query whose first row PostgreSQL gives in the same trip, for ``read_at_begin``.
    """
    options: dict[str, object] = {WAIT: wait, CHAINED: chained, _READS: reads}
    if engine.dialect.name == "postgresql":
        # We say BEGIN ourselves, with all that belongs to it, in one trip.
        options["isolation_level"] = "AUTOCOMMIT"
    return options


def lock_now(wait: float) -> str:
    """Give a part of a statement, ``turn``, that takes the chain's lock, waiting ``wait`` seconds.

    What ``_begin`` makes sure of holds then too, for a statement that is a transaction by itself.
    """
    return (
        f"turn AS MATERIALIZED (SELECT set_config('lock_timeout', '{int(wait * 1000)}', true),"
        f" pg_advisory_xact_lock({_CHAIN_LOCK}), {_DURABLE})"
    )


def alive(connection: Connection) -> bool:
    """Say whether the server still answers on a connection that is in no transaction."""
    driver = connection.connection.dbapi_connection
    try:
        return driver is not None and bool(connection.dialect.do_ping(driver))
    except connection.dialect.loaded_dbapi.Error:
        return False


def read_at_begin(connection: Connection) -> Sequence[Any] | None:
    """Give the row that was read as the transaction began, once; None where none was."""
    row: Sequence[Any] | None = connection.info.pop(_READS, None)
    return row


def runs_at_commit(connection: Connection, statement: str) -> bool:
    """Keep a statement without values for the commit, on PostgreSQL; else say False.

    It spares a trip. Where it fails, the commit does, and nothing is written.
    """
    if connection.dialect.name != "postgresql":
        return False
    connection.info[_LAST] = statement
    return True


def _commit(connection: Connection) -> None:
    statement = connection.info.pop(_LAST, None)
    if statement is None:
        return
    driver = own_connection(connection)
    with gone(connection), own_errors(connection, driver, statement):
        driver.execute(f"{statement};COMMIT").close()


@contextmanager
def gone(connection: Connection) -> Iterator[None]:
    """Give a connection up that was lost, as SQLAlchemy does where its own commit fails."""
    try:
        yield
    except DBAPIError as error:
        if error.connection_invalidated:
            connection.invalidate(error.orig)
        raise


def quiet(connection: Connection) -> bool:
    """Say whether a server has said nothing on a connection that asked it nothing.

    What it says then is mostly that it ends the connection. Without a trip.
    """
    driver = own_connection(connection)
    if driver.closed:
        return False
    asked = select.poll()
    asked.register(driver.fileno(), select.POLLIN)
    return not asked.poll(0)


def _begin(connection: Connection) -> None:
    """Begin a writing transaction; a reading one begins by itself.

    READ COMMITTED whatever the server's default is: what is read after the lock was waited for must
    be what the one before us wrote. And durable: what is confirmed must outlive the server.
    """
    connection.info.pop(_LAST, None)  # of one that was given up
    options = connection.get_execution_options()
    wait = options.get(WAIT)
    if wait is None:
        return
    lock = f"SELECT pg_advisory_xact_lock({_CHAIN_LOCK});" if options.get(CHAINED, True) else ""
    statement = (
        "BEGIN ISOLATION LEVEL READ COMMITTED;"
        f"SET LOCAL lock_timeout = {int(wait * 1000)};"
        f"SET LOCAL idle_in_transaction_session_timeout = {int(_FROZEN * 1000)};"
        f"{lock}"
        f"SELECT current_setting('transaction_read_only'), {_DURABLE};"
        f"{options.get(_READS, '')}"
    )
    driver = own_connection(connection)
    with own_errors(connection, driver, "BEGIN"), driver.cursor() as cursor:
        cursor.execute(statement)
        rows = [cursor.fetchone() if cursor.description else None]
        while cursor.nextset():
            rows.append(cursor.fetchone() if cursor.description else None)
    if options.get(_READS):
        connection.info[_READS] = rows.pop()
    if rows[-1] is None or rows[-1][0] == "on":
        driver.rollback()
        raise StoreUnavailable(
            "the database takes no writes",
            place=connection.engine.url.render_as_string(hide_password=True),
            value="a standby, or set to read-only",
            remedy="lead workspace.store to the primary, or set it to read and write again",
        )
