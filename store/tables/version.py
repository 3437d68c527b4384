"""Where a store says which tables it has, and which code may still work on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, String, Table

from .metadata import metadata

__all__ = ["ADDED", "alembic_version", "schema_version"]

# The tables that there are: Alembic's own mark, moved on by every upgrade. A store that was never
# upgraded by this code or a later one has none; then ``alembic_version`` says it.
schema_version = Table(
    "schema_version",
    metadata,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="schema_version_pkc"),
)

# The oldest code that may work on the store, as the head of the journal has it too. Version 0004
# looks here as it starts, and would refuse every other mark than its own: so this one moves only
# when processes of the version before are to be shut out. Not in ``metadata``: Alembic knows the
# table as its own, and never compares it.
alembic_version = Table(
    "alembic_version", MetaData(), Column("version_num", String(32), primary_key=True)
)

ADDED: Final[Mapping[str, str]] = dict.fromkeys(
    (
        "approvals",
        "dual_writes",
        "failures",
        "measures",
        "noise",
        "reviews",
        "run_steps",
        "runs",
        "sampled",
        "schema_version",
    ),
    "0005",
)
"""The tables that the oldest schema we work with does not have, and the version that has them."""
