"""The bridge: results of the inbox, replays, the outbox's leases, processes, outcomes, images.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("inbox", sa.Column("result", sa.Text, nullable=True))
    op.create_index("ix_inbox_at", "inbox", ["at"])
    for column in (
        sa.Column("endpoint", sa.String, nullable=False, server_default=""),
        sa.Column("chain", sa.Text, nullable=False, server_default="[]"),
        sa.Column("versions", sa.Text, nullable=False, server_default="{}"),
        sa.Column("state", sa.String, nullable=False, server_default="kept"),
        sa.Column("replays", sa.Integer, nullable=False, server_default="0"),
        sa.Column("next_at", sa.Double, nullable=False, server_default="0"),
        sa.Column("lease_token", sa.String, nullable=True),
        sa.Column("lease_until", sa.Double, nullable=True),
    ):
        op.add_column("dead_letters", column)
    op.create_index("ix_dead_letters_state_id", "dead_letters", ["state", "id"])
    for column in (
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("next_at", sa.Double, nullable=False, server_default="0"),
        sa.Column("lease_token", sa.String, nullable=True),
        sa.Column("lease_until", sa.Double, nullable=True),
        sa.Column("error", sa.Text, nullable=False, server_default=""),
    ):
        op.add_column("outbox", column)
    op.create_table(
        "processes",
        sa.Column("incarnation", sa.String, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("host", sa.String, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("seen_at", sa.Double, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
    )
    op.create_table(
        "captured",
        sa.Column("source", sa.String, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("digest", sa.BigInteger, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("source", "key", name="pk_captured"),
        sqlite_with_rowid=False,
    )
    _outcomes()


def _outcomes() -> None:
    op.create_table(
        "awaited",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("endpoint", sa.String, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("request_id", sa.String, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("until", sa.Double, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("pair", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_awaited_endpoint_key_id", "awaited", ["endpoint", "key", "id"])
    op.create_index("ix_awaited_state_until", "awaited", ["state", "until"])
    op.create_table(
        "outcomes",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("endpoint", sa.String, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("position", sa.String, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outcomes_endpoint_key_id", "outcomes", ["endpoint", "key", "id"])
    op.create_index("ix_outcomes_at", "outcomes", ["at"])
    op.create_index("ix_outcomes_state_at", "outcomes", ["state", "at"])
