"""Which pair a route may go to from where it stands: one axis at a time."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Data, Route, Stage
from .pairs import PAIRS, is_legal

__all__ = ["data_after_rollback", "neighbours", "why_not"]

_STAGES, _DATA = tuple(Stage), tuple(Data)

_END = (Stage.RETIRED, Data.REPLACEMENT)
_BEFORE_THE_END = (Stage.LIVE, Data.REPLACEMENT_FIRST)


def neighbours(stage: Stage, data: Data, effect: str) -> Iterator[tuple[Stage, Data]]:
    """Give every pair that one change may lead to. Used by ``why_not``, and by tests that walk.

    Serving may go any number of rungs at once, but to retired from live only. Data goes one step
    either way. Retiring legacy ends its store with it, and from there no way leads back: what was
    written since is not in legacy's store.
    """
    for pair in PAIRS:
        if pair != (stage, data) and is_legal(*pair, effect) and _is_step((stage, data), pair):
            yield pair


def _is_step(here: tuple[Stage, Data], there: tuple[Stage, Data]) -> bool:
    if here == _END:
        return False
    if there == _END:
        return here == _BEFORE_THE_END
    served = _STAGES.index(there[0]) - _STAGES.index(here[0])
    owned = _DATA.index(there[1]) - _DATA.index(here[1])
    if Data.NONE in (here[1], there[1]) and owned:
        # Where nothing is routed yet, an endpoint may be told that its data is to move.
        return served == 0 and abs(owned) == 1 and here[0] in (Stage.LEGACY, Stage.SHADOW)
    if owned == 0:
        return there[0] is not Stage.RETIRED or here[0] is Stage.LIVE
    if here == _BEFORE_THE_END and there[1] is Data.LEGACY_FIRST:
        return served <= 0  # back, with both stores still written
    return served == 0 and abs(owned) == 1


def why_not(route: Route, stage: Stage, data: Data, effect: str) -> str:
    """Say what forbids a change to that pair; empty where nothing does."""
    here, there = (route.stage, route.data), (stage, data)
    if here == _END:
        return "legacy's store is behind since it was retired: there is no way back"
    if not is_legal(stage, data, effect):
        if (stage, data) in PAIRS:
            return f"an {effect} effect would happen on both sides on the way there"
        return f"{stage} with data {data} is no legal pair"
    if here == there:
        return "it stands there already"
    if there not in set(neighbours(*here, effect)):
        return f"there is no single step from {here[0]}, data {here[1]}"
    return ""


def data_after_rollback(route: Route) -> Data:
    """Give the data axis of a route that is rolled back: both stores stay written, legacy first."""
    return Data.LEGACY_FIRST if route.data is Data.REPLACEMENT_FIRST else route.data
