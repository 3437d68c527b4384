"""The e-values of guardrails, as they are shown beside what each of them fails at."""

from __future__ import annotations

from collections.abc import Iterable
from math import exp
from typing import Final

from ...model import Verdict

__all__ = ["e_values"]

_FAILING: Final = ("e_worse", "e_value", "e_slower")
"""Under which name the figures of a verdict hold the e-value that it fails at."""
_LOG_MAX: Final = 700.0  # beyond that a float overflows, and nobody asks how far


def e_values(endpoint: str, verdicts: Iterable[Verdict]) -> dict[tuple[str, ...], float]:
    """Give the gauges ``e_value`` and ``e_value_needed`` of an endpoint's guardrails.

    Those that count, and test nothing, have none. The ratio of a sequential test is an e-value too.
    """
    found: dict[tuple[str, ...], float] = {}
    for one in verdicts:
        figures = one.figures
        values = [figures[name] for name in _FAILING if name in figures]
        needed = figures.get("needed")
        if "log_ratio" in figures and "fails_at" in figures:
            values = [exp(min(figures["log_ratio"], _LOG_MAX))]
            needed = exp(min(figures["fails_at"], _LOG_MAX))
        if values and needed is not None:
            found["e_value", endpoint, one.guardrail] = values[0]
            found["e_value_needed", endpoint, one.guardrail] = needed
    return found
