"""The errors guardrail: whether more goes wrong with the replacement than its share of the keys."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log
from typing import NamedTuple

from ...guardrail_settings import Errors
from ...model import Verdict
from .binomial import log_e_more

__all__ = ["NAME", "Went", "judge"]

NAME = "errors"
_LOG_MAX = 690.0


class Went(NamedTuple):
    """What went wrong on one rung: keys by side, each once a window, and the share of the keys."""

    share: float
    replacement: int
    legacy: int


def judge(rungs: Sequence[Went], answered: int, bounds: Errors) -> Verdict:
    """Judge the errors of one climb; may be called at every error.

    Given that a key's request went wrong, it was the replacement's with a chance of its share, if
    that is no worse than legacy. The e-values of the rungs are multiplied, as each is a bet of its
    own (as in ``ssrm``). ``answered``: requests that the replacement answered on this rung; without
    any there is nothing to judge. Live has nothing to hold it against and counts no more.
    """
    compared = [went for went in rungs if 0 < went.share < 1]
    found = sum(
        log_e_more(went.replacement, went.legacy, went.share, bounds.strength) for went in compared
    )
    worse = sum(went.replacement for went in compared)
    legacy = sum(went.legacy for went in compared)
    expected = sum((went.replacement + went.legacy) * went.share for went in compared)
    figures = {
        "replacement": float(worse),
        "legacy": float(legacy),
        "expected": expected,
        "e_value": exp(min(found, _LOG_MAX)),
        "needed": 1 / bounds.alpha,
    }
    said = f"{worse} of {worse + legacy} errors are the replacement's, by its share {expected:.1f}"
    if found >= log(1 / bounds.alpha):
        reason = f"more goes wrong on the replacement's side: {said}"
        return Verdict(outcome="fail", guardrail=NAME, reason=reason, figures=figures)
    if not answered:
        return Verdict(
            outcome="hold",
            guardrail=NAME,
            reason="the replacement has answered nothing on this rung",
            figures={**figures, "more_requests": 1.0},
            missing="requests that the replacement answers",
        )
    reason = f"no more goes wrong than by its share: {said}"
    return Verdict(outcome="pass", guardrail=NAME, reason=reason, figures=figures)
