"""The one table of who answers and who writes, for every legal pair of serving and data.

A pair that is not in it cannot be reached: not by an operator, not by a guardrail, not by a runbook
(``moves.py``). The code that serves reads the table and knows no stages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from ..model import Data, Route, Side, Stage

__all__ = ["EFFECTS", "PAIRS", "Plan", "is_legal", "plan_of", "reads_only", "written"]

EFFECTS: Final = ("read", "idempotent", "compensable", "irreversible")
"""What an operation may declare to do, from the one that does nothing to the one that is for good.
It is never inferred."""

_L, _R = Side.LEGACY, Side.REPLACEMENT


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a pair does with a request.

    ``inside`` answers the keys that are the replacement's, ``outside`` all others. ``chosen``: keys
    differ, so pins, rules and the percent say which are inside. ``compare``: the other side is
    asked too, off the caller's path. ``writes``: who is written, in this order; none: whoever
    answers. ``fallback``: legacy can answer in the replacement's place. ``legacy_needed``: the pair
    does not work once legacy is gone.
    """

    inside: Side
    outside: Side
    compare: bool
    fallback: bool
    chosen: bool = False
    writes: tuple[Side, ...] = ()
    legacy_needed: bool = True

    def order(self, served: Side) -> tuple[Side, ...]:
        """Give who is written for a key that ``served`` answers, the first one first."""
        return self.writes or (served,)


def _plan(stage: Stage, writes: tuple[Side, ...] = (), *, chosen: bool = True) -> Plan:
    by_replacement = stage in (Stage.CANARY, Stage.LIVE, Stage.RETIRED)
    return Plan(
        inside=_R if by_replacement else _L,
        outside=_R if stage in (Stage.LIVE, Stage.RETIRED) else _L,
        chosen=chosen and stage in (Stage.CANARY, Stage.LIVE),
        compare=stage in (Stage.SHADOW, Stage.CANARY, Stage.LIVE),
        fallback=stage in (Stage.CANARY, Stage.LIVE),
        writes=writes,
        legacy_needed=stage is not Stage.RETIRED,
    )


PAIRS: Final[Mapping[tuple[Stage, Data], Plan]] = {
    # Nothing moves: whoever answers a request is the only one who does anything.
    (Stage.LEGACY, Data.NONE): _plan(Stage.LEGACY),
    (Stage.SHADOW, Data.NONE): _plan(Stage.SHADOW),
    (Stage.CANARY, Data.NONE): _plan(Stage.CANARY),
    (Stage.LIVE, Data.NONE): _plan(Stage.LIVE),
    (Stage.RETIRED, Data.NONE): _plan(Stage.RETIRED),
    # Legacy's store is the only one: all writes go there, whoever answers the reads.
    (Stage.LEGACY, Data.LEGACY): _plan(Stage.LEGACY, (_L,)),
    (Stage.SHADOW, Data.LEGACY): _plan(Stage.SHADOW, (_L,)),
    (Stage.CANARY, Data.LEGACY): _plan(Stage.CANARY, (_L,)),
    (Stage.LIVE, Data.LEGACY): _plan(Stage.LIVE, (_L,)),
    # Both stores, and legacy's counts: what it refuses does not happen.
    (Stage.LEGACY, Data.LEGACY_FIRST): _plan(Stage.LEGACY, (_L, _R)),
    (Stage.SHADOW, Data.LEGACY_FIRST): _plan(Stage.SHADOW, (_L, _R)),
    (Stage.CANARY, Data.LEGACY_FIRST): _plan(Stage.CANARY, (_L, _R)),
    (Stage.LIVE, Data.LEGACY_FIRST): _plan(Stage.LIVE, (_L, _R)),
    # Both stores, and the replacement's counts. Legacy's is behind: it answers only in need, and
    # nobody may choose it. A canary, whose other keys do, is not legal here.
    (Stage.LIVE, Data.REPLACEMENT_FIRST): _plan(Stage.LIVE, (_R, _L), chosen=False),
    # Legacy's store is no longer written: nothing can go back there, so nothing may need it.
    (Stage.RETIRED, Data.REPLACEMENT): _plan(Stage.RETIRED, (_R,)),
}


def is_legal(stage: Stage, data: Data, effect: str) -> bool:
    """Say whether an endpoint whose operation has that effect may stand there.

    What cannot be taken back is never written on two sides, for it would happen twice; so its data
    never moves.
    """
    if effect == "irreversible" and data not in (Data.NONE, Data.LEGACY):
        return False
    return (stage, data) in PAIRS


def plan_of(route: Route) -> Plan:
    """Give what a route's pair does.

    A pair that is not legal, as a newer version may have written, is served by legacy alone where
    legacy can still answer.
    """
    plan = PAIRS.get((route.stage, route.data))
    if plan is not None:
        return plan
    retired = route.stage is Stage.RETIRED or route.data is Data.REPLACEMENT
    return PAIRS[(Stage.RETIRED, Data.REPLACEMENT) if retired else (Stage.LEGACY, Data.LEGACY)]


def written(route: Route, effect: str) -> tuple[Side, ...]:
    """Give who is written, the first one first, where the replacement's store is kept by writes.

    Empty where it is not: whoever answers a request is then the only one who does anything. A
    killed route writes legacy first, whatever the order was, and the replacement's store is brought
    up to date when the kill is lifted.
    """
    writes = plan_of(route).writes
    if reads_only(effect) or Side.REPLACEMENT not in writes:
        return ()
    return (_L, _R) if route.killed and _L in writes else writes


def reads_only(effect: str) -> bool:
    """Say whether an operation of that effect does nothing that could be done twice."""
    return effect == "read"
