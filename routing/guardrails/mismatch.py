"""The mismatch guardrail: whether the sides differ more often than they may."""

from __future__ import annotations

from math import ceil, log, log1p

from ...guardrail_settings import Mismatch
from ...model import Verdict
from ...store.evidence import Counts

__all__ = ["NAME", "judge", "log_ratio"]

NAME = "mismatch"


def log_ratio(matches: int, mismatches: int, bounds: Mismatch) -> float:
    """Give ln of the likelihood ratio of a mismatch rate ``p1`` to one of ``p0``."""
    return mismatches * log(bounds.p1 / bounds.p0) + matches * (
        log1p(-bounds.p1) - log1p(-bounds.p0)
    )


def judge(counts: Counts, bounds: Mismatch) -> Verdict:
    """Judge by Wald's sequential probability ratio test (1945); may be called at every pair.

    A mismatch is a difference that is not known to be to the replacement's credit: legacy alone was
    right, or nobody has adjudicated yet. As the likelihood ratio is a test martingale, going on
    after a pass still fails a good replacement with a chance of about alpha at most.
    """
    mismatches = counts.legacy + counts.open
    matches = counts.total - mismatches
    ratio = log_ratio(matches, mismatches, bounds)
    upper = log((1 - bounds.beta) / bounds.alpha)
    lower = log(bounds.beta / (1 - bounds.alpha))
    figures = {
        "pairs": float(counts.total),
        "mismatches": float(mismatches),
        "log_ratio": ratio,
        "fails_at": upper,
        "passes_at": lower,
    }
    said = f"{mismatches} mismatches in {counts.total} requests"
    if ratio >= upper:
        reason = f"differs too often: {said}"
        return Verdict(outcome="fail", guardrail=NAME, reason=reason, figures=figures)
    if ratio <= lower:
        reason = f"differs in less than {bounds.p1:.2%}: {said}"
        return Verdict(outcome="pass", guardrail=NAME, reason=reason, figures=figures)
    more = ceil((ratio - lower) / (log1p(-bounds.p0) - log1p(-bounds.p1)))
    return Verdict(
        outcome="hold",
        guardrail=NAME,
        reason=f"too little evidence on mismatches: {said}",
        figures={**figures, "more_pairs": float(more)},
        missing=f"{more} more requests on which the sides agree",
    )
