"""One change of the route's stage, as a step of a runbook makes it and takes it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from ..errors import RouteConflict, RouteError, RunbookError
from ..model import Data, Route, Stage, Step
from ..routing.stages import position
from .copies import Copies
from .ports import Ctx, Done, Waiting
from .verdicts import not_passed

__all__ = [
    "MOVED",
    "apart",
    "back_to",
    "before",
    "climb",
    "latched",
    "reason",
    "rung",
    "steps_up",
]

MOVED: Final = (Stage.CANARY, Stage.LIVE, Stage.RETIRED)
"""Stages in which the replacement answers callers."""

_AGAIN: Final = 0.2


def climb(ctx: Ctx, to: Step) -> Done | Waiting:
    """Go to a rung, once its guardrail passes and no latch holds the route. Never forced.

    Raises ``RouteError`` where no change leads there, ``StoreError``.
    """
    route = ctx.route()
    if position(route) >= position(to):
        return Done(told=f"stands at {rung(route)} already")
    waiting = latched(ctx, route) or _unproven(ctx, to)
    if waiting is not None:
        return waiting
    try:
        after = ctx.operator().advance(to, why=reason(ctx))
    except RouteConflict:
        return Waiting(reason="somebody else changed the route just now", again_after=_AGAIN)
    except RouteError:
        # What was looked at may have changed meanwhile; else it is not allowed at all.
        late = latched(ctx, ctx.route()) or _unproven(ctx, to) or apart(ctx)
        if late is None:
            raise
        return late
    return Done(result={"before": route, "after": after}, told=f"{rung(route)} → {rung(after)}")


def back_to(ctx: Ctx, target: Stage, result: Mapping[str, object]) -> Done | Waiting:
    """Take the change to a rung back: to ``target``, where the route is still beyond it.

    Raises ``RouteError`` where it is frozen, or no way leads back.
    """
    if before(result) is None:
        return Done(told="it stood there before the run: nothing is taken back")
    route = ctx.route()
    if position(route) <= position(Step(stage=target)):
        return Done(told=f"stands at {rung(route)} already")
    try:
        after = ctx.operator().rollback(target, why=f"undone: {reason(ctx)}")
    except RouteConflict:
        return Waiting(reason="somebody else changed the route just now", again_after=_AGAIN)
    except RouteError:
        # Going back may have to wait until legacy has what was written to the replacement first.
        waiting = None if route.frozen else apart(ctx)
        if waiting is None:
            raise
        return waiting
    return Done(result={"before": route, "after": after}, told=f"{rung(route)} → {rung(after)}")


def steps_up(ctx: Ctx, to: Step) -> Sequence[str]:
    """Say what going to a rung would change now; nothing where the route stands there.

    Raises ``RunbookError`` where the endpoint has nothing to go there with.
    """
    if not ctx.endpoint.replacement:
        raise RunbookError(
            "the endpoint has no replacement",
            place=ctx.step.place,
            value=ctx.step.do,
            remedy=f"name one in endpoint.{ctx.endpoint.name}.replacement",
        )
    route = ctx.route()
    if position(route) >= position(to):
        return []
    return [f"route of {ctx.endpoint.name}: {rung(route)} → {rung(to)}"]


def latched(ctx: Ctx, route: Route) -> Waiting | None:
    """Give what a latch makes a step wait for; None where the route has none."""
    latch = "frozen" if route.frozen else "killed" if route.killed else "paused"
    if not (route.frozen or route.killed or route.paused):
        return None
    return Waiting(
        reason=f"the route is {latch}",
        missing="somebody who lifts the latch",
        command=f"fig route resume {ctx.endpoint.name}",
    )


def apart(ctx: Ctx) -> Waiting | None:
    """Give what a change waits for that was refused, where the sides' stores are apart.

    Where data does not move they cannot be. Raises ``StoreUnavailable``.
    """
    if ctx.route().data in (Data.NONE, Data.LEGACY):
        return None
    return Copies.now(ctx).waiting(ctx.endpoint.name)


def before(result: Mapping[str, object]) -> Route | None:
    """Read from a step's result how the route stood before; None where the step changed nothing."""
    found = result.get("before")
    return None if found is None else msgspec.convert(msgspec.to_builtins(found), Route)


def rung(step: Step | Route) -> str:
    """Name a rung for people."""
    return f"canary {step.percent:g} %" if step.stage is Stage.CANARY else step.stage.value


def reason(ctx: Ctx) -> str:
    """Say for a route's history which step of which run changed it."""
    run = f"run {ctx.run.id} of " if ctx.run is not None else ""
    why = f": {ctx.step.why}" if ctx.step.why else ""
    return f"{run}{ctx.runbook.name}, step {ctx.step.name}{why}"


def _unproven(ctx: Ctx, to: Step) -> Waiting | None:
    """Give what the guardrail makes a step wait for; nothing is asked of it up to shadow."""
    if to.stage not in MOVED:
        return None
    return not_passed(ctx.operator().evidence().verdict, ctx.endpoint.name)
