"""What triggers in SQLite do not see."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.engine import Connection

from ...model import Finding
from .dialect import Capture

__all__ = ["look"]


def look(connection: Connection, capture: Capture) -> Iterator[Finding]:
    """Name what rows change by without a trigger of ours."""
    del connection  # what matters is set by each program for itself
    if "delete" in capture.operations:
        yield Finding(
            check="replace",
            state="warn",
            says=(
                "REPLACE and INSERT OR REPLACE delete rows without a trigger, unless the program"
                " that runs them sets PRAGMA recursive_triggers = ON"
            ),
            remedy=(
                "where legacy's programs replace rows: set the pragma there, or take an insert"
                " under a known key for a change; 'fig adapter reconcile' finds what was missed"
            ),
        )
