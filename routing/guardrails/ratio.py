"""The sample-ratio guardrail: whether the sides get the keys that the percent says."""

from __future__ import annotations

from math import exp, log

from ...guardrail_settings import Ratio
from ...model import Verdict
from .binomial import log_e_other

__all__ = ["NAME", "judge"]

NAME = "sample ratio"
_STRENGTH = 20.0
_LOG_MAX = 690.0


def judge(replacement: int, legacy: int, share: float, bounds: Ratio) -> Verdict:
    """Judge the keys that were answered on a rung, each counted once; may be called at every key.

    Where it fails, what the other guardrails say cannot be trusted: requests of one side are lost,
    repeated or sent past us. It is looked at last, so that it never hides harm.
    """
    found = log_e_other(replacement, legacy, share, _STRENGTH)
    keys = replacement + legacy
    figures = {
        "keys": float(keys),
        "replacement": float(replacement),
        "expected": keys * share,
        "e_value": exp(min(found, _LOG_MAX)),
        "needed": 1 / bounds.alpha,
    }
    said = f"{replacement} of {keys} keys were the replacement's, by its share {keys * share:.1f}"
    if found >= log(1 / bounds.alpha):
        reason = f"the sides do not get their shares: {said}"
        return Verdict(outcome="fail", guardrail=NAME, reason=reason, figures=figures)
    if not keys:
        return Verdict(
            outcome="hold",
            guardrail=NAME,
            reason="no keys on this rung",
            figures={**figures, "more_requests": 1.0},
            missing="requests that the percent decides on",
        )
    return Verdict(outcome="pass", guardrail=NAME, reason=said, figures=figures)
