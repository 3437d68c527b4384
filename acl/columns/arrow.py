"""From NumPy to Arrow arrays, without a Python object a value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .number import Flags, Longs

__all__ = ["decimals", "floats", "integers", "validity"]

_LIMB: Final = np.uint64(0xFFFFFFFF)
_SHIFT: Final = np.uint64(32)
_HALF: Final = np.uint64(10**9)


def validity(valid: Flags) -> pa.Buffer | None:
    """Give Arrow's bitmap of what is not null; None where nothing is."""
    if valid.all():
        return None
    return pa.py_buffer(np.packbits(valid, bitorder="little"))


def integers(values: Longs, valid: Flags) -> pa.Array:
    """Give an int64 array."""
    return pa.Array.from_buffers(
        pa.int64(), len(values), [validity(valid), pa.py_buffer(np.ascontiguousarray(values))]
    )


def floats(values: npt.NDArray[np.float32] | npt.NDArray[np.float64], valid: Flags) -> pa.Array:
    """Give a float32 or float64 array."""
    kind = pa.float32() if values.dtype == np.float32 else pa.float64()
    return pa.Array.from_buffers(
        kind, len(values), [validity(valid), pa.py_buffer(np.ascontiguousarray(values))]
    )


def decimals(
    pieces: Sequence[Longs], negative: Flags | None, valid: Flags, digits: int, scale: int
) -> pa.Array:
    """Give a decimal128 array of numbers that come in pieces of 18 digits, at most 38 in all.

    ``scale`` is not below 0. Long numbers are put together in four limbs of 32 bits.
    """
    low, high = _wide(pieces)
    if negative is not None:
        # Two's complement: the ones' complement and one more.
        flipped = ~low + np.uint64(1)
        carry = (flipped == 0).astype(np.uint64)
        low = np.where(negative, flipped, low)
        high = np.where(negative, ~high + carry, high)
    both = np.empty((len(low), 2), dtype=np.uint64)
    both[:, 0] = low
    both[:, 1] = high
    kind = pa.decimal128(max(digits, scale, 1), scale)
    return pa.Array.from_buffers(kind, len(low), [validity(valid), pa.py_buffer(both)])


def _wide(pieces: Sequence[Longs]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    first = pieces[0]
    if len(pieces) == 1:
        return first.view(np.uint64), (first >> 63).view(np.uint64)
    limbs = [np.zeros(len(first), dtype=np.uint64) for _ in range(4)]
    for piece in pieces:
        for half in np.divmod(piece.view(np.uint64), _HALF):
            carry = half
            for place, limb in enumerate(limbs):
                carry = limb * _HALF + carry
                limbs[place] = carry & _LIMB
                carry = carry >> _SHIFT
    return limbs[0] | limbs[1] << _SHIFT, limbs[2] | limbs[3] << _SHIFT
