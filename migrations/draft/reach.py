"""How far an endpoint of a kind may ever go, whatever its evidence says."""

from __future__ import annotations

from ...config import Endpoint
from ...errors import RouteError
from ...model import Data, Route, Stage, Step
from ...routing.allowed import check_kind
from ...routing.pairs import is_legal

__all__ = ["reach"]


def reach(endpoint: Endpoint, effect: str) -> tuple[Stage, str]:
    """Give the furthest stage, and what keeps it from going further (empty where nothing does).

    Asks the very rules that a change of the route is held to. Called by ``fig new runbook``.
    """
    moves = endpoint.data == "moves" and is_legal(Stage.LIVE, Data.LEGACY_FIRST, effect)
    data = Data.LEGACY_FIRST if moves else Data.NONE
    planned = Route(endpoint=endpoint.name, stage=Stage.SHADOW, data=data)
    for stage in (Stage.LIVE, Stage.RETIRED):
        try:
            check_kind(endpoint, effect, Step(stage=stage), planned)
        except RouteError as error:
            why = "; ".join(filter(None, (error.message, error.remedy)))
            return Stage.SHADOW if stage is Stage.LIVE else Stage.LIVE, why
    return Stage.RETIRED, ""
