"""Digits of many records at once: zoned, packed and binary numbers as integers.

Each function takes bytes turned (a byte position a row) and gives the values, unscaled, with a
mask of those that are certain. What is not certain is left to the row decoder, which knows every
policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from .block import Bytes

__all__ = ["Digits", "Zones", "binary", "packed", "separate", "zoned"]

Longs = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_PIECE: Final = 18
_BAD: Final = 0xFF

_HALVES: Final = tuple((byte >> 4, byte & 0x0F) for byte in range(256))
_PAIR: Final = bytes(high * 10 + low if high < 10 > low else _BAD for high, low in _HALVES)
_UNIT: Final = bytes(high if high < 10 else _BAD for high, _ in _HALVES)


def _mapped(values: Bytes, table: bytes) -> Bytes:
    # Several times quicker than an index of bytes, which NumPy widens to 64 bits first.
    return np.frombuffer(values.tobytes().translate(table), dtype=np.uint8)


class Digits(NamedTuple):
    """Numbers as pieces of up to 18 digits, the most significant first, and their sign."""

    pieces: Sequence[Longs]
    negative: Flags | None
    certain: Flags


def packed(turned: Bytes, *, nibble: bool) -> Digits:
    """Decode COMP-3, or COMP-6 where there is no sign ``nibble``."""
    width, count = turned.shape
    certain = np.ones(count, dtype=np.bool_)
    pieces = _Pieces(width * 2 - nibble, count)
    for position in range(width - nibble):
        byte = turned[position]
        if pieces.room == 1:
            # A piece ends in the middle of this byte.
            high, low = byte >> 4, byte & 0x0F
            certain &= (high < 10) & (low < 10)
            pieces.add(high, 1)
            pieces.add(low, 1)
            continue
        found = _mapped(byte, _PAIR)
        certain &= found != _BAD
        pieces.add(found, 2)
    if not nibble:
        return Digits(pieces.done, None, certain)
    byte = turned[width - 1]
    found = _mapped(byte, _UNIT)
    sign = byte & 0x0F
    certain &= (found != _BAD) & ((sign == 0x0C) | (sign == 0x0D) | (sign == 0x0F))
    pieces.add(found, 1)
    return Digits(pieces.done, sign == 0x0D, certain)


class _Pieces:
    """Digits as they come, cut into pieces of 18; the first one takes what is over."""

    def __init__(self, digits: int, count: int) -> None:
        self._count = count
        self._left = digits
        self.room = digits % _PIECE or min(digits, _PIECE)
        self._value: Longs = np.zeros(count, dtype=np.int64)
        self.done: list[Longs] = []

    def add(self, found: Bytes, digits: int) -> None:
        """Add one digit, or two that stand in one byte."""
        self._value *= 10**digits
        self._value += found
        self.room -= digits
        self._left -= digits
        if self.room == 0:
            self.done.append(self._value)
            self._value = np.zeros(self._count, dtype=np.int64)
            self.room = _PIECE


class Zones(NamedTuple):
    """What bytes mean in DISPLAY: ``units`` are digits, ``punched`` digits that hold a sign too.

    255 stands for what is no digit. ``below`` says which of ``punched`` mean a minus; ``plus`` and
    ``minus`` are the separate signs.
    """

    units: bytes
    punched: bytes
    below: npt.NDArray[np.bool_]
    plus: int
    minus: int


def zoned(turned: Bytes, zones: Zones, sign: Literal["", "leading", "trailing"]) -> Digits:
    """Decode digits, a byte each; ``sign`` says which of them is overpunched."""
    width, count = turned.shape
    certain = np.ones(count, dtype=np.bool_)
    pieces = _Pieces(width, count)
    at = {"": -1, "leading": 0, "trailing": width - 1}[sign]
    for position in range(width):
        found = _mapped(turned[position], zones.punched if position == at else zones.units)
        certain &= found != _BAD
        pieces.add(found, 1)
    return Digits(pieces.done, zones.below[turned[at]] if sign else None, certain)


def separate(turned: Bytes, zones: Zones, *, leading: bool) -> Digits:
    """Decode digits beside a sign that is a byte of its own."""
    mark, digits = (turned[0], turned[1:]) if leading else (turned[-1], turned[:-1])
    found = zoned(digits, zones, "")
    negative = mark == zones.minus
    return Digits(found.pieces, negative, found.certain & (negative | (mark == zones.plus)))


def binary(rows: Bytes, *, signed: bool, little: bool) -> Longs:
    """Decode two's complement of at most 8 bytes (unsigned: of at most 63 bits' worth)."""
    count, width = rows.shape
    wide = np.zeros((count, 8), dtype=np.uint8)
    ordered = rows[:, ::-1] if little else rows
    wide[:, 8 - width :] = ordered
    if signed and width < 8:
        wide[:, : 8 - width] = np.where(ordered[:, :1] & 0x80, 0xFF, 0)
    return wide.view(">i8").reshape(-1).astype(np.int64)
