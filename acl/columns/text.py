"""Text of many records at once."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from .block import Bytes

__all__ = ["Letters", "text"]

_TRIMS = {
    "both": pc.utf8_trim,
    "left": pc.utf8_ltrim,
    "right": pc.utf8_rtrim,
}


class Letters:
    """A single-byte code page as tables: each byte's character, and how it stands in UTF-8."""

    def __init__(self, characters: str) -> None:
        """Take the 256 characters that bytes 0 to 255 mean."""
        self.points = np.array([ord(one) for one in characters], dtype=np.uint32)
        self.narrow = bytes(point if point < 0x80 else 0xFF for point in map(ord, characters))


def text(rows: Bytes, letters: Letters, trim: Literal["both", "left", "right", "none"]) -> pa.Array:
    """Give a string array of fixed-width text; ``trim`` says where blanks are taken off."""
    count, width = rows.shape
    narrow = rows.tobytes().translate(letters.narrow)
    if narrow.isascii():
        offsets = np.arange(0, (count + 1) * width, width, dtype=np.int32)
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(narrow)]
        array = pa.Array.from_buffers(pa.string(), count, buffers)
    else:
        array = _wide(letters.points[rows], width)
    return array if trim == "none" else _TRIMS[trim](array, characters=" ")


def _wide(points: npt.NDArray[np.uint32], width: int) -> pa.Array:
    # UTF-8 by hand (RFC 3629): one to three bytes a character, the others masked away.
    count = len(points)
    spread = np.zeros((count, width, 3), dtype=np.uint8)
    one = points < 0x80
    two = ~one & (points < 0x800)
    three = points >= 0x800
    spread[..., 0] = np.where(
        one, points, np.where(two, 0xC0 | points >> 6, 0xE0 | points >> 12)
    ).astype(np.uint8)
    spread[..., 1] = np.where(two, 0x80 | points & 0x3F, 0x80 | (points >> 6 & 0x3F)).astype(
        np.uint8
    )
    spread[..., 2] = (0x80 | points & 0x3F).astype(np.uint8)
    kept = np.stack([np.ones_like(one), ~one, three], axis=-1)
    lengths = kept.reshape(count, -1).sum(axis=1)
    offsets = np.zeros(count + 1, dtype=np.int32)
    np.cumsum(lengths, out=offsets[1:])
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(spread[kept]))]
    return pa.Array.from_buffers(pa.string(), count, buffers)
