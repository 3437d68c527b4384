"""Every table of ours, as SQLAlchemy Core metadata. ``migrations/schema/`` brings a store here."""

from __future__ import annotations

from .core import (
    awaited,
    captured,
    checkpoints,
    dead_letters,
    evidence,
    inbox,
    journal,
    journal_head,
    leases,
    outbox,
    outcomes,
    processes,
    route_history,
    routes,
    vault,
)
from .metadata import HEAD, OLDEST, metadata
from .routing import dual_writes, failures, measures, noise, reviews, sampled
from .runbook import approvals, run_steps, runs
from .version import ADDED, alembic_version, schema_version

__all__ = [
    "ADDED",
    "HEAD",
    "OLDEST",
    "alembic_version",
    "approvals",
    "awaited",
    "captured",
    "checkpoints",
    "dead_letters",
    "dual_writes",
    "evidence",
    "failures",
    "inbox",
    "journal",
    "journal_head",
    "leases",
    "measures",
    "metadata",
    "noise",
    "outbox",
    "outcomes",
    "processes",
    "reviews",
    "route_history",
    "routes",
    "run_steps",
    "runs",
    "sampled",
    "schema_version",
    "vault",
]
