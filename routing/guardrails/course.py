"""The e-values over the course of the evidence: what the paired test would have said, and when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import log

import msgspec

from ...guardrail_settings import Guardrail
from .eprocess import log_e_not_worse, log_e_worse

__all__ = ["Point", "course_of"]

_LN10 = log(10)


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """The test after so many pairs; e-values as powers of ten, so that 2 is an e-value of 100."""

    pairs: int
    worse: float
    not_worse: float


def course_of(winners: Iterable[str], bounds: Guardrail, points: int = 100) -> list[Point]:
    """Give the test after each of about ``points`` numbers of pairs, the last one among them.

    ``winners`` come in the order in which their pairs did, as they were adjudicated by now.
    """
    tallies = _tallies(winners)
    if not tallies:
        return []
    step = max(1, len(tallies) // points)
    numbers = sorted({*range(step, len(tallies) + 1, step), len(tallies)})
    return [_point(number, tallies[number - 1], bounds) for number in numbers]


def _tallies(winners: Iterable[str]) -> Sequence[tuple[int, int, int]]:
    """Count, after each pair: only legacy right, only the replacement, not adjudicated."""
    legacy = replacement = undecided = 0
    tallies = []
    for winner in winners:
        legacy += winner == "legacy"
        replacement += winner == "replacement"
        undecided += winner == "open"
        tallies.append((legacy, replacement, undecided))
    return tallies


def _point(pairs: int, tally: tuple[int, int, int], bounds: Guardrail) -> Point:
    legacy, replacement, undecided = tally
    within = log_e_not_worse(pairs, legacy + undecided, replacement, bounds.margin)
    return Point(
        pairs=pairs, worse=log_e_worse(legacy, replacement) / _LN10, not_worse=within / _LN10
    )
