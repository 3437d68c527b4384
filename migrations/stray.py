"""Whether the route still stands where the run has left it; guardrails and people move it too."""

from __future__ import annotations

from collections.abc import Sequence

from ..model import Data, Route, Stage
from ..routing.stages import position
from ..store.run import Run
from .back import route_after
from .ports import Waiting
from .site import Site

__all__ = ["latched", "stray"]

_DATA = tuple(Data)


def stray(site: Site, run: Run) -> str:
    """Say that the route was taken back behind the run's back, and by whom; empty where it was not.

    The next step would else go on from a rung that nobody has looked at. Raises
    ``StoreUnavailable``.
    """
    left = next((after for one in reversed(run.steps) if (after := route_after(one))), None)
    if left is None:
        return ""
    route = site.store.routes.get(run.endpoint) or Route(endpoint=run.endpoint)
    back = position(route) < position(left)
    if not back and _DATA.index(route.data) >= _DATA.index(left.data):
        return ""
    last = site.store.routes.history(run.endpoint)[-1:]
    by = "".join(f" by {one.who} ({one.action}: {one.why or 'no reason'})" for one in last)
    return (
        f"the route was taken back from {_name(left)} to {_name(route)}{by}; "
        f"have its steps done again: fig runbook rollback {run.runbook}"
    )


def latched(route: Route) -> Sequence[Waiting]:
    """Give what holds a route, before a step that would change it."""
    latch = next((name for name in ("killed", "frozen", "paused") if getattr(route, name)), "")
    if not latch:
        return []
    return [
        Waiting(
            reason=f"the route is {latch}",
            missing="a route without a latch",
            command=f"fig route resume {route.endpoint}",
            again_after=1.0,
        )
    ]


def _name(route: Route) -> str:
    stage = f"canary {route.percent:g} %" if route.stage is Stage.CANARY else route.stage.value
    return stage if route.data is Data.NONE else f"{stage} with data {route.data}"
