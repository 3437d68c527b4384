"""How far a confidence can be believed: temperature, reliability, and what abstaining buys.

Temperature scaling and the expected calibration error are those of Guo, Pleiss, Sun and
Weinberger, *On Calibration of Modern Neural Networks*, ICML 2017.
"""

from __future__ import annotations

import math
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from .classifier import softmax
from .embedding import Floats

__all__ = [
    "Bin",
    "Codes",
    "Point",
    "Truth",
    "abstention_curve",
    "bins",
    "calibration_error",
    "choose_margin",
    "fit_temperature",
    "interval",
    "log_loss",
    "point",
]

Truth = NDArray[np.bool_]
Codes = NDArray[np.int64]

ABSTAIN_AT_MOST: Final = 0.02
"""The default margin sends at most this share back to legacy: the clearly unsure."""

WRONG_AT_LEAST: Final = 0.5
"""The default margin only holds back what is wrong at least as often as right."""


class Bin(msgspec.Struct, frozen=True):
    """Answers with a confidence from ``low`` to ``high``: how many, how sure, how often right."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


class Point(msgspec.Struct, frozen=True):
    """What a margin does: the share answered, and accuracies of what is answered and held back."""

    margin: float
    coverage: float
    accuracy: float
    held_back: float


def log_loss(logits: Floats, truth: Codes, temperature: float = 1.0) -> float:
    """Give the mean negative log of the probability given to the right class."""
    right = softmax(logits, temperature)[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(right, 1e-12)).mean())


def fit_temperature(logits: Floats, truth: Codes) -> float:
    """Find the temperature with the least log loss, by golden-section search on its logarithm."""
    low, high = math.log(0.05), math.log(20.0)
    ratio = (math.sqrt(5) - 1) / 2
    for _ in range(40):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if log_loss(logits, truth, math.exp(left)) < log_loss(logits, truth, math.exp(right)):
            high = right
        else:
            low = left
    return round(math.exp((low + high) / 2), 4)


def bins(confidence: Floats, right: Truth, count: int = 10) -> tuple[Bin, ...]:
    """Sort answers by confidence into bins of equal width; empty ones are left out."""
    places = np.minimum((confidence * count).astype(np.int64), count - 1)
    found = []
    for place in range(count):
        inside = places == place
        if inside.any():
            found.append(
                Bin(
                    low=place / count,
                    high=(place + 1) / count,
                    count=int(inside.sum()),
                    confidence=_mean(confidence[inside]),
                    accuracy=_mean(right[inside]),
                )
            )
    return tuple(found)


def calibration_error(table: tuple[Bin, ...]) -> float:
    """Give the expected calibration error: the mean gap between confidence and accuracy."""
    total = sum(one.count for one in table)
    gap = sum(one.count * abs(one.confidence - one.accuracy) for one in table)
    return round(gap / total, 4)


def abstention_curve(confidence: Floats, right: Truth) -> tuple[Point, ...]:
    """Give what every margin from 0 to 0.95, by steps of 0.05, does."""
    return tuple(point(confidence, right, step / 20) for step in range(20))


def point(confidence: Floats, right: Truth, margin: float) -> Point:
    """Give what one margin does. An accuracy of nothing is 0."""
    answered = confidence >= margin
    return Point(
        margin=margin,
        coverage=_mean(answered),
        accuracy=_mean(right[answered]),
        held_back=_mean(right[~answered]),
    )


def choose_margin(confidence: Floats, right: Truth) -> float:
    """Find the largest margin (by 0.01) that holds back only what is clearly unsure.

    That is at most ``ABSTAIN_AT_MOST`` of the answers, wrong at least as often as right.
    """
    chosen = 0.0
    for step in range(1, 96):
        at = point(confidence, right, step / 100)
        if 1 - at.coverage > ABSTAIN_AT_MOST:
            break
        if at.held_back <= 1 - WRONG_AT_LEAST:
            chosen = step / 100
    return chosen


def interval(right: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """Give Wilson's interval (95 %) of a share (Wilson, 1927)."""
    share = right / of
    centre = share + z * z / (2 * of)
    spread = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    whole = 1 + z * z / of
    return round((centre - spread) / whole, 4), round((centre + spread) / whole, 4)


def _mean(values: Floats | Truth) -> float:
    return round(float(values.mean()), 4) if values.size else 0.0
