"""A runbook's state for people."""

from __future__ import annotations

from ..migrations.state import RunState
from .runbook_plan import show
from .screen import Screen

__all__ = ["view"]


def view(screen: Screen, state: RunState) -> None:
    """Print where a run stands."""
    show(screen, state)
