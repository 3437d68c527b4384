"""What learning found out, as figures: kept beside the model, printed by ``fig learn``."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from .calibration import Bin, Point

__all__ = ["ClassScore", "Confusion", "Report"]


class ClassScore(msgspec.Struct, frozen=True, kw_only=True):
    """How one class does: of its ``examples``, and of the answers that name it."""

    name: str
    examples: int
    precision: float
    recall: float
    held_back: int


class Confusion(msgspec.Struct, frozen=True, kw_only=True):
    """Two classes that are taken for each other: how often ``truth`` was called ``told``."""

    truth: str
    told: str
    count: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of a learnt revision. All are from examples that the model had not seen.

    ``accuracy`` counts every example (nothing held back), with its interval (95 %) from
    ``accuracy_low`` to ``accuracy_high``; ``coverage`` is the share answered at ``margin``, and
    ``selective_accuracy`` the accuracy of those. ``duplicates`` were left out; ``contradictions``
    are texts that stand there with several labels. ``seconds`` holds how long each step took.
    """

    revision: str
    folder: str
    source: str
    examples: int
    duplicates: int
    contradictions: int
    classes: int
    folds: int
    strength: float
    temperature: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    margin: float
    coverage: float
    selective_accuracy: float
    calibration_error: float
    bins: tuple[Bin, ...]
    curve: tuple[Point, ...]
    per_class: tuple[ClassScore, ...]
    confused: tuple[Confusion, ...]
    seconds: Mapping[str, float]
