"""Fitting the classifier, and foretelling every example by a model that has not seen it."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from ..registry import missing
from .calibration import Codes, fit_temperature, log_loss
from .embedding import Floats

try:
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
except ModuleNotFoundError as error:
    raise missing("local", error) from error

__all__ = ["Fit", "Foretold", "fit", "foretell", "spread"]

STRENGTHS: Final = (3.0, 10.0, 30.0, 100.0)
"""The values of C (the inverse of the L2 penalty) that are tried; the least log loss wins."""

MANY: Final = 4000
"""From here on three folds are enough, and five would make a person wait."""


class Fit(msgspec.Struct, frozen=True):
    """A fitted model: ``weight`` (classes x width), ``bias``, and the C it was fitted with."""

    weight: Floats
    bias: Floats
    strength: float

    def logits(self, vectors: Floats) -> Floats:
        """Give a row of logits per vector."""
        out: Floats = vectors @ self.weight.T + self.bias
        return out


class Foretold(msgspec.Struct, frozen=True):
    """Logits of every example from the fold that left it out.

    ``calibrated`` are divided by a temperature that was found on the other folds.
    """

    logits: Floats
    calibrated: Floats
    folds: int


def spread(labels: Codes, folds: int, seed: int) -> Codes:
    """Give every example its fold, each class spread evenly: a class of two is in two folds."""
    random = np.random.default_rng(seed)
    fold = np.empty(len(labels), np.int64)
    for turn, label in enumerate(np.unique(labels)):
        members = random.permutation(np.flatnonzero(labels == label))
        fold[members] = (np.arange(len(members)) + turn) % folds
    return fold


def fit(vectors: Floats, labels: Codes, classes: int, seed: int) -> Fit:
    """Choose C on a fifth held out, then fit on all. Every class must be among ``labels``."""
    held = spread(labels, 5, seed) == 0
    # A class that would be held out whole stays in: it must be learnt to be told.
    left = np.bincount(labels[~held], minlength=classes)
    held &= left[labels] > 0
    best, least = STRENGTHS[0], np.inf
    for strength in STRENGTHS if held.any() else ():
        tried = _fit(vectors[~held], labels[~held], strength, tolerance=1e-3)
        loss = log_loss(tried.logits(vectors[held]), labels[held])
        if loss > least:
            break
        best, least = strength, loss
    return _fit(vectors, labels, best)


def foretell(vectors: Floats, labels: Codes, classes: int, seed: int) -> Foretold:
    """Foretell each example by a model fitted, its C chosen, without the example's fold."""
    folds = 5 if len(labels) < MANY else 3
    fold = spread(labels, folds, seed)
    logits = np.empty((len(labels), classes), np.float32)
    for one in range(folds):
        out = fold == one
        if out.any():
            logits[out] = fit(vectors[~out], labels[~out], classes, seed + 1).logits(vectors[out])
    calibrated = logits.copy()
    for one in range(folds):
        out = fold == one
        if out.any():
            calibrated[out] /= np.float32(fit_temperature(logits[~out], labels[~out]))
    return Foretold(logits, calibrated, folds)


def _fit(vectors: Floats, labels: Codes, strength: float, *, tolerance: float = 1e-4) -> Fit:
    # One thread: at these sizes several only wait for each other (20 times slower on 2 cores).
    with threadpool_limits(limits=1):
        model = LogisticRegression(C=strength, max_iter=1000, tol=tolerance).fit(vectors, labels)
    weight, bias = model.coef_, model.intercept_
    if len(weight) == 1:  # two classes are fitted as one: spell both out
        weight, bias = np.vstack((-weight, weight)) / 2, np.concatenate((-bias, bias)) / 2
    return Fit(weight.astype(np.float32), bias.astype(np.float32), strength)
