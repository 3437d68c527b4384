"""LISTEN on a connection of its own: it tells that there is something to claim."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from typing import Final

import psycopg
from psycopg import sql
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, OperationalError

__all__ = ["Listener"]

_PROBE_SECONDS: Final = 20.0
_DEAF_SECONDS: Final = 5.0
_STEP: Final = 0.5


class Listener:
    """One thread waits in it. A probe of its own shows whether notifications still come through.

    A pooler that hands its connections around takes a LISTEN and never delivers.
    """

    def __init__(self, engine: Engine, channel: str) -> None:
        self._engine, self._channel = engine, channel
        self._probe = f"probe {uuid.uuid4().hex}"
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None
        self._closed = threading.Event()
        self._asked = self._heard = 0.0

    def wait(self, seconds: float) -> bool:
        """Wait; True where something came. Raises what SQLAlchemy does; then it begins anew."""
        try:
            connection = self._connection or self._listen()
            return self._wait(connection, seconds)
        except psycopg.Error as error:
            self._let_go()
            raise OperationalError("LISTEN", None, error) from error
        except DBAPIError:
            self._let_go()
            raise

    def close(self) -> None:
        """End a ``wait`` that is under way; the thread that waits lets go of the connection."""
        self._closed.set()

    def _listen(self) -> psycopg.Connection[tuple[object, ...]]:
        with self._engine.connect() as pooled:
            pooled.detach()
            connection = pooled.connection.driver_connection
            assert isinstance(connection, psycopg.Connection)  # noqa: S101 the engine is ours
            self._connection = connection
        connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
        self._heard = time.monotonic()
        self._ask(connection)
        return connection

    def _wait(self, connection: psycopg.Connection[tuple[object, ...]], seconds: float) -> bool:
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
        if self._closed.is_set():
            self._let_go()
        return came

    def _check(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        now = time.monotonic()
        if self._heard < self._asked < now - _DEAF_SECONDS:
            raise psycopg.OperationalError("notifications do not come through: is this a pooler?")
        if now - max(self._heard, self._asked) >= _PROBE_SECONDS:
            self._ask(connection)

    def _ask(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        self._asked = time.monotonic()
        connection.execute("SELECT pg_notify(%s, %s)", (self._channel, self._probe))

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                connection.close()
