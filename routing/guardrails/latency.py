"""The latency guardrail: how many times as long as legacy the replacement takes."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, floor, log, log2
from typing import Final

from ...guardrail_settings import Latency
from ...model import Verdict
from .betting import log_e_above, log_e_below, lower_bound, upper_bound

__all__ = ["MOST", "NAME", "STEPS", "interval", "judge", "step_of"]

NAME = "latency"
MOST: Final = 6
"""Octaves up and down: 64 times as long, or as short, counts as such however much more it is."""
STEPS: Final = 16
"""Steps in an octave: each is 4.4 %."""
_LAST: Final = MOST * STEPS
_LOG_MAX = 690.0


def step_of(replacement: float, legacy: float) -> int:
    """Give the step of a pair of times, both in one unit. Called for every pair that is timed.

    The ratio is at least 2^(step / STEPS), and less than that of the next step.
    """
    if replacement <= 0 or legacy <= 0:
        return 0
    step = floor(log2(replacement / legacy) * STEPS)
    return step if -_LAST <= step < _LAST else _LAST - 1 if step > 0 else -_LAST


def judge(steps: Mapping[int, int], bounds: Latency) -> Verdict:
    """Judge the pairs of a rung by their steps; may be called at every pair.

    Rests on no distribution: latencies are skewed, and a confidence sequence that takes them for
    normal fails good replacements far more often than alpha says (``benchmarks/guardrails.py``).
    """
    # Each pair counts as the end of its step that speaks against the verdict: so rounding, which
    # may lean to one side, makes none.
    least, most = _ends(steps)
    pairs = sum(least.values())
    limit = min(log2(bounds.at_most), MOST - 1 / STEPS)
    goal = log(1 / bounds.alpha)
    slower = log_e_above(least, limit, -MOST)
    within = log_e_below(most, limit, MOST)
    mean = sum((value + 0.5 / STEPS) * n for value, n in least.items()) / pairs if pairs else 0.0
    figures = {
        "pairs": float(pairs),
        "times": 2**mean,
        "at_most": bounds.at_most,
        "e_slower": exp(min(slower, _LOG_MAX)),
        "e_within": exp(min(within, _LOG_MAX)),
        "needed": 1 / bounds.alpha,
    }
    said = f"{2**mean:.2f} times as long as legacy, on {pairs} pairs"
    if slower >= goal:
        reason = f"slower than {bounds.at_most:g} times legacy: {said}"
        return Verdict(outcome="fail", guardrail=NAME, reason=reason, figures=figures)
    if within >= goal:
        reason = f"within {bounds.at_most:g} times legacy: {said}"
        return Verdict(outcome="pass", guardrail=NAME, reason=reason, figures=figures)
    return _hold(most, limit, goal, f"too few pairs are timed: {said}", figures)


def _hold(
    counts: Mapping[float, int],
    limit: float,
    goal: float,
    reason: str,
    figures: Mapping[str, float],
) -> Verdict:
    pairs = sum(counts.values())
    missing, more = "requests that both sides answer, timed", 100
    if pairs:
        many = {value: n * 64 for value, n in counts.items()}
        if log_e_below(many, limit, MOST) >= goal:
            low, high = 1.0, 64.0
            while high - low > 0.05:
                middle = (low + high) / 2
                some = {value: round(n * middle) for value, n in counts.items()}
                low, high = (
                    (low, middle) if log_e_below(some, limit, MOST) >= goal else (middle, high)
                )
            more = max(1, round(pairs * (high - 1)))
            missing = f"about {more} more timed pairs like these"
        else:
            more, missing = 0, "at this rate it is never shown to be within the limit"
    return Verdict(
        outcome="hold",
        guardrail=NAME,
        reason=reason,
        figures={**figures, "more_pairs": float(more)} if more else figures,
        missing=missing,
    )


def interval(steps: Mapping[int, int], alpha: float) -> tuple[float, float]:
    """Give between how many and how many times as long it takes: a confidence sequence."""
    least, most = _ends(steps)
    low = lower_bound(least, -MOST, MOST, alpha)
    return 2**low, 2 ** upper_bound(most, -MOST, MOST, alpha)


def _ends(steps: Mapping[int, int]) -> tuple[dict[float, int], dict[float, int]]:
    """Give the counts by the lower ends of their steps, and by the upper ones, in octaves."""
    least = {step / STEPS: n for step, n in steps.items() if n}
    return least, {value + 1 / STEPS: n for value, n in least.items()}
