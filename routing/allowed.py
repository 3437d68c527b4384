"""What forbids a step, whatever the evidence says: latches, and what kind of endpoint it is."""

from __future__ import annotations

from typing import Final

from ..config import Endpoint
from ..errors import RouteError
from ..model import Data, Route, Stage, Step

__all__ = ["MOVED", "check_frozen", "check_kind", "check_latches", "refusal", "step_name"]

MOVED: Final = (Stage.CANARY, Stage.LIVE, Stage.RETIRED)
"""The stages in which the replacement answers somebody."""


def check_frozen(route: Route) -> None:
    """Raise ``RouteError`` where no step at all may be made."""
    if route.frozen:
        remedy = f"fig route resume {route.endpoint}"
        raise refusal("is frozen", route, expected="no latch", remedy=remedy)


def check_latches(route: Route) -> None:
    """Raise ``RouteError`` where no step forward may be made."""
    check_frozen(route)
    latch = "killed" if route.killed else "paused" if route.paused else ""
    if latch:
        remedy = f"fig route resume {route.endpoint}"
        raise refusal(f"is {latch}", route, expected="no latch", remedy=remedy)


def check_kind(endpoint: Endpoint, effect: str, step: Step, route: Route) -> None:
    """Raise ``RouteError`` for a rung that this kind of endpoint may not stand on."""
    if step.stage is not Stage.LEGACY and not endpoint.replacement:
        remedy = f"name one in endpoint.{endpoint.name}.replacement"
        raise refusal("has no replacement", route, remedy=remedy)
    if step.stage not in MOVED:
        return
    if endpoint.listen.source:
        _check_event(endpoint, effect, step, route)
    elif effect != "read":
        _check_write(effect, route)


def _check_event(endpoint: Endpoint, effect: str, step: Step, route: Route) -> None:
    if not endpoint.send:
        raise refusal(
            f"is an event, which nobody waits for: {step_name(step)} would mean nothing",
            route,
            expected="legacy or shadow",
            remedy="say where its decisions go: send = a [legacy.NAME] that takes messages",
        )
    # What is sent again after a crash carries the same id: an idempotent effect is had once.
    if effect not in ("read", "idempotent"):
        raise refusal(
            f"its operation has the effect {effect!r}: moving it would lose writes",
            route,
            expected="an operation with the effect 'read' or 'idempotent'",
            remedy="keep it in shadow until both sides can be written",
        )


def _check_write(effect: str, route: Route) -> None:
    """Let a write move only with its data: else each side would have some of what was written."""
    if effect == "irreversible":
        raise refusal(
            f"its operation has the effect {effect!r}: it would happen on both sides",
            route,
            expected="an operation that can be done again, or undone",
            remedy="keep it in shadow",
        )
    if route.data is Data.NONE:
        raise refusal(
            f"its operation has the effect {effect!r}: moving it would lose writes",
            route,
            expected="data that moves with it",
            remedy=f'say data = "moves" in endpoint.{route.endpoint}; then'
            f" fig route data {route.endpoint} legacy",
        )


def refusal(
    message: str, route: Route, *, value: str = "", expected: str = "", remedy: str = ""
) -> RouteError:
    """Make the error of a step that is not allowed."""
    return RouteError(
        message,
        place=f"endpoint {route.endpoint}",
        value=value or step_name(route),
        expected=expected,
        remedy=remedy,
    )


def step_name(step: Step | Route) -> str:
    """Name a rung, for people."""
    return f"canary {step.percent:g} %" if step.stage is Stage.CANARY else step.stage.value
