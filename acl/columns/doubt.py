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

__all__ = ["One", "as_bytes", "settled", "singly"]

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
        valid = valid & _below(pieces, kind.precision)
        return decimals(pieces, negative, valid, kind.precision, kind.scale)
    return integers(*_whole(pieces, negative, valid))


def _below(pieces: Sequence[Longs], digits: int) -> Flags:
    """Say which numbers have at most so many digits: bytes can hold more than a picture says."""
    whole, rest = divmod(digits, _PIECE)
    fits = np.ones(len(pieces[0]), dtype=np.bool_)
    for above, piece in enumerate(reversed(pieces)):
        if above >= whole:
            fits &= piece < (10**rest if above == whole else 1)
    return fits


def _whole(pieces: Sequence[Longs], negative: Flags | None, valid: Flags) -> tuple[Longs, Flags]:
    """Put pieces together; what 64 bits cannot hold is null, as no picture of 18 digits says it."""
    values = pieces[-1]
    if any(piece.any() for piece in pieces[:-1]):
        above = pieces[-2].view(np.uint64)
        wide = above * np.uint64(_BASE) + values.view(np.uint64)
        longest = np.full(len(wide), _LONGEST, dtype=np.uint64)
        if negative is not None:
            longest += negative
        fits = (above < np.uint64(_PIECE)) & (wide <= longest)
        for piece in pieces[:-2]:
            fits &= piece == 0
        values, valid = np.where(fits, wide, 0).view(np.int64), valid & fits
    return (values if negative is None else np.where(negative, -values, values)), valid


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
    for place, raw in zip(places.tolist(), as_bytes(rows[places]), strict=True):
        found.setdefault(raw, []).append(place)
    return [(raw, np.array(at)) for raw, at in found.items()]


def as_bytes(rows: Bytes) -> list[bytes]:
    """Give each row as bytes."""
    count, width = rows.shape
    whole = rows.tobytes()
    return [whole[start : start + width] for start in range(0, count * width, width or 1)]


def _unscaled(value: object, scale: int) -> int:
    if isinstance(value, Decimal):
        return int(value.scaleb(scale))
    if isinstance(value, int):
        power: int = 10 ** abs(scale)
        return value // power if scale < 0 else value * power
    return 0


def singly(
    place: Place,
    one: One,
    kind: pa.DataType,
    given: Callable[[object], object] = lambda value: value,
) -> Callable[[Block], pa.Array]:
    """Give a column that the row decoder makes, each different value once."""

    def make(block: Block) -> pa.Array:
        known: dict[bytes, object] = {}
        values: list[object] = []
        for key in as_bytes(block.rows(place)):
            if key not in known:
                value = one(key)
                known[key] = None if value is None else given(value)
            values.append(known[key])
        return pa.array(values, kind)

    return make
