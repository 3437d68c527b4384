"""What the figures of a report mean."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

from stranglerfig.ai.calibration import (
    abstention_curve,
    bins,
    calibration_error,
    choose_margin,
    fit_temperature,
    interval,
    log_loss,
    point,
)


def drawn(temperature, count=4000, seed=1):
    """Logits, and truths drawn from what they say at a temperature."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(count, 4)).astype(np.float32) * 3
    shares = np.exp(logits.astype(float) / temperature)
    shares /= shares.sum(axis=1, keepdims=True)
    truth = np.array([random.choice(4, p=row) for row in shares])
    return logits, truth


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_is_found_again(temperature):
    logits, truth = drawn(temperature)
    found = fit_temperature(logits, truth)
    assert found == pytest.approx(temperature, rel=0.1)
    for other in (found * 0.9, found * 1.1):
        assert log_loss(logits, truth, found) < log_loss(logits, truth, other)


def test_the_error_of_a_known_table():
    confidence = np.array([0.95, 0.95, 0.95, 0.95, 0.55, 0.55, 1.0], np.float32)
    right = np.array([True, True, False, False, True, False, True])
    table = bins(confidence, right)
    assert [(one.low, one.count, one.accuracy) for one in table] == [(0.5, 2, 0.5), (0.9, 5, 0.6)]
    assert calibration_error(table) == pytest.approx((2 * 0.05 + 5 * 0.36) / 7, abs=1e-3)


def test_a_curve_falls_in_coverage_and_ends_with_what_is_surest():
    confidence = np.linspace(0, 1, 101).astype(np.float32)
    curve = abstention_curve(confidence, confidence > 0.3)
    assert [one.margin for one in curve] == [step / 20 for step in range(20)]
    assert curve[0].coverage == 1
    coverages = [one.coverage for one in curve]
    assert coverages == sorted(coverages, reverse=True)
    assert curve[-1].accuracy == 1
    at = point(confidence, confidence > 0.3, 0.4)
    assert (at.accuracy, at.held_back) == (1.0, pytest.approx(9 / 40, abs=0.03))


def test_the_margin_holds_back_few_and_mostly_wrong_ones():
    confidence = np.array([0.2] * 1 + [0.35] * 1 + [0.5] * 50 + [0.9] * 148, np.float32)
    wrong = np.array([False] * 2 + [True] * 198)
    assert choose_margin(confidence, wrong) == pytest.approx(0.5)
    # Right ones are not held back, however unsure it was of them.
    assert choose_margin(confidence, np.ones(200, bool)) <= 0.2


def test_wilsons_interval():
    assert interval(81, 263) == (0.2553, 0.3662)  # Newcombe 1998, table I: 0.2553, 0.3662
    assert interval(0, 20)[0] == 0
    assert interval(20, 20)[1] == 1
