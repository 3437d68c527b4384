"""How far an endpoint of a kind may ever go, whatever its evidence says."""

from __future__ import annotations

from ...errors import RouteError
from ...model import Data, Route, Stage, Step
from ...routing.operator import Operator
from ...routing.pairs import is_legal

__all__ = ["reach"]


def reach(operator: Operator, effect: str, *, moves: bool) -> tuple[Stage, str]:
    """Give the furthest stage, and what keeps it from going further (empty where nothing does).

    ``moves``: its data moves to a store of the replacement's. Asks the very rules that a change of
    the route is held to. Called by ``fig new runbook``.
    """
    data = Data.LEGACY_FIRST if moves and is_legal(Stage.LIVE, Data.LEGACY_FIRST, effect) else None
    route = operator.route()
    for stage in (Stage.LIVE, Stage.RETIRED):
        planned = Route(endpoint=route.endpoint, stage=Stage.SHADOW, data=data or Data.NONE)
        try:
            operator.check_kind(Step(stage=stage), planned)
        except RouteError as error:
            why = "; ".join(filter(None, (error.message, error.remedy)))
            return Stage.SHADOW if stage is Stage.LIVE else Stage.LIVE, why
    return Stage.RETIRED, ""
