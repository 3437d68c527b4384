"""Whether what is being done is history: then it gives way to what is new, also where it waits."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

__all__ = ["HISTORY"]

HISTORY: Final[ContextVar[bool]] = ContextVar("stranglerfig_history", default=False)
"""Set by the bridge around a delivery of a backfill, read by the guards of replacements."""
