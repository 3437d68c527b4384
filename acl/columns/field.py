"""One field of a copybook as a column: from the bytes of a block to an Arrow array."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..copybook.item import Item, Usage
from .arrow import decimals, floats, integers
from .block import Block, Bytes, Place
from .number import Digits, Flags, Longs, binary, packed, zoned
from .text import Letters, text

__all__ = ["Field", "One", "field"]

One = Callable[[bytes], object]
"""The row decoder of one field: its bytes to its value, None where it has none."""

Field = Callable[[Block], pa.Array]
"""A column of a block: a value for each record and occurrence."""

_PIECE: Final = 18
_MOST: Final = 38
_BINARY: Final = (Usage.BINARY, Usage.NATIVE, Usage.LITTLE)


def field(
    item: Item,
    place: Place,
    one: One,
    letters: Letters | None,
    trim: Literal["both", "left", "right", "none"],
    units: npt.NDArray[np.uint8],
    *,
    little: bool,
) -> tuple[pa.DataType, Field]:
    """Give a column's type and how it is made. Called while columns are compiled.

    ``letters`` is None for a code page of several bytes a character; ``units`` maps a byte to the
    digit that it is in DISPLAY, or to 255; ``little`` says that binary numbers are little-endian.
    """
    if item.category == "float":
        return _floating(item, place, one)
    picture = item.picture
    if picture is None or item.category not in ("numeric", "numeric-edited"):
        return _textual(place, one, letters, trim, plain=item.usage is Usage.DISPLAY)
    if max(picture.digits, picture.digits - picture.scale, picture.scale) > _MOST:
        return pa.string(), _singly(place, one, pa.string(), lambda value: str(value))
    kind = _type(picture.digits, picture.scale)
    scale = picture.scale

    def finish(digits: Digits, rows: Callable[[], Bytes]) -> pa.Array:
        return _finish(digits, rows, one, kind, scale)

    if item.category == "numeric" and item.usage in (Usage.PACKED, Usage.UNSIGNED_PACKED):
        nibble = item.usage is Usage.PACKED

        def packed_column(block: Block) -> pa.Array:
            found = packed(block.turned(place), picture.digits, nibble=nibble)
            if not picture.signed and found.negative is not None:
                found = found._replace(certain=found.certain & ~found.negative, negative=None)
            return finish(found, lambda: block.rows(place))

        return kind, packed_column
    if item.category == "numeric" and item.usage in _BINARY and item.size <= 8:  # noqa: PLR2004
        return kind, _binary(item, place, finish, little=little or item.usage is Usage.LITTLE)
    if item.category == "numeric" and item.usage is Usage.DISPLAY and not item.sign.separate:

        def zoned_column(block: Block) -> pa.Array:
            return finish(zoned(block.turned(place), units), lambda: block.rows(place))

        return kind, zoned_column
    return kind, _slow(place, finish)


def _type(digits: int, scale: int) -> pa.DataType:
    if scale > 0:
        return pa.decimal128(max(digits, scale), scale)
    whole = digits - scale
    return pa.int64() if whole <= _PIECE else pa.decimal128(whole, 0)


def _binary(
    item: Item,
    place: Place,
    finish: Callable[[Digits, Callable[[], Bytes]], pa.Array],
    *,
    little: bool,
) -> Field:
    def column(block: Block) -> pa.Array:
        rows = block.rows(place)
        values = binary(rows, signed=item.signed, little=little)
        negative = values < 0
        # Beyond 18 digits, and the sign bit of an unsigned number: the row decoder knows.
        certain = (values > -(10**_PIECE)) & (values < 10**_PIECE)
        if not item.signed:
            certain &= ~negative
        return finish(Digits([np.abs(values)], negative, certain), lambda: rows)

    return column


def _slow(place: Place, finish: Callable[[Digits, Callable[[], Bytes]], pa.Array]) -> Field:
    def column(block: Block) -> pa.Array:
        rows = block.rows(place)
        none = np.zeros(len(rows), dtype=np.bool_)
        pieces = [np.zeros(len(rows), dtype=np.int64) for _ in range(3)]
        return finish(Digits(pieces, none.copy(), none), lambda: rows)

    return column


def _finish(
    digits: Digits, rows: Callable[[], Bytes], one: One, kind: pa.DataType, scale: int
) -> pa.Array:
    """Ask the row decoder for what is not certain; scale up where P stands to the right."""
    pieces, negative, valid = list(digits.pieces), digits.negative, digits.certain
    if not valid.all():
        pieces, negative, valid = _asked(digits, rows(), one, scale)
    if pa.types.is_int64(kind):
        values = pieces[-1] if len(pieces) == 1 else pieces[-2] * 10**_PIECE + pieces[-1]
        if negative is not None:
            values = np.where(negative, -values, values)
        return integers(values * 10**-scale if scale < 0 else values, valid)
    if scale < 0:
        pieces = _shifted(pieces, -scale)
    return decimals(pieces, negative, valid, kind.precision, kind.scale)


def _shifted(pieces: Sequence[Longs], zeros: int) -> list[Longs]:
    # Digits move to the left by whole pieces and by what remains.
    whole, rest = divmod(zeros, _PIECE)
    weight = 10**rest
    split = 10 ** (_PIECE - rest)
    carried = [piece // split for piece in pieces] + [np.zeros_like(pieces[0])] * 1
    kept = [np.zeros_like(pieces[0]), *(piece % split * weight for piece in pieces)]
    joined = [high + low for high, low in zip(carried, kept, strict=True)]
    # ``carried`` of a piece belongs to the place before it.
    return [*joined, *[np.zeros_like(pieces[0])] * whole]


def _asked(
    digits: Digits, rows: Bytes, one: One, scale: int
) -> tuple[list[Longs], Flags, Flags]:
    pieces = [np.zeros(len(rows), dtype=np.int64) for _ in range(3 - len(digits.pieces))]
    pieces += [piece.copy() for piece in digits.pieces]
    negative = np.zeros(len(rows), dtype=np.bool_)
    if digits.negative is not None:
        negative |= digits.negative
    valid = digits.certain.copy()
    doubtful = np.flatnonzero(~digits.certain)
    # Few different bytes stand behind many doubts: blanks, zeros, the same rubbish.
    different, which = np.unique(rows[doubtful], axis=0, return_inverse=True)
    which = which.reshape(-1)
    for number, raw in enumerate(different):
        value = one(raw.tobytes())
        at = doubtful[which == number]
        valid[at] = value is not None
        whole = _unscaled(value, scale)
        negative[at] = whole < 0
        rest = abs(whole)
        for piece in reversed(pieces):
            rest, low = divmod(rest, 10**_PIECE)
            piece[at] = low
    return pieces, negative, valid


def _unscaled(value: object, scale: int) -> int:
    if isinstance(value, Decimal):
        return int(value.scaleb(scale))
    if isinstance(value, int):
        return value // 10**-scale if scale < 0 else value * 10**scale
    return 0


def _textual(
    place: Place,
    one: One,
    letters: Letters | None,
    trim: Literal["both", "left", "right", "none"],
    *,
    plain: bool,
) -> tuple[pa.DataType, Field]:
    if letters is None or not plain:
        return pa.string(), _singly(place, one, pa.string(), lambda value: value)
    return pa.string(), lambda block: text(block.rows(place), letters, trim)


def _floating(item: Item, place: Place, one: One) -> tuple[pa.DataType, Field]:
    wide = item.usage is Usage.DOUBLE
    kind = pa.float64() if wide else pa.float32()

    def column(block: Block) -> pa.Array:
        rows = block.rows(place)
        found = rows.view(">f8" if wide else ">f4").reshape(-1)
        values = found.astype(np.float64 if wide else np.float32)
        return floats(values, np.isfinite(values))

    if one(b"\x41\x10" + bytes(item.size - 2)) == 1.0:
        # IBM's hexadecimal floating point reads so, IEEE 754 does not.
        return kind, _singly(place, one, kind, lambda value: value)
    return kind, column


def _singly(
    place: Place, one: One, kind: pa.DataType, given: Callable[[object], object]
) -> Field:
    """Give a column that the row decoder makes, each different text once."""

    def column(block: Block) -> pa.Array:
        rows = block.rows(place)
        if not len(rows):
            return pa.array([], kind)
        different, which = np.unique(rows, axis=0, return_inverse=True)
        values = [one(raw.tobytes()) for raw in different]
        array = pa.array([None if value is None else given(value) for value in values], kind)
        return array.take(pa.array(which.reshape(-1)))

    return column
