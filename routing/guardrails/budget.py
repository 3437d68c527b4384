"""The budget guardrail: what the replacement has used today, in calls, tokens and money."""

from __future__ import annotations

from collections.abc import Mapping

from ...model import Verdict

__all__ = ["CALLS", "NAME", "judge"]

NAME = "budget"
CALLS = "calls"


def judge(spent: Mapping[str, float], budget: Mapping[str, float]) -> Verdict:
    """Judge what a UTC day's answers have used, by name, against the day's budget.

    A name in the budget that no reply tells of is a hold: what is not measured is not within it.
    """
    figures = {name: spent.get(name, 0.0) for name in budget}
    figures |= {f"{name}_at_most": most for name, most in budget.items()}
    told = ", ".join(
        f"{spent.get(name, 0.0):g} of {most:g} {name}" for name, most in budget.items()
    )
    over = [name for name, most in budget.items() if spent.get(name, 0.0) > most]
    if over:
        reason = f"more than the day's budget of {' and '.join(over)}: {told}"
        return Verdict(outcome="fail", guardrail=NAME, reason=reason, figures=figures)
    unknown = [name for name in budget if name not in spent]
    if unknown:
        return Verdict(
            outcome="hold",
            guardrail=NAME,
            reason=f"nothing is known of the {' and '.join(unknown)} used today",
            figures=figures,
            missing=f"answers of the replacement that tell their {' and '.join(unknown)}",
        )
    return Verdict(outcome="pass", guardrail=NAME, reason=told, figures=figures)
