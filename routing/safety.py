"""Whether a route can go back without losing what was written, until when, and what is missing."""

from __future__ import annotations

from typing import Final

import msgspec

from ..model import Data, Route, Side
from ..store.dual_work import Lag

__all__ = ["Safety", "apart", "rollback_safety"]


class Safety(msgspec.Struct, frozen=True, kw_only=True):
    """What a person is told: whether it is safe now, until when, and what is not copied yet."""

    safe: bool
    says: str
    uncopied: int = 0
    doubts: int = 0


def rollback_safety(route: Route, lag: Lag) -> Safety:
    """Say whether legacy could answer everybody now, as far as what was written goes."""
    missing, doubts = lag.to_legacy, lag.doubts
    if route.data is Data.REPLACEMENT:
        says = "not any more: legacy's store is behind since it was retired"
        return Safety(safe=False, says=says)
    wrong = apart(lag, Side.LEGACY)
    if route.data is Data.REPLACEMENT_FIRST and wrong:
        return Safety(safe=False, says=f"not now: {wrong}", uncopied=missing, doubts=doubts)
    until = "safe until legacy is retired (data replacement)"
    if route.data is Data.REPLACEMENT_FIRST:
        says = f"{until}: all that was written is in legacy"
    elif route.data in (Data.LEGACY, Data.LEGACY_FIRST):
        says = f"{until}: legacy has all that was written"
    else:
        says = "safe until legacy is retired: no data moves"
    if lag.to_replacement:
        says += f"; {_count(lag.to_replacement, 'write')} not yet copied to the replacement"
    return Safety(safe=True, says=says, uncopied=lag.waiting, doubts=doubts)


def apart(lag: Lag, side: Side | None = None) -> str:
    """Say what a side (None: either) does not have yet; empty where it has all.

    What is being written at this moment does not count: it is copied, or waits, in a moment.
    """
    parts = [
        f"{_count(lag.to(one), 'write')} not yet copied to {_NAMES[one]}"
        for one in ((side,) if side is not None else Side)
        if lag.to(one)
    ]
    if lag.doubts:
        parts.append(f"{_count(lag.doubts, 'write')} in doubt")
    if parts and lag.oldest:
        parts.append(f"the oldest {lag.oldest:.0f} s old")
    return ", ".join(parts)


_NAMES: Final = {Side.LEGACY: "legacy", Side.REPLACEMENT: "the replacement"}


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
