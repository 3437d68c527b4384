"""What routing keeps beside the routes: who adopted them, what is measured, reviewed and copied."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from .metadata import Id, metadata

__all__ = ["dual_writes", "failures", "measures", "noise", "reviews", "sampled"]

# Answers that went wrong. ``unit`` is the digest of an input and a window of time: the retries of
# one poisoned request are one observation. The first stands. ``keyed`` is the digest of the sticky
# key and the window, empty where no percent decided: statistics count that, for a key stays on its
# side.
failures = Table(
    "failures",
    metadata,
    Column("endpoint", String, nullable=False),
    Column("revision", String, nullable=False),
    Column("rung", String, nullable=False),
    Column("unit", String, nullable=False),
    Column("side", String, nullable=False),
    Column("keyed", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("at", Double, nullable=False),
    PrimaryKeyConstraint("endpoint", "revision", "rung", "unit", "side", name="pk_failures"),
    Index("ix_failures_at", "at"),
    sqlite_with_rowid=False,
)

# Keys that a percent has put on a side of a rung, the first so many of them. ``unit`` is a key's
# digest: however often it comes, and to however many processes, it is counted once.
sampled = Table(
    "sampled",
    metadata,
    Column("endpoint", String, nullable=False),
    Column("revision", String, nullable=False),
    Column("rung", String, nullable=False),
    Column("unit", String, nullable=False),
    Column("side", String, nullable=False),
    Column("at", Double, nullable=False),
    PrimaryKeyConstraint("endpoint", "revision", "rung", "unit", name="pk_sampled"),
    Index("ix_sampled_at", "at"),
    sqlite_with_rowid=False,
)

# Sums of what is measured on a rung: how often, the total and the sum of squares. ``name`` says
# what and in which unit; ``day`` is the number of the day since the epoch, in UTC.
measures = Table(
    "measures",
    metadata,
    Column("endpoint", String, nullable=False),
    Column("revision", String, nullable=False),
    Column("rung", String, nullable=False),
    Column("name", String, nullable=False),
    Column("side", String, nullable=False),
    Column("day", Integer, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("total", Double, nullable=False),
    Column("squares", Double, nullable=False),
    PrimaryKeyConstraint("endpoint", "revision", "rung", "name", "side", "day", name="pk_measures"),
    sqlite_with_rowid=False,
)

# A request that a side was asked twice: in which fields its two answers differ (``noise``, JSON),
# and where known in which ones legacy's and the replacement's do (``raw``). The first of a unit
# stands.
noise = Table(
    "noise",
    metadata,
    Column("endpoint", String, nullable=False),
    Column("side", String, nullable=False),
    Column("revision", String, nullable=False),
    Column("unit", String, nullable=False),
    Column("noise", Text, nullable=False),
    Column("raw", Text, nullable=True),
    Column("at", Double, nullable=False),
    PrimaryKeyConstraint("endpoint", "side", "revision", "unit", name="pk_noise"),
    sqlite_with_rowid=False,
)

# What people said of a difference, not knowing which side was which. ``choice``: both, legacy,
# replacement, neither or unsure.
reviews = Table(
    "reviews",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("endpoint", String, nullable=False),
    Column("revision", String, nullable=False),
    Column("unit", String, nullable=False),
    Column("reviewer", String, nullable=False),
    Column("choice", String, nullable=False),
    Column("note", Text, nullable=False),
    Column("at", Double, nullable=False),
    UniqueConstraint("endpoint", "revision", "unit", "reviewer", name="uq_reviews_unit_reviewer"),
    sqlite_autoincrement=True,
)

# A write that is to happen on both sides, ``first`` and then ``second`` ("": on the first alone).
# ``state``: prepared (the first may be asked now), first (it has it; the second has not, or is
# asked now), done (all have it), doubt (``side`` may have it), or undone (it ended, and not all
# have it: ``error`` says why). ``token`` is its idempotency key, ``digest`` that of what came under
# it. ``side`` is the one that is asked, under the lease. ``result`` is the answer that the caller
# got; ``record`` is emptied once nobody needs it any more.
dual_writes = Table(
    "dual_writes",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("endpoint", String, nullable=False),
    Column("request_id", String, nullable=False),
    Column("token", String, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("key", String, nullable=False),
    Column("first", String, nullable=False),
    Column("second", String, nullable=False),
    Column("state", String, nullable=False),
    Column("side", String, nullable=False, server_default=""),
    Column("revision", String, nullable=False),
    Column("record", LargeBinary, nullable=False),
    Column("result", LargeBinary, nullable=True),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_at", Double, nullable=False, server_default="0"),
    Column("error", Text, nullable=False, server_default=""),
    Column("at", Double, nullable=False),
    Column("first_at", Double, nullable=True),
    Column("done_at", Double, nullable=True),
    Column("lease_token", String, nullable=True),
    Column("lease_until", Double, nullable=True),
    UniqueConstraint("endpoint", "token", name="uq_dual_writes_endpoint_token"),
    Index("ix_dual_writes_state_id", "state", "id"),
    Index("ix_dual_writes_endpoint_key_id", "endpoint", "key", "id"),
    sqlite_autoincrement=True,
)
