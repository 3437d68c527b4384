"""The vault of masking: values that tokens stand for, encrypted.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "vault",
        sa.Column("scope", sa.String(64), nullable=False),
        sa.Column("token", sa.String(160), nullable=False),
        sa.Column("lookup", sa.String(64), nullable=False),
        sa.Column("key", sa.String(8), nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("scope", "token", name="pk_vault"),
        sa.UniqueConstraint("scope", "lookup", name="uq_vault_scope_lookup"),
    )
    op.create_index("ix_vault_key", "vault", ["key"])
    op.create_index("ix_vault_at", "vault", ["at"])
