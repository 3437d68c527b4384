"""Some thousand records of one length, side by side in memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["Block", "Bytes", "Place"]

Bytes = npt.NDArray[np.uint8]


class Place:
    """Where a field stands: its offset in the record, its width, and the tables around it.

    ``tables`` holds count and stride in bytes of each OCCURS, the outermost first.
    """

    __slots__ = ("offset", "tables", "width")

    def __init__(self, offset: int, width: int, tables: Sequence[tuple[int, int]] = ()) -> None:
        self.offset = offset
        self.width = width
        self.tables = tuple(tables)

    @property
    def many(self) -> int:
        """Give how many values of it a record holds."""
        count = 1
        for most, _ in self.tables:
            count *= most
        return count


class Block:
    """Records of one length. Both ways round: numbers are decoded digit place by digit place."""

    def __init__(self, data: memoryview | bytes, size: int) -> None:
        flat = np.frombuffer(data, dtype=np.uint8)
        self.count = len(flat) // size
        self._size = size
        self._rows = flat[: self.count * size].reshape(self.count, size)
        self._turned: Bytes = np.ascontiguousarray(self._rows.T)

    def rows(self, place: Place) -> Bytes:
        """Give a field's bytes, a value a row: shape (records x occurrences, width)."""
        if not place.tables:
            return np.ascontiguousarray(self._rows[:, place.offset : place.offset + place.width])
        strides = (self._size, *(stride for _, stride in place.tables), 1)
        shape = (self.count, *(most for most, _ in place.tables), place.width)
        spread = np.lib.stride_tricks.as_strided(
            self._rows[:, place.offset :], shape=shape, strides=strides, writeable=False
        )
        return np.ascontiguousarray(spread).reshape(-1, place.width)

    def turned(self, place: Place) -> Bytes:
        """Give a field's bytes, a byte position a row: shape (width, records x occurrences)."""
        if not place.tables:
            return self._turned[place.offset : place.offset + place.width]
        return np.ascontiguousarray(self.rows(place).T)
