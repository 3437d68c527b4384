"""``fig adapter``, whole: its group, and the commands that add themselves to it."""

from __future__ import annotations

from .adapter import adapter
from .backfill import backfill

__all__ = ["adapter", "backfill"]
