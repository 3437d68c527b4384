"""The paired guardrail: is the replacement worse than legacy? Pass, fail, or hold."""

from __future__ import annotations

from math import exp, log

import msgspec

from ..config import Guardrail
from ..model import Verdict
from .eprocess import log_e_not_worse, log_e_worse, pairs_until_pass

__all__ = ["NAME", "Tally", "judge"]

NAME = "paired"
_LOG_MAX = 690.0


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of distinct requests that both sides answered, by who was right."""

    both: int = 0
    legacy: int = 0
    replacement: int = 0
    neither: int = 0
    open: int = 0

    @property
    def total(self) -> int:
        """Give the number of distinct requests."""
        return self.both + self.legacy + self.replacement + self.neither + self.open


def judge(tally: Tally, bounds: Guardrail) -> Verdict:
    """Judge the evidence on one revision; may be called after every request.

    Fail: the replacement is worse (only adjudicated differences count). Pass: it is not worse by
    the margin, even if every difference that nobody has adjudicated yet went against it. Anything
    else is hold, with what is missing.
    """
    goal = log(1 / bounds.alpha)
    worse = log_e_worse(tally.legacy, tally.replacement)
    against = tally.legacy + tally.open
    not_worse = log_e_not_worse(tally.total, against, tally.replacement, bounds.margin)
    figures = {
        "pairs": float(tally.total),
        "only_legacy_right": float(tally.legacy),
        "only_replacement_right": float(tally.replacement),
        "open": float(tally.open),
        "e_worse": exp(min(worse, _LOG_MAX)),
        "e_not_worse": exp(min(not_worse, _LOG_MAX)),
        "needed": 1 / bounds.alpha,
    }
    score = (
        f"legacy alone was right {tally.legacy} times, the replacement alone {tally.replacement}"
    )
    if worse >= goal:
        reason = f"the replacement is worse: of {tally.total} requests, {score}"
        return Verdict(outcome="fail", guardrail=NAME, reason=reason, figures=figures)
    if tally.total >= bounds.samples and not_worse >= goal:
        reason = f"not worse by {bounds.margin:.0%}: of {tally.total} requests, {score}"
        return Verdict(outcome="pass", guardrail=NAME, reason=reason, figures=figures)
    return Verdict(
        outcome="hold",
        guardrail=NAME,
        reason=f"too little evidence: of {tally.total} requests, {score}",
        figures=figures,
        missing=_missing(tally, bounds, goal),
    )


def _missing(tally: Tally, bounds: Guardrail, goal: float) -> str:
    if tally.total < bounds.samples:
        return f"{bounds.samples - tally.total} more requests before any verdict"
    more = pairs_until_pass(
        tally.total, tally.legacy + tally.open, tally.replacement, bounds.margin, goal
    )
    if more is not None:
        return f"about {more} more requests like these"
    if tally.open:
        return f"golden labels for the {tally.open} differences that nobody has adjudicated"
    return f"at this rate it is never shown to be within {bounds.margin:.0%} of legacy"
