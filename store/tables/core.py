"""The journal and what belongs to a request, a delivery and a process."""

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

__all__ = [
    "awaited",
    "captured",
    "checkpoints",
    "dead_letters",
    "evidence",
    "inbox",
    "journal",
    "journal_head",
    "leases",
    "outbox",
    "outcomes",
    "processes",
    "route_history",
    "routes",
    "vault",
]

# Times are seconds since the epoch. The writer gives the ids of the journal itself, without gaps:
# so a missing line can be named. Texts of JSON stay text: the chain's digest is over the very
# bytes. ``digest`` stands where the data is gone: it was compacted, and ``data`` is empty.
journal = Table(
    "journal",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("kind", String, nullable=False),
    Column("endpoint", String, nullable=False),
    Column("request_id", String, nullable=False),
    Column("revision", String, nullable=False),
    Column("data", Text, nullable=False),
    Column("link", String(64), nullable=False),
    Column("digest", String(64), nullable=True),
    Index("ix_journal_endpoint_id", "endpoint", "id"),
)

# One row: where the journal ends (written with every line, so that an end cut off is seen), which
# lines are gone from its front, up to which their data is gone, and the version of the oldest code
# that may write: one that was left behind by an upgrade, and still runs, must not.
journal_head = Table(
    "journal_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("last_id", BigInteger, nullable=False),
    Column("last_link", String(64), nullable=False),
    Column("cut_id", BigInteger, nullable=False),
    Column("cut_link", String(64), nullable=False),
    Column("compacted_id", BigInteger, nullable=False),
    Column("version", String, nullable=False),
)

routes = Table(
    "routes",
    metadata,
    Column("endpoint", String, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("at", Double, nullable=False),
    Column("route", Text, nullable=False),
)

route_history = Table(
    "route_history",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("endpoint", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", Double, nullable=False),
    Column("action", String, nullable=False),
    Column("who", String, nullable=False),
    Column("why", Text, nullable=False),
    Column("before", Text, nullable=True),
    Column("after", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    UniqueConstraint("endpoint", "version", name="uq_route_history_endpoint_version"),
    sqlite_autoincrement=True,
)

# A projection of the journal's comparisons: the first observation of a unit stands. ``line`` is the
# id of that one's line; 0 where it is not known.
evidence = Table(
    "evidence",
    metadata,
    Column("endpoint", String, nullable=False),
    Column("revision", String, nullable=False),
    Column("unit", String, nullable=False),
    Column("winner", String, nullable=False),
    Column("line", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("endpoint", "revision", "unit", name="pk_evidence"),
    sqlite_with_rowid=False,
)

inbox = Table(
    "inbox",
    metadata,
    Column("consumer", String, nullable=False),
    Column("message_id", String, nullable=False),
    Column("payload_hash", String, nullable=False),
    Column("at", Double, nullable=False),
    # What it came to, as JSON text: a duplicate is answered from here.
    Column("result", Text, nullable=True),
    PrimaryKeyConstraint("consumer", "message_id", name="pk_inbox"),
    Index("ix_inbox_at", "at"),
    sqlite_with_rowid=False,
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("at", Double, nullable=False),
    Column("source", String, nullable=False),
    Column("position", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("key", String, nullable=False),
    Column("headers", Text, nullable=False),
    Column("encoding", String, nullable=False),
    Column("captured_at", Double, nullable=False),
    Column("body", LargeBinary, nullable=False),
    # ``chain``: every error from the outermost to its first cause, JSON. ``versions``: of whatever
    # decided, JSON. ``state``: kept, replay (asked for, not done yet), replayed or dropped.
    Column("endpoint", String, nullable=False, server_default=""),
    Column("chain", Text, nullable=False, server_default="[]"),
    Column("versions", Text, nullable=False, server_default="{}"),
    Column("state", String, nullable=False, server_default="kept"),
    Column("replays", Integer, nullable=False, server_default="0"),
    Column("next_at", Double, nullable=False, server_default="0"),
    Column("lease_token", String, nullable=True),
    Column("lease_until", Double, nullable=True),
    Index("ix_dead_letters_source_id", "source", "id"),
    Index("ix_dead_letters_state_id", "state", "id"),
    sqlite_autoincrement=True,
)

# What is to be sent once the transaction that wrote it is durable; ``sent_at`` stays empty until.
outbox = Table(
    "outbox",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("at", Double, nullable=False),
    Column("destination", String, nullable=False),
    Column("message_id", String, nullable=False),
    Column("key", String, nullable=False),
    Column("headers", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("sent_at", Double, nullable=True),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_at", Double, nullable=False, server_default="0"),
    Column("lease_token", String, nullable=True),
    Column("lease_until", Double, nullable=True),
    Column("error", Text, nullable=False, server_default=""),
    UniqueConstraint("destination", "message_id", name="uq_outbox_destination_message_id"),
    Index("ix_outbox_destination_sent_at_id", "destination", "sent_at", "id"),
    sqlite_autoincrement=True,
)

# ``identity`` is the source's own (database, queue, file): a checkpoint of another one is refused.
checkpoints = Table(
    "checkpoints",
    metadata,
    Column("source", String, primary_key=True),
    Column("identity", String, nullable=False),
    Column("position", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", Double, nullable=False),
)

# ``token`` grows with every new holder: a late finish under an old token is refused.
leases = Table(
    "leases",
    metadata,
    Column("name", String, primary_key=True),
    Column("owner", String, nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("until", Double, nullable=False),
)

# The processes that run on this store. ``incarnation`` is new at every start, so that a restarted
# one is never taken for the one before; ``status`` is what it last said of itself, JSON.
processes = Table(
    "processes",
    metadata,
    Column("incarnation", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("host", String, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("seen_at", Double, nullable=False),
    Column("status", Text, nullable=False),
)

# The rows of a legacy table as they were last captured, for reconciling. ``digest`` is the first 8
# bytes of the MD5 of the row's image, as a signed number.
captured = Table(
    "captured",
    metadata,
    Column("source", String, nullable=False),
    Column("key", String, nullable=False),
    Column("digest", BigInteger, nullable=False),
    Column("at", Double, nullable=False),
    PrimaryKeyConstraint("source", "key", name="pk_captured"),
    sqlite_with_rowid=False,
)

# Requests whose outcome legacy decides later. ``state``: waiting, joined, late or missing;
# abstained or echoed where the outcome came and is no evidence. ``pair`` is what is needed to
# compare, JSON.
awaited = Table(
    "awaited",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("endpoint", String, nullable=False),
    Column("key", String, nullable=False),
    Column("request_id", String, nullable=False),
    Column("at", Double, nullable=False),
    Column("until", Double, nullable=False),
    Column("state", String, nullable=False),
    Column("pair", Text, nullable=False),
    Index("ix_awaited_endpoint_key_id", "endpoint", "key", "id"),
    Index("ix_awaited_state_until", "state", "until"),
    sqlite_autoincrement=True,
)

# Outcomes as legacy decided them. ``state``: early (no request of its key yet), unasked (none
# came), duplicate, or that of the request that it was joined with. ``answer`` is the canonical
# output, JSON.
outcomes = Table(
    "outcomes",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("endpoint", String, nullable=False),
    Column("key", String, nullable=False),
    Column("position", String, nullable=False),
    Column("at", Double, nullable=False),
    Column("state", String, nullable=False),
    Column("answer", Text, nullable=False),
    Index("ix_outcomes_endpoint_key_id", "endpoint", "key", "id"),
    Index("ix_outcomes_at", "at"),
    Index("ix_outcomes_state_at", "state", "at"),
    sqlite_autoincrement=True,
)

# What tokens stand for, encrypted. ``scope`` and ``lookup`` are digests; ``key`` is the id of the
# key that wrote the row, so that one can tell when an old key is no longer needed.
vault = Table(
    "vault",
    metadata,
    Column("scope", String(64), nullable=False),
    Column("token", String(160), nullable=False),
    Column("lookup", String(64), nullable=False),
    Column("key", String(8), nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("at", Double, nullable=False),
    PrimaryKeyConstraint("scope", "token", name="pk_vault"),
    UniqueConstraint("scope", "lookup", name="uq_vault_scope_lookup"),
    Index("ix_vault_key", "key"),
    Index("ix_vault_at", "at"),
)
