"""One elementary item as a column: from the bytes of a block to an Arrow array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

import numpy as np
import pyarrow as pa

from ..copybook.item import Item, Usage
from .arrow import floats
from .block import Block, Bytes, Place
from .doubt import One, settled, singly
from .number import Digits, Zones, binary, packed, separate, zoned
from .text import Letters, text

__all__ = ["Column", "Settings", "column"]

Make = Callable[[Block], pa.Array]

_PIECE: Final = 18
_MOST: Final = 38
_WIDE: Final = 8
_BINARY: Final = (Usage.BINARY, Usage.NATIVE, Usage.LITTLE)
_PACKED: Final = (Usage.PACKED, Usage.UNSIGNED_PACKED)


class Column:
    """A column's type, and how it is made: a value for each record and occurrence."""

    __slots__ = ("kind", "make")

    def __init__(self, kind: pa.DataType, make: Make) -> None:
        self.kind = kind
        self.make = make


class Settings:
    """What an item's column must know beside the item.

    ``letters`` is None for a code page of several bytes a character, ``zones`` for one without
    digits of one byte. ``zeros`` says that a zero is not simply zero: a policy decides.
    """

    __slots__ = ("hexadecimal", "letters", "little", "trim", "zeros", "zones")

    def __init__(
        self,
        *,
        letters: Letters | None,
        zones: Zones | None,
        trim: Literal["both", "left", "right", "none"],
        little: bool,
        hexadecimal: bool,
        zeros: bool,
    ) -> None:
        self.letters = letters
        self.zones = zones
        self.trim = trim
        self.little = little
        self.hexadecimal = hexadecimal
        self.zeros = zeros


def column(item: Item, place: Place, one: One, settings: Settings) -> Column:
    """Give an elementary item's column. Called once an item, while columns are compiled.

    ``one`` is the row decoder of the item: it is asked for whatever is not certain at a glance.
    """
    if item.usage in (Usage.FLOAT, Usage.DOUBLE):
        return _floating(item, place, one, settings)
    picture = item.picture
    if picture is None or item.category not in ("numeric", "numeric-edited"):
        return _textual(item, place, one, settings)
    digits = min(_digits(item), _MOST - max(-picture.scale, 0))
    if max(picture.digits, picture.digits - picture.scale, picture.scale) > _MOST:
        # Arrow's widest common decimal does not hold it: its digits, as text.
        return Column(pa.string(), singly(place, one, pa.string(), str))
    kind = _kind(item, digits)
    read = _reader(item, place, settings)

    def make(block: Block) -> pa.Array:
        found = read(block)
        if settings.zeros:
            zero = np.logical_and.reduce([piece == 0 for piece in found.pieces])
            found = found._replace(certain=found.certain & ~zero)
        return settled(found, lambda: block.rows(place), one, kind, picture.scale)

    return Column(kind, make)


def _digits(item: Item) -> int:
    """Give the most digits that its bytes can hold, which may be more than its picture says."""
    picture = item.picture
    assert picture is not None  # noqa: S101 - asked for numbers only
    if item.category == "numeric" and item.usage in _BINARY:
        return max(picture.digits, len(str((1 << 8 * item.size) - 1)))
    if item.category == "numeric" and item.usage in _PACKED:
        return 2 * item.size - (item.usage is Usage.PACKED)
    # A digit may stand where a sign, a point or a blank is meant, and is read.
    return max(picture.digits, item.size)


def _kind(item: Item, digits: int) -> pa.DataType:
    picture = item.picture
    assert picture is not None  # noqa: S101 - as above
    if picture.scale > 0:
        return pa.decimal128(max(digits, picture.scale), picture.scale)
    # An unsigned number of 8 bytes can be more than 64 bits with a sign hold.
    full = item.usage in (Usage.NATIVE, Usage.LITTLE) and not item.signed and item.size >= _WIDE
    if picture.digits - picture.scale <= _PIECE and not full:
        return pa.int64()
    return pa.decimal128(min(max(digits, picture.digits) - picture.scale, _MOST), 0)


def _reader(item: Item, place: Place, settings: Settings) -> Callable[[Block], Digits]:
    zones = settings.zones
    signed, sign = item.signed, item.sign
    if item.category == "numeric":
        if item.usage in _PACKED:
            nibble = item.usage is Usage.PACKED
            return lambda block: packed(block.turned(place), nibble=nibble)
        if item.usage in _BINARY and item.size <= _WIDE:
            little = settings.little or item.usage is Usage.LITTLE
            return lambda block: _binary(block.rows(place), signed=signed, little=little)
        if item.usage is Usage.DISPLAY and zones is not None:
            if sign.separate and signed:
                leading = sign.leading
                return lambda block: separate(block.turned(place), zones, leading=leading)
            where: Literal["", "leading", "trailing"] = ""
            if signed:
                where = "leading" if sign.leading else "trailing"
            return lambda block: zoned(block.turned(place), zones, where)
    many = place.many
    return lambda block: _unread(block.count * many)


def _binary(rows: Bytes, *, signed: bool, little: bool) -> Digits:
    values = binary(rows, signed=signed, little=little)
    negative = values < 0
    # Beyond 18 digits, and the first bit of an unsigned number: the row decoder knows.
    certain = (values > -(10**_PIECE)) & (values < 10**_PIECE)
    if not signed:
        certain &= ~negative
        if rows.shape[1] == 4:
            certain &= values < 1 << 31
    return Digits([np.abs(values)], negative, certain)


def _unread(count: int) -> Digits:
    none = np.zeros(count, dtype=np.bool_)
    return Digits([np.zeros(count, dtype=np.int64)], None, none)


def _textual(item: Item, place: Place, one: One, settings: Settings) -> Column:
    letters, trim = settings.letters, settings.trim
    plain = item.usage is Usage.DISPLAY and not settings.hexadecimal
    if letters is None or not plain or item.category in ("float", "national"):
        kind = pa.float64() if item.category == "float" else pa.string()
        return Column(kind, singly(place, one, kind))
    return Column(pa.string(), lambda block: text(block.rows(place), letters, trim))


def _floating(item: Item, place: Place, one: One, settings: Settings) -> Column:
    wide = item.usage is Usage.DOUBLE
    kind = pa.float64() if wide else pa.float32()
    order = "<" if settings.little else ">"
    code = f"{order}f{item.size}"
    ieee = one(bytes.fromhex("3f800000" if not settings.little else "0000803f")) == 1.0
    if wide:
        one_as_ieee = "3ff0000000000000" if not settings.little else "000000000000f03f"
        ieee = one(bytes.fromhex(one_as_ieee)) == 1.0
    if not ieee or settings.zeros:
        return Column(kind, singly(place, one, kind))

    def make(block: Block) -> pa.Array:
        values = block.rows(place).view(code).reshape(-1)
        if wide:
            return floats(values.astype(np.float64), np.isfinite(values))
        return floats(values.astype(np.float32), np.isfinite(values))

    return Column(kind, make)
