"""Routing and runbooks: what is measured and reviewed, writes to both sides, runs.

It only adds tables: processes of the version before run on beside those of this one.

Revision ID: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
oldest = "0004"
"""The oldest code that works on these tables."""

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _routing()
    _measured()
    _dual_writes()
    _runbooks()


def _routing() -> None:
    op.create_table(
        "reviews",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("endpoint", sa.String, nullable=False),
        sa.Column("revision", sa.String, nullable=False),
        sa.Column("unit", sa.String, nullable=False),
        sa.Column("reviewer", sa.String, nullable=False),
        sa.Column("choice", sa.String, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.UniqueConstraint(
            "endpoint", "revision", "unit", "reviewer", name="uq_reviews_unit_reviewer"
        ),
        sqlite_autoincrement=True,
    )


def _measured() -> None:
    op.create_table(
        "failures",
        sa.Column("endpoint", sa.String, nullable=False),
        sa.Column("revision", sa.String, nullable=False),
        sa.Column("rung", sa.String, nullable=False),
        sa.Column("unit", sa.String, nullable=False),
        sa.Column("side", sa.String, nullable=False),
        sa.Column("keyed", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("endpoint", "revision", "rung", "unit", "side", name="pk_failures"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_failures_at", "failures", ["at"])
    op.create_table(
        "sampled",
        sa.Column("endpoint", sa.String, nullable=False),
        sa.Column("revision", sa.String, nullable=False),
        sa.Column("rung", sa.String, nullable=False),
        sa.Column("unit", sa.String, nullable=False),
        sa.Column("side", sa.String, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("endpoint", "revision", "rung", "unit", name="pk_sampled"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_sampled_at", "sampled", ["at"])
    op.create_table(
        "measures",
        sa.Column("endpoint", sa.String, nullable=False),
        sa.Column("revision", sa.String, nullable=False),
        sa.Column("rung", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("side", sa.String, nullable=False),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("total", sa.Double, nullable=False),
        sa.Column("squares", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint(
            "endpoint", "revision", "rung", "name", "side", "day", name="pk_measures"
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "noise",
        sa.Column("endpoint", sa.String, nullable=False),
        sa.Column("side", sa.String, nullable=False),
        sa.Column("revision", sa.String, nullable=False),
        sa.Column("unit", sa.String, nullable=False),
        sa.Column("noise", sa.Text, nullable=False),
        sa.Column("raw", sa.Text, nullable=True),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("endpoint", "side", "revision", "unit", name="pk_noise"),
        sqlite_with_rowid=False,
    )


def _dual_writes() -> None:
    op.create_table(
        "dual_writes",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("endpoint", sa.String, nullable=False),
        sa.Column("request_id", sa.String, nullable=False),
        sa.Column("token", sa.String, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("first", sa.String, nullable=False),
        sa.Column("second", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("side", sa.String, nullable=False, server_default=""),
        sa.Column("revision", sa.String, nullable=False),
        sa.Column("record", sa.LargeBinary, nullable=False),
        sa.Column("result", sa.LargeBinary, nullable=True),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("next_at", sa.Double, nullable=False, server_default="0"),
        sa.Column("error", sa.Text, nullable=False, server_default=""),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("first_at", sa.Double, nullable=True),
        sa.Column("done_at", sa.Double, nullable=True),
        sa.Column("lease_token", sa.String, nullable=True),
        sa.Column("lease_until", sa.Double, nullable=True),
        sa.UniqueConstraint("endpoint", "token", name="uq_dual_writes_endpoint_token"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_dual_writes_state_id", "dual_writes", ["state", "id"])
    op.create_index("ix_dual_writes_endpoint_key_id", "dual_writes", ["endpoint", "key", "id"])


def _runbooks() -> None:
    op.create_table(
        "runs",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("runbook", sa.String, nullable=False),
        sa.Column("endpoint", sa.String, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("who", sa.String, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("ended_at", sa.Double, nullable=True),
        sa.Column("resumed_at", sa.Double, nullable=True),
        sa.Column("said", sa.Text, nullable=False, server_default=""),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_runs_runbook_id", "runs", ["runbook", "id"])
    op.create_table(
        "run_steps",
        sa.Column("run", sa.BigInteger, nullable=False),
        sa.Column("step", sa.String, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("began_at", sa.Double, nullable=True),
        sa.Column("ended_at", sa.Double, nullable=True),
        sa.Column("result", sa.Text, nullable=False, server_default="{}"),
        sa.Column("met", sa.Text, nullable=False, server_default="[]"),
        sa.Column("waits", sa.Text, nullable=False, server_default="[]"),
        sa.PrimaryKeyConstraint("run", "step", name="pk_run_steps"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "approvals",
        sa.Column("run", sa.BigInteger, nullable=False),
        sa.Column("step", sa.String, nullable=False),
        sa.Column("who", sa.String, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("run", "step", "who", name="pk_approvals"),
        sqlite_with_rowid=False,
    )
