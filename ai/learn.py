"""Teaching a classifier from labelled examples, and saying honestly how good it is.

Called by ``fig learn``. Importing this raises ``MissingExtra`` where the extra ``local`` is not
installed.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from ..errors import InputError, StoreError
from ..registry import missing
from .examples import Example, read_examples

try:
    import numpy as np

    from . import calibration
    from .calibration import Codes, Truth
    from .classifier import save, softmax
    from .embedding import SPACE, Embedder, Floats
    from .report import ClassScore, Confusion, Report
    from .training import Fit, Foretold, fit, foretell
except ModuleNotFoundError as error:
    raise missing("local", error) from error

__all__ = ["Progress", "Report", "learn"]

Progress = Callable[[int, int], None]
"""Is told how many texts are embedded, and of how many."""

PAIRS: Final = 10
"""How many confused pairs a report lists."""


def learn(
    source: Path,
    *,
    folder: Path,
    text_field: str = "text",
    predicts: str = "category",
    columns: tuple[str, str] | None = None,
    margin: float | None = None,
    progress: Progress | None = None,
    threads: int = 2,
    seed: int = 20,
) -> Report:
    """Learn from the examples in ``source``; write a revision under ``folder``, CURRENT naming it.

    ``text_field`` and ``predicts`` are the request's and the reply's field; ``columns`` names a
    CSV's columns where they are called otherwise. ``margin`` (0..1) is the confidence under which
    the model abstains; None chooses one that holds back the clearly unsure only. The same examples
    give the same revision. Raises ``InputError`` for examples that cannot be learnt from,
    ``ReplacementUnavailable`` where the embedding model is not as installed, and ``StoreError``
    where the folder cannot be written.
    """
    _check_margin(margin)
    clock = _Clock()
    examples = read_examples(source, text_field=text_field, predicts=predicts, columns=columns)
    kept = _without_duplicates(examples)
    clock.lap("reading")
    texts = [example.text for example in kept]
    vectors = Embedder(threads=threads).embed(texts, _told(progress, len(texts)))
    clock.lap("embedding")
    names = sorted({example.label for example in kept})
    codes = {name: code for code, name in enumerate(names)}
    labels = np.array([codes[example.label] for example in kept], np.int64)
    foretold = foretell(vectors, labels, len(names), seed)
    clock.lap("checking")
    final = fit(vectors, labels, len(names), seed)
    clock.lap("fitting")
    outcome = _Outcome(foretold, labels, tuple(names), margin)
    report = outcome.report(
        source=str(source),
        examples=len(kept),
        duplicates=len(examples) - len(kept),
        contradictions=_contradictions(kept),
        strength=final.strength,
        seconds=clock.laps,
    )
    return _written(folder, report, final, names, text_field, predicts)


class _Clock:
    """How long each step took."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.monotonic()

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.laps[name] = round(now - self._last, 2)
        self._last = now


class _Outcome:
    """Every example beside what was told of it by a model that had not seen it."""

    def __init__(
        self, foretold: Foretold, labels: Codes, names: tuple[str, ...], margin: float | None
    ) -> None:
        table = softmax(foretold.calibrated, 1.0)
        self._labels = labels
        self._names = names
        self._told: Codes = table.argmax(axis=1)
        self._confidence: Floats = table.max(axis=1)
        self._right: Truth = self._told == labels
        self._folds = foretold.folds
        self._temperature = calibration.fit_temperature(foretold.logits, labels)
        chosen = calibration.choose_margin(self._confidence, self._right)
        self._margin = chosen if margin is None else margin

    def report(
        self,
        *,
        source: str,
        examples: int,
        duplicates: int,
        contradictions: int,
        strength: float,
        seconds: dict[str, float],
    ) -> Report:
        right = int(self._right.sum())
        low, high = calibration.interval(right, examples)
        table = calibration.bins(self._confidence, self._right)
        at = calibration.point(self._confidence, self._right, self._margin)
        return Report(
            revision="",
            folder="",
            source=source,
            examples=examples,
            duplicates=duplicates,
            contradictions=contradictions,
            classes=len(self._names),
            folds=self._folds,
            strength=strength,
            temperature=self._temperature,
            accuracy=round(right / examples, 4),
            accuracy_low=low,
            accuracy_high=high,
            margin=self._margin,
            coverage=at.coverage,
            selective_accuracy=at.accuracy,
            calibration_error=calibration.calibration_error(table),
            bins=table,
            curve=calibration.abstention_curve(self._confidence, self._right),
            per_class=tuple(self._score(code) for code in range(len(self._names))),
            confused=self._confused(),
            seconds=seconds,
        )

    def _score(self, code: int) -> ClassScore:
        told, true = self._told == code, self._labels == code
        hit = int((told & true).sum())
        return ClassScore(
            name=self._names[code],
            examples=int(true.sum()),
            precision=round(hit / int(told.sum()), 4) if told.any() else 0.0,
            recall=round(hit / int(true.sum()), 4),
            held_back=int((true & (self._confidence < self._margin)).sum()),
        )

    def _confused(self) -> tuple[Confusion, ...]:
        wrong = np.flatnonzero(~self._right)
        pairs = Counter((int(self._labels[row]), int(self._told[row])) for row in wrong)
        ordered = sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))
        return tuple(
            Confusion(truth=self._names[truth], told=self._names[told], count=count)
            for (truth, told), count in ordered[:PAIRS]
        )


def _written(
    folder: Path,
    report: Report,
    final: Fit,
    names: Sequence[str],
    text_field: str,
    predicts: str,
) -> Report:
    manifest = {
        "classes": tuple(names),
        "temperature": report.temperature,
        "margin": report.margin,
        "text_field": text_field,
        "predicts": predicts,
        "space": SPACE,
    }

    def whole(revision: str) -> Report:
        return msgspec.structs.replace(report, revision=revision, folder=str(folder / revision))

    def told(revision: str) -> bytes:
        return msgspec.json.format(msgspec.json.encode(whole(revision))) + b"\n"

    try:
        return whole(save(folder, manifest, final.weight, final.bias, told))
    except OSError as error:
        raise StoreError(
            f"the model cannot be written: {error.strerror}",
            place=str(folder),
            expected="a folder that can be written",
        ) from error


def _check_margin(margin: float | None) -> None:
    if margin is not None and not 0 <= margin < 1:
        raise InputError(
            "is not a margin",
            place="--margin",
            value=str(margin),
            expected="a confidence from 0 to below 1",
        )


def _told(progress: Progress | None, total: int) -> Callable[[int], None] | None:
    return None if progress is None else lambda done: progress(done, total)


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _without_duplicates(examples: Sequence[Example]) -> list[Example]:
    """Keep each text once a label: an example must not be checked by its own copy."""
    first: dict[tuple[str, str], Example] = {}
    for example in examples:
        first.setdefault((_plain(example.text), example.label), example)
    counts = Counter(example.label for example in first.values())
    return [
        *first.values(),
        # A label all of whose examples are one text keeps a copy: it has to be in two folds.
        *(_twin(examples, label) for label, count in counts.items() if count == 1),
    ]


def _twin(examples: Sequence[Example], label: str) -> Example:
    return [example for example in examples if example.label == label][-1]


def _contradictions(examples: Sequence[Example]) -> int:
    pairs = {(_plain(example.text), example.label) for example in examples}
    return sum(count > 1 for count in Counter(text for text, _ in pairs).values())
