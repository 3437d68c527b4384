"""The decision: which side answers a request, and whether the other one is asked too."""

from __future__ import annotations

import msgspec

from ..model import Request, Route, Side
from .bucket import inside
from .override import Override
from .pairs import plan_of
from .rules import Rules

__all__ = ["Decision", "Router", "decide"]


class Decision(msgspec.Struct, frozen=True):
    """What was decided, and by what.

    ``rule`` is ``killed``, ``data`` (a write goes to the store that counts), ``override``, ``pin``,
    ``rule N``, ``percent`` or ``stage``.
    """

    side: Side
    compare: bool
    rule: str


_KILLED = Decision(Side.LEGACY, compare=False, rule="killed")


class Router:
    """Decides for one endpoint. Built by the app; asked once a request, on the caller's path.

    In this order: a killed route goes to legacy, whatever its stage; what writes goes to the store
    that counts, where one is declared; a tester's signed header,
    wherever both sides may be asked; and where keys differ, an operator's pin of the key, the
    rules, the percent.
    """

    def __init__(
        self, rules: Rules | None = None, override: Override | None = None, effect: str = "read"
    ) -> None:
        self._rules = rules or Rules()
        self._override = override or Override()
        self._effect = effect

    def decide(self, route: Route, request: Request) -> Decision:
        """Decide for one request. Never raises."""
        plan = plan_of(route)
        if route.killed:
            return _KILLED
        if plan.writes and self._effect != "read":
            return Decision(plan.writes[0], compare=plan.compare, rule="data")
        forced = self._forced(route, request)
        if forced is not None:
            return Decision(forced, compare=plan.compare, rule="override")
        if not plan.chosen:
            return Decision(plan.inside, compare=plan.compare, rule="stage")
        pin = route.pins.get(request.key) if route.pins else None
        if pin is not None:
            return Decision(pin, compare=plan.compare, rule="pin")
        found = self._rules.side(request) if self._rules.sides else None
        if found is not None:
            return Decision(found[0], compare=plan.compare, rule=f"rule {found[1]}")
        return decide(route, request.key)

    def _forced(self, route: Route, request: Request) -> Side | None:
        record, plan = request.record, plan_of(route)
        if record is None or not plan.compare:
            return None  # the replacement is not asked here, or legacy is not
        side = self._override.side(record, route.endpoint)
        if side is Side.REPLACEMENT and plan.inside is Side.LEGACY and self._effect != "read":
            return None  # in shadow what the replacement would do is never done
        if side is Side.LEGACY and plan.inside is Side.REPLACEMENT and not plan.chosen:
            return None  # its store is behind
        return side


def decide(route: Route, key: str) -> Decision:
    """Decide by the route and the key alone: latch, pin, percent, stage. Never raises."""
    plan = plan_of(route)
    if route.killed:
        return _KILLED
    if not plan.chosen:
        return Decision(plan.inside, compare=plan.compare, rule="stage")
    pin = route.pins.get(key) if route.pins else None
    if pin is not None:
        return Decision(pin, compare=plan.compare, rule="pin")
    if plan.inside is plan.outside:
        return Decision(plan.inside, compare=plan.compare, rule="stage")
    ours = inside(route.salt, key, route.percent)
    side = plan.inside if ours else plan.outside
    return Decision(side, compare=plan.compare, rule="percent")
