"""The rungs of a migration, in their order."""

from __future__ import annotations

from collections.abc import Sequence

from ..model import Route, Stage, Step

__all__ = ["ladder", "next_step", "position"]


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
