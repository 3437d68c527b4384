"""LISTEN on a connection of its own: it tells that there is something to claim."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from typing import Final

import psycopg
from psycopg import sql
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import OperationalError, SQLAlchemyError

__all__ = ["Listener"]

_PROBE_SECONDS: Final = 20.0
_DEAF_SECONDS: Final = 5.0
_STEP: Final = 0.5

_Connection = psycopg.Connection[tuple[object, ...]]


class Listener:
    """One thread waits in it. A probe of its own shows whether notifications still come through.

    A pooler that hands its connections around takes a LISTEN and never delivers.
    """

    def __init__(self, engine: Engine, channel: str) -> None:
        self._engine, self._channel = engine, channel
        self._probe = f"probe {uuid.uuid4().hex}"
        self._opened: Connection | None = None
        self._closed = threading.Event()
        self._asked = self._heard = 0.0

    def wait(self, seconds: float) -> bool:
        """Wait; True where something came. Raises what SQLAlchemy does; then it begins anew."""
        if self._closed.is_set():
            self._let_go()
            return False
        try:
            return self._wait(self._listening(), seconds)
        except psycopg.Error as error:
            self._let_go()
            raise OperationalError("LISTEN", None, error) from error
        except SQLAlchemyError:
            self._let_go()
            raise

    def close(self) -> None:
        """End a ``wait`` that is under way; the thread that waits lets go of the connection."""
        self._closed.set()

    def _listening(self) -> _Connection:
        if self._opened is not None:
            return _driver(self._opened)
        self._opened = self._engine.connect()
        connection = _driver(self._opened)
        connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
        self._heard = time.monotonic()
        self._ask(connection)
        return connection

    def _wait(self, connection: _Connection, seconds: float) -> bool:
        end = time.monotonic() + seconds
        came = False
        while not self._closed.is_set() and not came:
            left = end - time.monotonic()
            if left <= 0:
                break
            # The generator holds the connection until it has ended: nothing is asked inside.
            said = list(connection.notifies(timeout=min(left, _STEP), stop_after=1))
            came = any(one.payload != self._probe for one in said)
            if said:
                self._heard = time.monotonic()
            self._check(connection)
        return came

    def _check(self, connection: _Connection) -> None:
        now = time.monotonic()
        if self._heard < self._asked < now - _DEAF_SECONDS:
            raise psycopg.OperationalError("notifications do not come through: is this a pooler?")
        if now - max(self._heard, self._asked) >= _PROBE_SECONDS:
            self._ask(connection)

    def _ask(self, connection: _Connection) -> None:
        self._asked = time.monotonic()
        connection.execute("SELECT pg_notify(%s, %s)", (self._channel, self._probe))

    def _let_go(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            with contextlib.suppress(psycopg.Error, SQLAlchemyError):
                opened.close()


def _driver(connection: Connection) -> _Connection:
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError("psycopg only")
    return driver
