"""Digits of many records at once: zoned, packed and binary numbers as integers.

Each function takes bytes turned (a byte position a row) and gives the values, unscaled, with a
mask of those that are certain. What is not certain is left to the row decoder, which knows every
policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from .block import Bytes

__all__ = ["Digits", "binary", "packed", "zoned"]

Longs = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_PIECE: Final = 18
_BAD: Final = 0xFF

_PAIR: Final = np.full(256, _BAD, dtype=np.uint8)
_UNIT: Final = np.full(256, _BAD, dtype=np.uint8)
for _high in range(10):
    for _low in range(10):
        _PAIR[_high << 4 | _low] = _high * 10 + _low
    for _low in range(16):
        _UNIT[_high << 4 | _low] = _high


class Digits(NamedTuple):
    """Numbers as pieces of up to 18 digits, the most significant first, and their sign."""

    pieces: Sequence[Longs]
    negative: Flags | None
    certain: Flags


def packed(turned: Bytes, digits: int, *, nibble: bool) -> Digits:
    """Decode COMP-3, or COMP-6 where there is no sign ``nibble``."""
    width, count = turned.shape
    certain = np.ones(count, dtype=np.bool_)
    # Digits to the left of the picture's own (an even count has one spare half byte) must be 0.
    held = width * 2 - (1 if nibble else 0)
    pieces: list[Longs] = []
    value = np.zeros(count, dtype=np.int64)
    room = held % _PIECE or _PIECE
    taken = 0
    for position in range(width):
        byte = turned[position]
        last = nibble and position == width - 1
        steps = [(_UNIT, 10)] if last else [(_PAIR, 100)]
        if not last and room - taken == 1:
            # A piece ends in the middle of this byte.
            high, low = byte >> 4, byte & 0x0F
            certain &= (high < 10) & (low < 10)
            pieces.append(value * 10 + high)
            value = low.astype(np.int64)
            room, taken = _PIECE, 1
            continue
        for table, weight in steps:
            found = table[byte]
            certain &= found != _BAD
            value *= weight
            value += found
        taken += 1 if last else 2
        if taken == room:
            pieces.append(value)
            value = np.zeros(count, dtype=np.int64)
            room, taken = _PIECE, 0
    negative: Flags | None = None
    if nibble:
        sign = turned[width - 1] & 0x0F
        negative = (sign == 0x0D) | (sign == 0x0B)
        certain &= sign > 9
    if held > digits and pieces:
        certain &= _below(pieces, digits)
    return Digits(pieces, negative, certain)


def _below(pieces: Sequence[Longs], digits: int) -> Flags:
    spare = digits - _PIECE * (len(pieces) - 1)
    return pieces[0] < 10**spare


def zoned(turned: Bytes, units: npt.NDArray[np.uint8]) -> Digits:
    """Decode digits, a byte each; ``units`` maps a byte to its digit, or to 255."""
    width, count = turned.shape
    certain = np.ones(count, dtype=np.bool_)
    pieces: list[Longs] = []
    value = np.zeros(count, dtype=np.int64)
    room = width % _PIECE or _PIECE
    taken = 0
    for position in range(width):
        found = units[turned[position]]
        certain &= found != _BAD
        value *= 10
        value += found
        taken += 1
        if taken == room:
            pieces.append(value)
            value = np.zeros(count, dtype=np.int64)
            room, taken = _PIECE, 0
    return Digits(pieces, None, certain)


def binary(rows: Bytes, *, signed: bool, little: bool) -> Longs:
    """Decode two's complement of at most 8 bytes (unsigned: of at most 63 bits' worth)."""
    count, width = rows.shape
    wide = np.zeros((count, 8), dtype=np.uint8)
    ordered = rows[:, ::-1] if little else rows
    wide[:, 8 - width :] = ordered
    if signed and width < 8:
        wide[:, : 8 - width] = np.where(ordered[:, :1] & 0x80, 0xFF, 0)
    return wide.view(">i8").reshape(-1).astype(np.int64)
