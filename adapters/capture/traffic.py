"""What real traffic says of the triggers: when each operation was captured last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from ...model import Finding
from .dialect import Capture, Dialect, Operation
from .events import EVENTS

__all__ = ["ago", "last_captured", "traffic"]

_UNITS: Final = (("d", 86_400), ("h", 3_600), ("min", 60))


def last_captured(
    connection: Connection, dialect: Dialect, capture: Capture
) -> Mapping[Operation, float]:
    """Give, by operation, how many seconds ago a trigger captured one; none where none is kept."""
    newest = (
        select(EVENTS.c.op, func.max(EVENTS.c.created_at))
        # What a walk wrote came through no trigger.
        .where(EVENTS.c.source == capture.source, EVENTS.c.priority == 0)
        .group_by(EVENTS.c.op)
    )
    at = {str(op): float(moment) for op, moment in connection.execute(newest)}
    now = dialect.now(connection)
    return {one: max(0.0, now - at[one]) for one in capture.operations if one in at}


def traffic(capture: Capture, last: Mapping[Operation, float]) -> Finding:
    """Say when real writes of each operation were captured last; those of a canary never stay."""
    told = [
        f"{one} {f'{ago(last[one])} ago' if one in last else 'none kept'}"
        for one in capture.operations
    ]
    figures = {f"{one}_s": round(seconds, 1) for one, seconds in last.items()}
    return Finding(
        check="traffic", state="ok", says=f"captured last: {', '.join(told)}", figures=figures
    )


def ago(seconds: float) -> str:
    """Give a length of time for people, in its largest unit."""
    for unit, length in _UNITS:
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
