"""The writer thread's own connection, opened again whenever the store is no longer the same."""

from __future__ import annotations

import contextlib
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from .database import Database
from .file import Identity, replaced

__all__ = ["Session"]

_WAIT: Final = 0.2  # seconds for the write lock: less than a committer's patience


class Session:
    """One kept connection that writes. Used by the writer thread only."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None
        self._identity: Identity | None = None

    def look(self) -> None:
        """Raise ``StoreUnavailable`` where the file is gone, replaced or not to be written."""
        file = self._database.file
        if file is None:
            return
        if self._connection is not None:
            if file.identity() != self._identity:
                raise replaced(file.path)
            file.check_sides()
        file.identity()
        file.check_writable()

    def begin(self) -> Connection:
        """Begin a transaction that alone writes. Raises what stands against it."""
        self.look()
        fresh = self._connection is None
        connection = self._open() if self._connection is None else self._connection
        connection.begin()
        if fresh and self._database.file is not None:
            self._database.file.remember_sides()  # they are there once a transaction has begun
        return connection

    def commit(self) -> None:
        """Make the transaction durable, in the file that stands at the path."""
        if self._connection is not None:
            self._connection.commit()
        self.look()

    def rollback(self) -> None:
        """Give the transaction up."""
        if self._connection is not None:
            self._connection.rollback()

    def close(self) -> None:
        """Let go of the connection and all its locks, in whatever state it is."""
        connection, self._connection = self._connection, None
        if self._database.file is not None:
            self._database.file.opened = None
        if connection is not None:
            with contextlib.suppress(SQLAlchemyError):
                connection.close()
                return
            with contextlib.suppress(SQLAlchemyError):
                connection.invalidate()

    def _open(self) -> Connection:
        file = self._database.file
        if file is not None:
            now = file.identity()
            if self._identity is not None and now != self._identity:
                file.drop_stale_sides()
            file.forget_sides()
            self._identity = now
        self._database.check_schema()
        self._connection = self._database.connect(_WAIT)
        if file is not None:
            file.opened = self._identity
            self.look()  # replaced in this moment: the next try opens what is there then
        return self._connection
