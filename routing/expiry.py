"""A migration that never ends: whose it is, and by which day it was to be over."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final

from ..config import Endpoint
from ..model import Data, Route, Stage

__all__ = ["LATE", "expiry"]

LATE: Final = "late: "
"""What the text begins with where the day is over."""

_SOON: Final = 14  # days


def expiry(endpoint: Endpoint, route: Route, today: date | None = None) -> str:
    """Say for people how an endpoint's migration stands against its day; empty: nothing to say.

    Nothing is said of one that has not begun or is over, nor where no day is given. ``today`` is
    that of UTC. Nobody is held up by it: it is said by ``fig check``, ``fig route`` and ``fig
    evidence``, until it is over, or somebody gives a later day.
    """
    if endpoint.expires is None or not _is_under_way(route):
        return ""
    left = (endpoint.expires - (today or datetime.now(UTC).date())).days
    whom = f"; ask {endpoint.owner}" if endpoint.owner else ""
    if left < 0:
        return f"{LATE}was to be over by {endpoint.expires}, {_days(-left)} ago{whom}"
    soon = f", in {_days(left)}{whom}" if left <= _SOON else ""
    return f"is to be over by {endpoint.expires}{soon}"


def _is_under_way(route: Route) -> bool:
    if route.stage is Stage.LEGACY:
        return route.data not in (Data.NONE, Data.LEGACY)
    return route.stage is not Stage.RETIRED


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
