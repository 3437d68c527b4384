"""What is not certain at a glance: blanks, odd signs, rubbish. The row decoder is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

import numpy as np
import pyarrow as pa

from .arrow import decimals, integers
from .block import Block, Bytes, Place
from .number import Digits, Flags, Longs

__all__ = ["One", "settled", "singly"]

One = Callable[[bytes], object]
"""The row decoder of one item: its bytes to its value, None where it has none."""

_PIECE: Final = 18
_BASE: Final = 10**_PIECE
_LONGEST: Final = np.iinfo(np.int64).max


def settled(
    digits: Digits, rows: Callable[[], Bytes], one: One, kind: pa.DataType, scale: int
) -> pa.Array:
    """Make numbers of digits; ``one`` is asked for those that are not certain."""
    if not digits.certain.all():
        digits = _asked(digits, rows(), one, scale)
    pieces, negative, valid = list(digits.pieces), digits.negative, digits.certain
    if scale < 0:
        pieces = _shifted(pieces, -scale)
    if not pa.types.is_int64(kind):
        return decimals(pieces, negative, valid, kind.precision, kind.scale)
    values, valid = _whole(pieces, valid)
    return integers(values if negative is None else np.where(negative, -values, values), valid)


def _whole(pieces: Sequence[Longs], valid: Flags) -> tuple[Longs, Flags]:
    """Put pieces together; what 64 bits cannot hold is null, as no picture of 18 digits says it."""
    values = pieces[-1]
    for above, piece in enumerate(reversed(pieces[:-1])):
        room = _LONGEST // _BASE - 1 if above == 0 else 0
        if piece.any():
            valid = valid & (piece <= room)
            values = values + np.where(piece <= room, piece, 0) * (_BASE if above == 0 else 0)
    return values, valid


def _shifted(pieces: Sequence[Longs], zeros: int) -> list[Longs]:
    """Move digits to the left, by what is not a whole piece and then by whole pieces."""
    whole, rest = divmod(zeros, _PIECE)
    none = np.zeros_like(pieces[0])
    room = 10 ** (_PIECE - rest)
    carried = [*(piece // room for piece in pieces), none]
    kept = [none, *(piece % room * 10**rest for piece in pieces)]
    joined = [high + low for high, low in zip(carried, kept, strict=True)]
    return [*joined, *[none] * whole]


def _asked(digits: Digits, rows: Bytes, one: One, scale: int) -> Digits:
    none = np.zeros(len(rows), dtype=np.int64)
    pieces = [none.copy() for _ in range(3 - len(digits.pieces))]
    pieces += [piece.copy() for piece in digits.pieces]
    negative = np.zeros(len(rows), dtype=np.bool_)
    if digits.negative is not None:
        negative |= digits.negative
    valid = digits.certain.copy()
    for raw, at in _different(rows, np.flatnonzero(~digits.certain)):
        value = one(raw)
        valid[at] = value is not None
        whole = _unscaled(value, scale)
        negative[at] = whole < 0
        rest = abs(whole)
        for piece in reversed(pieces):
            rest, low = divmod(rest, _BASE)
            piece[at] = low
    return Digits(pieces, negative, valid)


def _different(rows: Bytes, places: Longs) -> list[tuple[bytes, Longs]]:
    """Group rows by their bytes: few different ones stand behind many doubts."""
    found: dict[bytes, list[int]] = {}
    for place, raw in zip(places.tolist(), rows[places], strict=True):
        found.setdefault(raw.tobytes(), []).append(place)
    return [(raw, np.array(at)) for raw, at in found.items()]


def _unscaled(value: object, scale: int) -> int:
    if isinstance(value, Decimal):
        return int(value.scaleb(scale))
    if isinstance(value, int):
        return value // 10**-scale if scale < 0 else value * 10**scale
    return 0


def singly(
    place: Place,
    one: One,
    kind: pa.DataType,
    given: Callable[[object], object] = lambda value: value,
) -> Callable[[Block], pa.Array]:
    """Give a column that the row decoder makes, each different value once."""

    def make(block: Block) -> pa.Array:
        rows = block.rows(place)
        known: dict[bytes, object] = {}
        values: list[object] = []
        for raw in rows:
            key = raw.tobytes()
            if key not in known:
                value = one(key)
                known[key] = None if value is None else given(value)
            values.append(known[key])
        return pa.array(values, kind)

    return make
