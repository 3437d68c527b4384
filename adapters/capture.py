"""The door to a kind of database: what table capture needs of it. One file a dialect."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

import msgspec
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from ..errors import LegacyError

__all__ = ["Claim", "Dialect", "Event", "Image", "Operation", "Shape"]

Operation = Literal["insert", "update", "delete"]


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What is captured of a table: its columns (name and declared type) and what gives order.

    ``key`` names columns of the table; empty means the row's own address, where a table has no
    primary key. ``all_columns`` are the names of every column, captured or not.
    """

    table: str
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...]
    all_columns: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Tell one shape from another: 16 hex digits, written into every event."""
        return hashlib.sha256(msgspec.json.encode([self.table, self.columns])).hexdigest()[:16]


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A wish for events: up to ``limit`` of ``source``, leased by ``token`` from ``now`` ``until``.

    ``suspects``: one event that may be killing its processes is allowed among them.
    """

    source: str
    limit: int
    token: str
    now: float
    until: float
    suspects: bool


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A claimed row of the capture table."""

    id: int
    event_id: str
    key: str
    op: str
    before: str | None
    after: str | None
    schema_hash: str
    created_at: float
    attempts: int
    lost: int
    lease_token: str


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """A row as it was: each column's exact text, None for null.

    A BLOB is in hex, a real in the fewest digits that give it back. A value too large to copy is
    its length in bytes, an ``int``, so that no mapping takes it for text. ``kinds`` holds a letter
    a column, what the database held there: integer, real, text, blob, null.
    """

    values: dict[str, str | int | None]
    kinds: str


class Dialect(Protocol):
    """One kind of database. Called from one thread at a time; every method may block.

    Its methods raise what SQLAlchemy raises; ``trouble`` turns that into our own tree.
    """

    begin: str
    """The statement that begins a transaction which is going to write."""

    def engine(self, url: URL, root: Path, *, place: str, patience: float) -> Engine:
        """Make an engine that never creates a database and waits so many seconds for a lock.

        Raises ``ConfigError`` with ``place`` for a URL that it cannot use.
        """

    def triggers(
        self, shape: Shape, source: str, operations: Sequence[Operation]
    ) -> dict[str, str]:
        """Give the statement that creates each trigger, by the trigger's name."""

    def installed(self, connection: Connection, table: str) -> dict[str, str]:
        """Give the triggers of ours that stand on a table, as they were created, by name."""

    def is_of(self, statement: str, source: str) -> bool:
        """Say whether a trigger, as it was created, captures for that source."""

    def users(self, connection: Connection) -> set[str]:
        """Give the names of all triggers in the database that write to the capture table."""

    def stamp(self, connection: Connection) -> int:
        """Give a value that differs when another connection has written. Must be cheap."""

    def claim(self, connection: Connection, claim: Claim) -> list[Event]:
        """Lease up to ``limit`` heads of keys, oldest first, and count the attempt."""

    def image(self, text: str) -> Image:
        """Read a row image. Pure. Raises ``ValueError`` for what no trigger of ours wrote."""

    def is_busy(self, error: SQLAlchemyError) -> bool:
        """Say whether somebody else holds a lock, so that waiting helps."""

    def trouble(self, error: SQLAlchemyError, *, place: str, name: str) -> LegacyError:
        """Say what is wrong and what to do. Never repeats statements, parameters or passwords."""
