"""The clock that leases and delays are kept by: the database's own."""

from __future__ import annotations

import time
from typing import Final

from sqlalchemy.engine import Connection

from .dialect import Dialect

__all__ = ["Clock"]

_TRUSTED: Final = 2.0
"""Seconds for which our own clock tells how far the database's has gone on."""


class Clock:
    """Asks the database now and then, so that most looks at it cost nothing."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._said = 0.0
        self._asked = float("-inf")

    def now(self, connection: Connection) -> float:
        """Give the time in seconds since the epoch. Raises what SQLAlchemy does."""
        here = time.monotonic()
        if here - self._asked > _TRUSTED:
            self._said = self._dialect.now(connection)
            self._asked = here = time.monotonic()
        return self._said + here - self._asked
