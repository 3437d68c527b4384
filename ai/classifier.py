"""Multinomial logistic regression on embeddings: told by numpy alone."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import numpy as np

from . import artefact
from .artefact import Manifest
from .embedding import SPACE, WIDTH, Floats

__all__ = ["Classifier", "load", "save", "softmax"]


class Classifier:
    """Tells the class of an embedding, and how sure it is. Built by ``load`` and ``learn``.

    ``weight`` has a row a class and ``WIDTH`` columns, ``bias`` a number a class.
    """

    def __init__(self, manifest: Manifest, weight: Floats, bias: Floats) -> None:
        self.manifest = manifest
        self.weight = weight
        self.bias = bias

    def probabilities(self, vectors: Floats) -> Floats:
        """Give a row of calibrated probabilities per vector, in the order of the classes."""
        logits: Floats = vectors @ self.weight.T + self.bias
        return softmax(logits, self.manifest.temperature)

    def best(self, vectors: Floats) -> list[tuple[str, float]]:
        """Give the likeliest class of each vector with its probability.

        It is rounded to four digits, so that the last bits of a batched product decide nothing.
        """
        table = self.probabilities(vectors)
        return [
            (self.manifest.classes[column], round(float(table[row, column]), 4))
            for row, column in enumerate(table.argmax(axis=1))
        ]


def softmax(logits: Floats, temperature: float) -> Floats:
    """Turn logits into probabilities, each row by itself."""
    scaled = logits / np.float32(temperature)
    grown = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    shares: Floats = grown / grown.sum(axis=1, keepdims=True)
    return shares


def save(
    folder: Path,
    manifest: Mapping[str, object],
    weight: Floats,
    bias: Floats,
    report: Callable[[str], bytes],
) -> str:
    """Write a classifier under ``models/NAME``, make it CURRENT, give its revision.

    ``manifest`` holds the fields of ``Manifest`` but for ``weights``. Raises ``OSError``.
    """
    buffer = io.BytesIO()
    np.savez(buffer, W=weight.astype("<f4"), b=bias.astype("<f4"))
    content = buffer.getvalue()
    digest = artefact.sha256(content)
    whole = msgspec.convert({**manifest, "weights": digest}, Manifest)
    return artefact.save(folder, whole, content, report)


def load(folder: Path, revision: str) -> Classifier:
    """Read and check one revision under ``models/NAME``.

    Raises ``ReplacementUnavailable`` naming the file.
    """
    manifest, content = artefact.read(folder, revision)
    if manifest.space != SPACE:
        raise artefact.broken(
            folder / revision / "manifest.json",
            f"was taught on the embeddings {manifest.space}, and those installed are {SPACE}",
            "run 'fig learn' again, or install the version it was taught with",
        )
    weight, bias = _arrays(content, folder / revision / "weights.npz")
    if weight.shape != (len(manifest.classes), WIDTH) or bias.shape != weight.shape[:1]:
        raise artefact.broken(
            folder / revision / "weights.npz",
            f"holds arrays of shapes {weight.shape} and {bias.shape} "
            f"for {len(manifest.classes)} classes",
        )
    return Classifier(manifest, weight, bias)


def _arrays(content: bytes, file: Path) -> tuple[Floats, Floats]:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return arrays["W"].astype(np.float32), arrays["b"].astype(np.float32)
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise artefact.broken(file, f"cannot be used: {error}") from error
