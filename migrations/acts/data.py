"""``do = "data"``: who owns what the endpoint writes, one step on that axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from ...errors import RouteConflict, RouteError, RunbookError
from ...model import Data, Route
from ..climb import apart, before, latched, reason
from ..ports import Ctx, Done, Waiting
from .reversible import Reversible

__all__ = ["MoveData"]

_ORDER = tuple(Data)
_LATER = Waiting(reason="somebody else changed the route just now", again_after=0.2)


class MoveData(Reversible, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Move the data axis ``to`` its next place. Undone, it goes back to where it was.

    Where it would make a store count that misses writes it waits until they are copied; of rows
    that were there before, gates know more (``backfilled``, ``checksums``).
    """

    routed: ClassVar[bool] = True
    to: Data

    def __post_init__(self) -> None:
        """Refuse the end: retiring legacy ends its store, and no other step does."""
        if self.to is Data.REPLACEMENT:
            raise ValueError("data is the replacement's alone once legacy is retired: do = retire")

    def plan(self, ctx: Ctx) -> Sequence[str]:
        """Say from where it goes. Raises ``RunbookError`` where the endpoint's data stays."""
        if self.to is not Data.NONE and ctx.endpoint.data != "moves":
            raise RunbookError(
                "the endpoint's data stays where it is",
                place=ctx.step.place,
                value=f"data {self.to}",
                remedy=f'say so in endpoint.{ctx.endpoint.name}: data = "moves"',
            )
        route = ctx.route()
        if route.data is self.to:
            return ()
        return (f"data of {ctx.endpoint.name}: {route.data} → {self.to}",)

    def do(self, ctx: Ctx) -> Done | Waiting:
        """Change the route. Raises ``RouteError`` where no single step leads there."""
        route = ctx.route()
        if route.data is self.to:
            return Done(told=f"data stands at {self.to} already")
        return latched(ctx, route) or _moved(ctx, self.to, reason(ctx))

    def undo(self, ctx: Ctx, result: Mapping[str, object]) -> Done | Waiting:
        """Move it back, where a rollback has not done so already."""
        was, route = before(result), ctx.route()
        if was is None:
            return Done(told="it stood there before the run: nothing is taken back")
        if _ORDER.index(route.data) <= _ORDER.index(was.data):
            return Done(told=f"data stands at {route.data} already")
        return latched(ctx, route) or _moved(ctx, was.data, f"undone: {reason(ctx)}")


def _moved(ctx: Ctx, to: Data, why: str) -> Done | Waiting:
    route: Route = ctx.route()
    try:
        after = ctx.operator().move_data(to, why=why)
    except RouteConflict:
        return _LATER
    except RouteError:
        waiting = apart(ctx)
        if waiting is None:
            raise
        return waiting
    told = f"data {route.data} → {after.data}"
    return Done(result={"before": route, "after": after}, told=told)
