"""What a step waits for where the guardrail does not pass."""

from __future__ import annotations

from ..model import Verdict
from .ports import Waiting

__all__ = ["not_passed"]


def not_passed(verdict: Verdict, endpoint: str) -> Waiting | None:
    """Give what is waited for; None where it passes.

    One that fails never passes by itself: another revision begins with evidence of its own.
    """
    if verdict.outcome == "pass":
        return None
    failed = verdict.outcome == "fail"
    return Waiting(
        reason=f"the guardrail says {verdict.outcome}: {verdict.reason}",
        missing=verdict.missing or ("another revision of the replacement" if failed else ""),
        command=f"fig route deploy {endpoint}" if failed else f"fig evidence {endpoint}",
    )
