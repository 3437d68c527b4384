"""The writer thread's own connection, opened again whenever the store is no longer the same."""

from __future__ import annotations

import contextlib
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ..errors import StoreError
from . import head, sqlite
from .database import Database
from .file import Identity, StoreFile, replaced
from .postgresql import alive, quiet

__all__ = ["WAIT", "Session"]

WAIT: Final = 0.2
"""Seconds for the write lock: less than a committer's patience."""


class Session:
    """One kept connection that writes. Used by the writer thread only."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None
        self._identity: Identity | None = None

    def look(self) -> None:
        """Raise what stands against writing, though nobody writes now.

        A connection that died meanwhile is opened anew: the next group must not pay for it.
        """
        if self._database.file is not None:
            self._check_file(self._database.file)
        elif self._connection is None or not alive(self._connection):
            self.close()
            self._open()

    def at_hand(self) -> Connection | None:
        """Give PostgreSQL's connection, in no transaction; None where it is not open any more."""
        kept = self._connection
        with contextlib.suppress(StoreError, SQLAlchemyError, OSError):
            return kept if kept is not None and quiet(kept) else None
        return None

    def begin(self) -> Connection:
        """Begin a transaction that alone writes. Raises what stands against it."""
        file, kept = self._database.file, self._connection
        if file is not None:
            self._check_file(file)
        if kept is not None:
            try:
                self._begin(kept)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                self.close()  # it died since the last group: nothing is lost with it
            else:
                return kept
        connection = self._open()
        self._begin(connection)
        if file is not None:
            file.remember_sides()  # they are there once a transaction has begun
        return connection

    def commit(self) -> None:
        """Make the transaction durable, in the file that stands at the path."""
        connection, file = self._connection, self._database.file
        if connection is None:
            return
        if file is None:
            connection.commit()
            return
        sqlite.commit(connection)
        self._check_same(file, file.identity())

    def rollback(self) -> None:
        """Give the transaction up."""
        if self._connection is None:
            return
        if self._database.file is None:
            self._connection.rollback()
        else:
            sqlite.rollback(self._connection)

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

    def _begin(self, connection: Connection) -> None:
        if self._database.file is None:
            connection.begin()
        else:
            sqlite.begin(connection, WAIT)

    def _check_file(self, file: StoreFile) -> None:
        self._check_same(file, file.writable_identity())

    def _check_same(self, file: StoreFile, now: Identity) -> None:
        if self._connection is not None:
            if now != self._identity:
                raise replaced(file.path)
            file.check_sides()

    def _open(self) -> Connection:
        file = self._database.file
        if file is not None:
            now = file.identity()
            if self._identity is not None and now != self._identity:
                file.drop_stale_sides()
            file.forget_sides()
            self._identity = now
        self._database.check_schema()
        self._connection = self._database.connect(WAIT, reads=head.TAIL)
        if file is not None:
            file.opened = self._identity
            self._check_file(file)  # replaced in this moment: the next try opens what is there then
        return self._connection
