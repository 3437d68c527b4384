"""The hard breaker: so many failures in so short a time that nobody waits for statistics."""

from __future__ import annotations

from ...guardrail_settings import Breaker
from ...model import Verdict

__all__ = ["NAME", "judge"]

NAME = "breaker"


def judge(failures: int, bounds: Breaker) -> Verdict:
    """Judge the failures of the replacement on this rung within the last ``bounds.seconds``.

    Each input counts once a window: one poisoned request that is sent again and again trips
    nothing. What it trips stays so until a person advances again, which begins a new rung.
    """
    figures = {"failures": float(failures), "trips_at": float(bounds.failures)}
    said = f"{failures} requests failed within {bounds.seconds:g} s"
    if failures >= bounds.failures:
        reason = f"the hard breaker trips: {said}"
        return Verdict(outcome="fail", guardrail=NAME, reason=reason, figures=figures)
    return Verdict(outcome="pass", guardrail=NAME, reason=said, figures=figures)
