"""The embeddings: pinned, in order, and the same whatever is embedded beside them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

from stranglerfig.ai import embedding
from stranglerfig.ai.embedding import VOCABULARY_SHA256, WIDTH, Embedder
from stranglerfig.errors import ReplacementUnavailable

TEXTS = [
    "Where is my card?",
    "",
    "I'd like to cancel my policy, please — née Łukasz 鍵",
    "word " * 2000,
    "My card has not arrived.",
    "A dog sleeps on the sofa.",
]


@pytest.fixture(scope="module")
def embedder():
    return Embedder()


def test_rows_have_length_one_and_keep_their_order(embedder):
    seen = []
    vectors = embedder.embed(TEXTS * 20, seen.append)
    assert vectors.shape == (120, WIDTH)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert seen[-1] == 120
    assert seen == sorted(seen)
    alone = np.concatenate([embedder.embed([text]) for text in TEXTS])
    assert np.abs(vectors - np.tile(alone, (20, 1))).max() < 1e-5


def test_it_is_deterministic(embedder):
    assert np.array_equal(embedder.embed(TEXTS), Embedder().embed(TEXTS))


def test_meaning_is_near_and_other_things_are_far(embedder):
    card, other, dog = embedder.embed([TEXTS[0], TEXTS[4], TEXTS[5]])
    assert card @ other > 0.5
    assert card @ dog < 0.2


def test_the_vocabulary_is_the_one_of_bert():
    file = Path(embedding.__file__).with_name("vocabulary.txt")
    assert hashlib.sha256(file.read_bytes()).hexdigest() == VOCABULARY_SHA256


@pytest.mark.parametrize("which", ["model", "vocabulary"])
def test_another_file_is_refused(tmp_path, which):
    file = tmp_path / "x"
    with pytest.raises(ReplacementUnavailable) as missing:
        Embedder(**{which: file})
    file.write_bytes(b"not it")
    with pytest.raises(ReplacementUnavailable) as different:
        Embedder(**{which: file})
    for caught in (missing, different):
        assert caught.value.place == str(file)
        assert "pip install" in caught.value.remedy
        assert caught.value.expected
