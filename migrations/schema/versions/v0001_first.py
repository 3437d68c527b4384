"""The first version: every table of the first release.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _journal()
    _routes()
    _evidence()
    _messages()
    _positions()


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String, nullable=False) for name in names]


def _journal() -> None:
    op.create_table(
        "journal",
        sa.Column("id", _ID, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Double, nullable=False),
        *_text("kind", "endpoint", "request_id", "revision"),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_index("ix_journal_endpoint_id", "journal", ["endpoint", "id"])
    op.create_index("ix_journal_request_id", "journal", ["request_id"])


def _routes() -> None:
    op.create_table(
        "routes",
        sa.Column("endpoint", sa.String, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("route", sa.Text, nullable=False),
    )
    op.create_table(
        "route_history",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("endpoint", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        *_text("action", "who"),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("before", sa.Text, nullable=True),
        sa.Column("after", sa.Text, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.UniqueConstraint("endpoint", "version", name="uq_route_history_endpoint_version"),
        sqlite_autoincrement=True,
    )


def _evidence() -> None:
    op.create_table(
        "evidence",
        *_text("endpoint", "revision", "unit", "winner"),
        sa.PrimaryKeyConstraint("endpoint", "revision", "unit", name="pk_evidence"),
        sqlite_with_rowid=False,
    )


def _messages() -> None:
    op.create_table(
        "inbox",
        *_text("consumer", "message_id", "payload_hash"),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("consumer", "message_id", name="pk_inbox"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "dead_letters",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Double, nullable=False),
        *_text("source", "position"),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        *_text("kind", "key"),
        sa.Column("headers", sa.Text, nullable=False),
        *_text("encoding"),
        sa.Column("captured_at", sa.Double, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_dead_letters_source_id", "dead_letters", ["source", "id"])
    op.create_table(
        "outbox",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Double, nullable=False),
        *_text("destination", "message_id", "key"),
        sa.Column("headers", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("sent_at", sa.Double, nullable=True),
        sa.UniqueConstraint("destination", "message_id", name="uq_outbox_destination_message_id"),
        sqlite_autoincrement=True,
    )
    columns = ["destination", "sent_at", "id"]
    op.create_index("ix_outbox_destination_sent_at_id", "outbox", columns)


def _positions() -> None:
    op.create_table(
        "checkpoints",
        sa.Column("source", sa.String, primary_key=True),
        sa.Column("identity", sa.String, nullable=False),
        sa.Column("position", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("token", sa.BigInteger, nullable=False),
        sa.Column("until", sa.Double, nullable=False),
    )
