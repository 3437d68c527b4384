"""A figure of one's own, read from a database or from Prometheus, that must stay in its range."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from ...guardrail_settings import Metric
from ...model import Verdict

__all__ = ["Reading", "judge"]


_Outcome = Literal["pass", "fail", "hold", "error"]


class Reading(NamedTuple):
    """What asking once gave: a value; none where there are no data; an error where it failed."""

    value: float | None = None
    error: str = ""


def judge(metric: Metric, readings: Sequence[Reading]) -> Verdict:
    """Judge the last readings, oldest first.

    Out of range fails only ``metric.times`` in a row: one spike takes nothing back. No data is a
    hold. A source that cannot be asked is an error and never a measurement; ``errors`` says how
    often in a row.
    """
    name = f"metric {metric.name}"
    if not readings:
        return _verdict(
            name, "hold", "has not been read yet", missing=f"a reading of {metric.name}"
        )
    last = readings[-1]
    if last.error:
        row = _in_row(readings, lambda reading: bool(reading.error))
        reason = f"cannot be read: {last.error}"
        return _verdict(name, "error", reason, errors=row, missing=f"a reading of {metric.name}")
    if last.value is None:
        return _verdict(name, "hold", "gives no data", missing=f"data of {metric.name}")
    said = f"{last.value:g}, {_range(metric)}"
    if _within(metric, last.value):
        return _verdict(name, "pass", said, value=last.value)
    row = _in_row(readings, lambda reading: _outside(metric, reading))
    if row >= metric.times:
        reason = f"out of range {row} times in a row: {said}"
        return _verdict(name, "fail", reason, value=last.value, times=row)
    reason = f"out of range {row} of {metric.times} times: {said}"
    return _verdict(name, "hold", reason, value=last.value, times=row, missing="another reading")


def _verdict(
    name: str, outcome: _Outcome, reason: str, missing: str = "", **figures: float
) -> Verdict:
    found = {key: float(value) for key, value in figures.items()}
    return Verdict(
        outcome=outcome,
        guardrail=name,
        reason=reason,
        figures=found,
        missing=missing,
    )


def _within(metric: Metric, value: float) -> bool:
    above = metric.min is None or value >= metric.min
    return above and (metric.max is None or value <= metric.max)


def _outside(metric: Metric, reading: Reading) -> bool:
    return reading.value is not None and not reading.error and not _within(metric, reading.value)


def _in_row(readings: Sequence[Reading], counts: Callable[[Reading], bool]) -> int:
    row = 0
    for reading in reversed(readings):
        if not counts(reading):
            break
        row += 1
    return row


def _range(metric: Metric) -> str:
    if metric.min is None:
        return f"at most {metric.max:g}"
    if metric.max is None:
        return f"at least {metric.min:g}"
    return f"between {metric.min:g} and {metric.max:g}"
