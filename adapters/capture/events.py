"""Our tables in a legacy database: one definition for every kind, its types where they differ."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    and_,
    text,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

__all__ = [
    "BACKFILLS",
    "EVENTS",
    "GAPS",
    "INDEXES",
    "INSTALLED",
    "LARGE",
    "SUSPECT",
    "TABLES",
    "TABLE_NAME",
]

TABLE_NAME: Final = "fig_event"

SUSPECT: Final = 2
"""Losses after which an event may be what kills its processes. It is then claimed with no other
suspect beside it, so that those that only died with it are not given up for it."""

_UTF8: Final = {"charset": "utf8mb4", "collation": "utf8mb4_bin"}
_MY: Final = ("mysql", "mariadb")
_Id = BigInteger().with_variant(Integer(), "sqlite")
_Long = Text().with_variant(mysql.LONGTEXT(**_UTF8), *_MY)
_Bytes = LargeBinary().with_variant(mysql.LONGBLOB(), *_MY)
_Time: Final[TypeEngine[float]] = Double().with_variant(Float(), "sqlite")


def _text(length: int) -> Text:
    """Give text that can be indexed: elsewhere than in MySQL its length needs no bound."""
    return Text().with_variant(mysql.VARCHAR(length, **_UTF8), *_MY)


_metadata = MetaData()

# Times are in seconds since the epoch. No constraint that a row of legacy's could break.
EVENTS = Table(
    TABLE_NAME,
    _metadata,
    Column("id", _Id, primary_key=True),
    # Random and not the id: after a remove and an install ids begin anew, and an inbox that
    # remembers the old ones would take the new events for duplicates.
    Column("event_id", _text(36), nullable=False),
    Column("source", _text(63), nullable=False),
    Column("key", _text(600), nullable=False),
    Column("op", _text(12), nullable=False),
    Column("before", _Long),
    Column("after", _Long),
    Column("schema_hash", _text(16), nullable=False),
    Column("created_at", _Time, nullable=False),
    Column("priority", SmallInteger, nullable=False, server_default=text("0")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("lost", Integer, nullable=False, server_default=text("0")),
    Column("next_at", _Time, nullable=False, server_default=text("0")),
    Column("parked", SmallInteger, nullable=False, server_default=text("0")),
    Column("lease_token", _text(255)),
    Column("lease_until", _Time),
    Column("done_at", _Time),
    Column("dead_reason", _Long),
    CheckConstraint("(lease_token IS NULL) = (lease_until IS NULL)", name="fig_event_leased"),
    sqlite_autoincrement=True,
    mysql_engine="InnoDB",
)
"""``op`` is insert, update, delete or truncate; read (backfill) or reconcile.

``before`` and ``after`` are row images in the words of the dialect that wrote them. ``attempts``
counts claims, ``lost`` those of them whose process ended without a word. ``priority`` is 0 for what
happens now and 9 for history. ``parked``: 1 while those behind it under its key go on without it,
2 where it is dead (``dead_reason``) and yet holds its key back until a person decides.
"""

GAPS = Table(
    "fig_gap",
    _metadata,
    Column("id", _Id, primary_key=True),
    Column("source", _text(63), nullable=False),
    Column("op", _text(12), nullable=False),
    Column("key", _text(600)),
    Column("reason", _Long, nullable=False),
    Column("created_at", _Time, nullable=False),
    sqlite_autoincrement=True,
    mysql_engine="InnoDB",
)
"""Changes that a trigger saw and could not capture: the legacy write went on without it."""

LARGE = Table(
    "fig_large",
    _metadata,
    Column("ref", _text(36), primary_key=True),
    Column("source", _text(63), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("kind", _text(1), nullable=False),
    Column("value", _Bytes, nullable=False),
    Column("created_at", _Time, nullable=False),
    mysql_engine="InnoDB",
)
"""Values too large for an event, written before it in the same transaction. ``kind`` as in
``Image.kinds``; text is kept in UTF-8."""

INSTALLED = Table(
    "fig_installed",
    _metadata,
    Column("source", _text(63), nullable=False),
    Column("position", Integer, nullable=False),
    Column("kind", _text(12), nullable=False),
    Column("name", _text(255), nullable=False),
    Column("created", _Long, nullable=False),
    Column("dropped", _Long, nullable=False),
    Column("by", _text(255), nullable=False),
    Column("at", _Time, nullable=False),
    PrimaryKeyConstraint("source", "position", name="pk_fig_installed"),
    mysql_engine="InnoDB",
)
"""What ``install`` did, in its order, and the statement that undoes each: ``remove`` runs those."""

BACKFILLS = Table(
    "fig_backfill",
    _metadata,
    Column("source", _text(63), primary_key=True),
    Column("kind", _text(12), primary_key=True),
    Column("last_key", _Long),
    Column("rows", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("state", _text(12), nullable=False),
    Column("started_at", _Time, nullable=False),
    Column("at", _Time, nullable=False),
    Column("owner", _text(255)),
    mysql_engine="InnoDB",
)
"""How far a walk over existing rows has come; ``kind`` is backfill or reconcile, ``last_key`` JSON
of the key's values, ``state`` running, paused or done. ``owner`` is the token of the process that
walks, seen last ``at``; null while none does."""

_waiting = EVENTS.c.done_at.is_(None)

INDEXES = (
    # Oldest first, for the walk of a claim; and by key, to see whether an older one still waits.
    # MySQL has no partial indexes: there they lead with done_at.
    Index("fig_event_waiting", EVENTS.c.source, EVENTS.c.id, sqlite_where=_waiting),
    Index("fig_event_keys", EVENTS.c.source, EVENTS.c.key, EVENTS.c.id, sqlite_where=_waiting),
    # Almost always empty.
    Index(
        "fig_event_suspects",
        EVENTS.c.source,
        EVENTS.c.id,
        sqlite_where=and_(_waiting, EVENTS.c.lost >= SUSPECT),
    ),
)

TABLES = (EVENTS, GAPS, LARGE, INSTALLED, BACKFILLS)
