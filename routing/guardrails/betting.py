"""A bounded mean, by betting on a histogram: valid for any distribution, whenever one looks.

A bettor against "the mean is at most m" starts with 1 and multiplies by 1 + λ(x - m) at every
observation; under the hypothesis that has a mean of at most 1. The capital is averaged over a grid
of stakes that is fixed beforehand, so it depends on the counts of the values alone (Waudby-Smith
and Ramdas, *Estimating means of bounded random variables by betting*, 2024). The m that are not
refuted on either side are a confidence sequence.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, log, log1p

__all__ = ["log_e_above", "log_e_below", "lower_bound", "upper_bound"]

_BETS = tuple(0.8 * 2.0**-step for step in range(9))
_HALVINGS = 30


def log_e_above(counts: Mapping[float, int], mean: float, least: float) -> float:
    """Give ln E against "the mean is at most ``mean``"; no value is less than ``least``."""
    return _log_capital({value - mean: n for value, n in counts.items()}, mean - least)


def log_e_below(counts: Mapping[float, int], mean: float, most: float) -> float:
    """Give ln E against "the mean is at least ``mean``"; no value is more than ``most``."""
    return _log_capital({mean - value: n for value, n in counts.items()}, most - mean)


def lower_bound(counts: Mapping[float, int], least: float, most: float, alpha: float) -> float:
    """Give the bound that the mean is above, at every look together with a chance of 1 - alpha."""
    low, high = least, most
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if log_e_above(counts, middle, least) >= log(1 / alpha):
            low = middle
        else:
            high = middle
    return low


def upper_bound(counts: Mapping[float, int], least: float, most: float, alpha: float) -> float:
    """Give the bound that the mean is below, as ``lower_bound`` does."""
    return -lower_bound({-value: n for value, n in counts.items()}, -most, -least, alpha)


def _log_capital(gains: Mapping[float, int], worst: float) -> float:
    if worst <= 0:
        return 0.0
    logs = [sum(n * log1p(bet / worst * gain) for gain, n in gains.items() if n) for bet in _BETS]
    peak = max(logs)
    return peak + log(sum(exp(value - peak) for value in logs) / len(logs))
