"""The decision: which side answers this key, and whether the other one is asked too."""

from __future__ import annotations

import msgspec

from ..model import Route, Side, Stage
from .bucket import inside
from .stages import PLANS

__all__ = ["Decision", "decide"]


class Decision(msgspec.Struct, frozen=True):
    """What was decided, and by which rule: ``killed``, ``stage`` or ``percent``."""

    side: Side
    compare: bool
    rule: str


_KILLED = Decision(Side.LEGACY, compare=False, rule="killed")
_ALWAYS = {
    stage: Decision(plan.inside, compare=plan.compare, rule="stage")
    for stage, plan in PLANS.items()
    if stage is not Stage.CANARY
}
_INSIDE = Decision(PLANS[Stage.CANARY].inside, compare=PLANS[Stage.CANARY].compare, rule="percent")
_OUTSIDE = Decision(
    PLANS[Stage.CANARY].outside, compare=PLANS[Stage.CANARY].compare, rule="percent"
)


def decide(route: Route, key: str) -> Decision:
    """Decide for one request. Called once a request, on the caller's path; never raises.

    A killed route goes to legacy, whatever its stage; a canary is sticky by key.
    """
    if route.killed:
        return _KILLED
    if route.stage is Stage.CANARY:
        return _INSIDE if inside(route.salt, key, route.percent) else _OUTSIDE
    return _ALWAYS[route.stage]
