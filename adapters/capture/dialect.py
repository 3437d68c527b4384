"""The door to a kind of database: what table capture needs of it. One folder a dialect."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import msgspec
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from ...errors import LegacyError

__all__ = [
    "Capture",
    "Claim",
    "Dialect",
    "Event",
    "Image",
    "Marking",
    "Operation",
    "Piece",
    "Shape",
    "Waker",
]

Operation = Literal["insert", "update", "delete", "truncate"]
"""What a trigger fires for. Events have two more: ``read`` (backfill) and ``reconcile``."""


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What is captured of a table: its columns (name and declared type) and what gives order.

    ``key`` names columns of the table; empty means the row's own address, where a table has no
    primary key (or the whole image, where rows have no address). ``all_columns`` are the names of
    every column, captured or not; ``schema`` is the table's, empty for the connection's own.
    """

    table: str
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...]
    all_columns: tuple[str, ...]
    schema: str = ""

    @property
    def digest(self) -> str:
        """Tell one shape from another: 16 hex digits, written into every event."""
        return hashlib.sha256(msgspec.json.encode([self.table, self.columns])).hexdigest()[:16]


class Capture(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a source's triggers depend on.

    ``when`` is a condition over ``old`` and ``new`` in this database's own SQL, checked and quoted
    already (empty: none); in an insert ``old``'s columns are null in it, in a delete ``new``'s.
    A value of more than ``large`` bytes stands in ``fig_large`` and is referred to.
    ``level``: a trigger a row, or a statement where the database has such.
    """

    source: str
    shape: Shape
    operations: tuple[Operation, ...]
    when: str = ""
    large: int = 65_536
    level: Literal["row", "statement"] = "row"


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """One object of ours in a legacy database: how it comes in, and how it goes out again."""

    kind: Literal["schema", "sequence", "table", "index", "function", "trigger", "grant"]
    name: str
    create: str
    drop: str


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A wish for events: up to ``limit`` of ``source``, leased by ``token`` for ``lease`` seconds.

    ``suspects``: one event that may be killing its processes is allowed among them. ``now`` and
    ``until`` are of this machine's clock, for databases that have none of their own (SQLite).
    """

    source: str
    limit: int
    token: str
    now: float
    until: float
    suspects: bool
    lease: float = 0.0


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A claimed row of the capture table. ``priority`` 0 is live, above that it is history."""

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
    priority: int = 0


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """A row as it was: each column's exact text, None for null.

    A BLOB is in hex, a real in the fewest digits that give it back. A value too large to copy is
    its length in bytes, an ``int``, so that no mapping takes it for text; ``large`` then holds, by
    the column, the reference under which ``fig_large`` keeps it ("" where it is kept nowhere).
    ``kinds`` holds a letter a column, what the database held there: integer, real, text, blob,
    null, large, and other types (decimals, dates, arrays, JSON and so on: ``o``).
    """

    values: dict[str, str | int | None]
    kinds: str
    large: Mapping[str, str] = {}


class Waker(Protocol):
    """Tells that there may be new events. It may miss some: polling covers that."""

    def wait(self, seconds: float) -> bool:
        """Wait, in a thread of its own; True where something came. Raises what SQLAlchemy does."""

    def close(self) -> None:
        """End a ``wait`` that is under way, and let go. May be called twice, from any thread."""


@runtime_checkable
class Marking(Protocol):
    """A dialect that has a quicker way than a statement for each lease to mark what is done."""

    def mark(
        self, connection: Connection, held: Sequence[tuple[int, str]], now: float
    ) -> set[tuple[int, str]]:
        """Mark these events (id and token of the lease) done at ``now``; give those that were.

        One whose lease is another's by now is left as it is. A mark may be lost where the server
        itself goes down in the next second: then the event comes again.
        """


class Dialect(Protocol):
    """One kind of database. Called from one thread at a time; every method may block.

    Its methods raise what SQLAlchemy raises; ``trouble`` turns that into our own tree.
    """

    begin: str
    """The statement that begins a transaction which is going to write."""

    installs_atomically: bool
    """Whether DDL is part of a transaction; where it is not, what was done is undone on failure."""

    operations: frozenset[Operation]
    """What triggers of this database can fire for."""

    def engine(
        self, url: URL, root: Path, *, place: str, patience: float, password: str = ""
    ) -> Engine:
        """Make an engine that never creates a database and waits so many seconds for a lock.

        Raises ``ConfigError`` with ``place`` for a URL that it cannot use.
        """

    def shared(self) -> Sequence[Piece]:
        """Give what all sources of a database share: the tables of ``events.py`` and their indexes.

        In the words of this database, its indexes as its claims want them.
        """

    def pieces(self, capture: Capture) -> Sequence[Piece]:
        """Give one source's own objects, in the order in which they are created."""

    def standing(self, connection: Connection, capture: Capture) -> Mapping[str, str]:
        """Give the objects of ours on a table as they stand, by name; "" for a disabled one.

        What stands as it was created is given as ``pieces`` would create it.
        """

    def users(self, connection: Connection) -> set[str]:
        """Give the names of all triggers in the database that write to the capture table."""

    def columns(self, connection: Connection, table: str, schema: str = "") -> Mapping[str, str]:
        """Give every column of a table with its type in the database's own words; none: no table.

        Also of types that SQLAlchemy does not know, and with their precision: what changes there
        is drift.
        """

    def when(self, text: str, shape: Shape, operations: Sequence[Operation]) -> str:
        """Translate a condition into this database's SQL. Raises ``ValueError``."""

    def stamp(self, connection: Connection) -> int:
        """Give a value that differs when another connection has written. Must be cheap.

        -1 where a database cannot tell: then every look is worth it.
        """

    def waker(self, engine: Engine, source: str) -> Waker | None:
        """Give what wakes a consumer; None where there is only polling."""

    def claim(self, connection: Connection, claim: Claim) -> list[Event]:
        """Lease up to ``limit`` heads of keys, live ones first, and count the attempt."""

    def now(self, connection: Connection) -> float:
        """Give the clock that leases and delays are kept by, in seconds since the epoch."""

    def image(self, text: str) -> Image:
        """Read a row image. Pure. Raises ``ValueError`` for what no trigger of ours wrote."""

    def row_image(self, shape: Shape, row: str, large: int = 65_536) -> str:
        """Give the SQL expression of the image that a trigger would write of the row ``row``.

        ``row`` is an alias; ``large`` as in ``Capture``.
        """

    def row_key(self, shape: Shape, row: str) -> str:
        """Give the SQL expression of the key that a trigger would write of the row ``row``."""

    def is_busy(self, error: SQLAlchemyError) -> bool:
        """Say whether somebody else holds a lock, so that waiting helps."""

    def is_lost(self, error: SQLAlchemyError) -> bool:
        """Say whether the connection is gone, so that a new one is needed."""

    def trouble(self, error: SQLAlchemyError, *, place: str, name: str) -> LegacyError:
        """Say what is wrong and what to do. Never repeats statements, parameters or passwords."""
