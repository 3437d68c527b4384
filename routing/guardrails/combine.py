"""All guardrails on one rung, in the order in which they are looked at, and what they come to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

import msgspec

from ...guardrail_settings import (
    Breaker,
    Errors,
    Guardrail,
    Latency,
    Mismatch,
    Ratio,
    Stay,
    bounds_of,
)
from ...model import Verdict
from . import breaker, budget, errors, latency, metric, mismatch, paired, ratio, stay
from .figures import Figures
from .rung import MOVED

__all__ = ["ALL", "KILLED", "combined", "judge_all"]

ALL: Final = "all"
"""The name of the guardrail in a verdict that all of them pass."""
KILLED: Final = "kill"

_Bounds = TypeVar("_Bounds", bound=msgspec.Struct)


def judge_all(figures: Figures, bounds: Guardrail) -> tuple[Verdict, ...]:
    """Judge what is known by every guardrail that is switched on and says something on this rung.

    The order is that in which they decide: kill, hard breaker, statistics, budget and metrics,
    sample ratio, stay. The sample ratio comes after the statistics, so that it never hides harm.
    """
    if figures.killed:
        return (_killed(figures),)
    return tuple(_judged(figures, bounds))


def combined(verdicts: Sequence[Verdict], pairs: int) -> Verdict:
    """Give the one verdict: the first that fails, else an error, else what is missing, else pass.

    What is not measured is a hold: a route without a single measurement never passes.
    """
    figures = {"pairs": float(pairs)}
    for outcome in ("fail", "error", "hold"):
        found = [verdict for verdict in verdicts if verdict.outcome == outcome]
        if found:
            missing = "; ".join(verdict.missing for verdict in found if verdict.missing)
            return msgspec.structs.replace(
                found[0], figures={**figures, **found[0].figures}, missing=missing
            )
    if all(verdict.guardrail == breaker.NAME for verdict in verdicts):
        # That nothing broke yet is no measurement.
        return Verdict(
            outcome="hold",
            guardrail=ALL,
            reason="nothing is measured: the guardrails that would are switched off",
            figures=figures,
            missing="a guardrail that is switched on",
        )
    return Verdict(
        outcome="pass",
        guardrail=ALL,
        reason="; ".join(verdict.reason for verdict in verdicts),
        figures=figures,
    )


def _judged(figures: Figures, bounds: Guardrail) -> Iterator[Verdict]:
    rung = figures.rung
    if rung.stage in MOVED:
        yield from _with(bounds.breaker, Breaker, lambda b: breaker.judge(figures.failures, b))
    if bounds.paired:
        yield paired.judge(figures.counts, bounds)
    yield from _with(bounds.mismatch, Mismatch, lambda b: mismatch.judge(figures.counts, b))
    shared = 0 < rung.share < 1
    if shared:
        found = _with(
            bounds.errors, Errors, lambda b: errors.judge(figures.went, figures.answered, b)
        )
        yield from _measured(found, bounds)
    yield from _with(bounds.latency, Latency, lambda b: latency.judge(figures.steps, b))
    if bounds.budget:
        yield budget.judge(figures.spent, bounds.budget)
    for one in bounds.metrics:
        yield metric.judge(one, figures.readings.get(one.name, ()))
    if shared:
        found = _with(
            bounds.ratio, Ratio, lambda b: ratio.judge(*figures.keys, share=rung.share, bounds=b)
        )
        yield from _measured(found, bounds)
    yield from _with(bounds.stay, Stay, lambda b: stay.judge(figures.seconds, figures.answered, b))


def _measured(verdicts: Iterator[Verdict], bounds: Guardrail) -> Iterator[Verdict]:
    """Leave out holds for want of requests, where no least stay asks for any on each rung."""
    short = bounds_of(bounds.stay, Stay) is None
    return (verdict for verdict in verdicts if not (short and verdict.outcome == "hold"))


def _with(
    given: _Bounds | bool, kind: type[_Bounds], judge: Callable[[_Bounds], Verdict]
) -> Iterator[Verdict]:
    bounds = bounds_of(given, kind)
    if bounds is not None:
        yield judge(bounds)


def _killed(figures: Figures) -> Verdict:
    return Verdict(
        outcome="hold",
        guardrail=KILLED,
        reason="the route is killed: legacy answers, and nothing is judged",
        figures={"pairs": float(figures.counts.total)},
        missing="somebody to lift the latch: fig route resume",
    )
