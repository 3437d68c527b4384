"""What is known of runbooks under way: each run, its steps, and who approved what."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

from .metadata import Id, metadata

__all__ = ["approvals", "run_steps", "runs"]

# ``text`` is the runbook as it was when the run began, ``digest`` its SHA-256. ``state``: running,
# paused, frozen, done, aborting, aborted or failed. ``version`` grows with every change. Who
# applies it holds the lease ``run ID``. ``said`` is why it stands where it does, and ``resumed_at``
# when it last went on: timeouts count from there.
runs = Table(
    "runs",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("runbook", String, nullable=False),
    Column("endpoint", String, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("state", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("who", String, nullable=False),
    Column("why", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("ended_at", Double, nullable=True),
    Column("resumed_at", Double, nullable=True),
    Column("said", Text, nullable=False, server_default=""),
    Index("ix_runs_runbook_id", "runbook", "id"),
    sqlite_autoincrement=True,
)

# ``state``: waiting (its gates), begun, done, undoing, undone, failed or skipped. ``result`` is
# JSON: what the step found, changed, and needs to know to be undone. ``met`` is what each of its
# gates found when it opened, ``waits`` what whoever applies it last waited for; both JSON.
run_steps = Table(
    "run_steps",
    metadata,
    Column("run", BigInteger, nullable=False),
    Column("step", String, nullable=False),
    Column("position", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("since", Double, nullable=False),
    Column("began_at", Double, nullable=True),
    Column("ended_at", Double, nullable=True),
    Column("result", Text, nullable=False, server_default="{}"),
    Column("met", Text, nullable=False, server_default="[]"),
    Column("waits", Text, nullable=False, server_default="[]"),
    PrimaryKeyConstraint("run", "step", name="pk_run_steps"),
    sqlite_with_rowid=False,
)

# One approval of one step by one person; each counts once.
approvals = Table(
    "approvals",
    metadata,
    Column("run", BigInteger, nullable=False),
    Column("step", String, nullable=False),
    Column("who", String, nullable=False),
    Column("why", Text, nullable=False),
    Column("at", Double, nullable=False),
    PrimaryKeyConstraint("run", "step", "who", name="pk_approvals"),
    sqlite_with_rowid=False,
)
