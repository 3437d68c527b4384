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
from .metadata import HEAD, metadata
from .routing import dual_writes, failures, measures, noise, reviews, sampled
from .runbook import approvals, run_steps, runs

__all__ = [
    "HEAD",
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
    "vault",
]
