"""The paired guardrail: is the replacement worse than legacy? Pass, fail, or hold."""

from __future__ import annotations

from math import exp, log

from ...guardrail_settings import Guardrail
from ...model import Verdict
from ...store.evidence import Counts
from .eprocess import log_e_not_worse, log_e_worse, pairs_until_pass

__all__ = ["NAME", "judge"]

NAME = "paired"
_LOG_MAX = 690.0


def judge(counts: Counts, bounds: Guardrail) -> Verdict:
    """Judge the evidence on one revision; may be called after every request.

    Fail: the replacement is worse (only adjudicated differences count). Pass: it is not worse by
    the margin, even if every difference that nobody has adjudicated yet went against it. Anything
    else is hold, with what is missing.
    """
    goal = log(1 / bounds.alpha)
    worse = log_e_worse(counts.legacy, counts.replacement)
    against = counts.legacy + counts.open
    not_worse = log_e_not_worse(counts.total, against, counts.replacement, bounds.margin)
    figures = {
        "pairs": float(counts.total),
        "only_legacy_right": float(counts.legacy),
        "only_replacement_right": float(counts.replacement),
        "open": float(counts.open),
        "e_worse": exp(min(worse, _LOG_MAX)),
        "e_not_worse": exp(min(not_worse, _LOG_MAX)),
        "needed": 1 / bounds.alpha,
    }
    score = (
        f"legacy alone was right {counts.legacy} times, the replacement alone {counts.replacement}"
    )
    if worse >= goal:
        reason = f"the replacement is worse: of {counts.total} requests, {score}"
        return Verdict(outcome="fail", guardrail=NAME, reason=reason, figures=figures)
    if counts.total >= bounds.samples and not_worse >= goal:
        reason = f"not worse by {bounds.margin:.0%}: of {counts.total} requests, {score}"
        return Verdict(outcome="pass", guardrail=NAME, reason=reason, figures=figures)
    missing, more = _missing(counts, bounds, goal)
    return Verdict(
        outcome="hold",
        guardrail=NAME,
        reason=f"too little evidence: of {counts.total} requests, {score}",
        figures={**figures, "more_pairs": float(more)} if more else figures,
        missing=missing,
    )


def _missing(counts: Counts, bounds: Guardrail, goal: float) -> tuple[str, int]:
    """Say what is missing, and how many pairs that is; 0 where more pairs do not help."""
    if counts.total < bounds.samples:
        fewer = bounds.samples - counts.total
        return f"{fewer} more requests before any verdict", fewer
    more = pairs_until_pass(
        counts.total, counts.legacy + counts.open, counts.replacement, bounds.margin, goal
    )
    if more is not None:
        return f"about {more} more requests like these", more
    if counts.open:
        return f"golden labels for the {counts.open} differences that nobody has adjudicated", 0
    return f"at this rate it is never shown to be within {bounds.margin:.0%} of legacy", 0
