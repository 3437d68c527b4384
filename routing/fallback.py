"""Whether legacy may answer in the replacement's place, where the replacement gave no answer."""

from __future__ import annotations

from typing import Final

from ..errors import Declined, NotAsked
from ..model import Side
from .pairs import Plan, reads_only

__all__ = ["NOT_DONE", "may_have_happened", "why_not"]

NOT_DONE: Final = (NotAsked, Declined)
"""Errors that say that nothing has happened. Of all others nobody knows."""


def may_have_happened(error: Exception | None, *, asked: bool) -> bool:
    """Say whether the replacement may have done something of the request.

    ``asked``: it was, or may have been. ``error`` is what it came to; None: it abstained, which
    says that it did nothing.
    """
    return asked and error is not None and not isinstance(error, NOT_DONE)


def why_not(plan: Plan, effect: str, *, happened: bool, left: float, stale: bool = False) -> str:
    """Say what forbids that legacy answers instead; empty where nothing does.

    ``happened``: as ``may_have_happened`` says. ``left`` are the seconds that the caller still has.
    ``stale``: reads may be answered from a store of legacy's that is behind. Called by the
    dispatcher; one table of rules for all that is served.

    A write is never repeated: legacy gets it only where it is known that the replacement did
    nothing of it, and never where legacy's store is behind, for it would be the only one with it.
    """
    if plan.inside is plan.outside is Side.LEGACY:
        return ""  # it is legacy's to answer, whatever we cannot read of it
    if not plan.fallback:
        return "legacy is retired" if not plan.legacy_needed else "nobody else is asked here"
    behind = bool(plan.writes) and plan.writes[0] is Side.REPLACEMENT
    if reads_only(effect):
        if behind and not stale:
            return "legacy's store is behind, and [endpoint.NAME.fallback] allows no stale answers"
    elif behind:
        return "legacy's store is behind: what is written goes to the replacement first"
    elif happened:
        return "the replacement may have done it already, and nothing is done twice"
    return "" if left > 0 else "the caller's time is over"
