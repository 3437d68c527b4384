"""What Alembic runs for each command. The connection and the tables come from ``upgrade.py``."""

from __future__ import annotations

from alembic import context

# Alembic loads this file outside the package: what it needs is handed over, never imported.
attributes = context.config.attributes
context.configure(
    connection=attributes["connection"],
    target_metadata=attributes["metadata"],
    version_table=attributes.get("version_table", "alembic_version"),
    transactional_ddl=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
