"""The capture table: one row for every change that a trigger of ours saw in a legacy database."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    and_,
    text,
)

__all__ = ["EVENTS", "INDEXES", "SUSPECT", "TABLE_NAME"]

TABLE_NAME = "fig_event"

SUSPECT = 2
"""Losses after which an event may be what kills its processes. It is then claimed with no other
suspect beside it, so that those that only died with it are not given up for it."""

EVENTS = Table(
    TABLE_NAME,
    MetaData(),
    Column("id", Integer, primary_key=True),
    # Random and not the id: after a remove and an install ids begin anew, and an inbox that
    # remembers the old ones would take the new events for duplicates.
    Column("event_id", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("op", Text, nullable=False),
    Column("before", Text),
    Column("after", Text),
    Column("schema_hash", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("lost", Integer, nullable=False, server_default=text("0")),
    Column("next_at", Float, nullable=False, server_default=text("0")),
    Column("lease_token", Text),
    Column("lease_until", Float),
    Column("done_at", Float),
    Column("dead_reason", Text),
    CheckConstraint("(lease_token IS NULL) = (lease_until IS NULL)"),
    sqlite_autoincrement=True,
)
"""Times are in seconds since the epoch. ``op`` is insert, update or delete.

``before`` and ``after`` are row images in the words of the dialect that wrote them. ``attempts``
counts claims, ``lost`` those of them whose process ended without a word.
"""

_waiting = EVENTS.c.done_at.is_(None)

INDEXES = (
    # Oldest first, for the walk of a claim; and by key, to see whether an older one still waits.
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
