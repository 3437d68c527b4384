"""Who answers and what is compared, stage by stage: the one table that the code reads."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ..model import Route, Side, Stage, Step

__all__ = ["PLANS", "Plan", "ladder", "next_step", "position"]


class Plan(msgspec.Struct, frozen=True):
    """What a stage does: ``inside`` serves keys within the route's percent, ``outside`` the rest.

    ``compare``: the other side answers too, off the caller's path, and the two are held against
    each other.
    """

    inside: Side
    outside: Side
    compare: bool


PLANS = {
    Stage.LEGACY: Plan(Side.LEGACY, Side.LEGACY, compare=False),
    Stage.SHADOW: Plan(Side.LEGACY, Side.LEGACY, compare=True),
    Stage.CANARY: Plan(Side.REPLACEMENT, Side.LEGACY, compare=True),
    Stage.LIVE: Plan(Side.REPLACEMENT, Side.REPLACEMENT, compare=True),
    Stage.RETIRED: Plan(Side.REPLACEMENT, Side.REPLACEMENT, compare=False),
}


def ladder(percents: Sequence[float]) -> tuple[Step, ...]:
    """Give the rungs of a migration, from legacy to retired, for an endpoint's canary percents."""
    return (
        Step(stage=Stage.LEGACY),
        Step(stage=Stage.SHADOW),
        *(Step(stage=Stage.CANARY, percent=percent) for percent in percents),
        Step(stage=Stage.LIVE),
        Step(stage=Stage.RETIRED),
    )


def position(step: Step | Route) -> tuple[int, float]:
    """Give how far along a step or a route is; a later rung compares greater."""
    percent = step.percent if step.stage is Stage.CANARY else 0.0
    return list(Stage).index(step.stage), percent


def next_step(route: Route, rungs: Sequence[Step]) -> Step | None:
    """Give the first rung that is further than the route, or None at the end."""
    here = position(route)
    return next((rung for rung in rungs if position(rung) > here), None)
