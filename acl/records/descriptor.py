"""Record and block descriptor words: the few bytes that say how long something is.

Source: IBM z/OS DFSMS Using Data Sets, "Variable-Length Record Formats". Little-endian ones, and
ones that do not count themselves, are what transfer programs make of them.
"""

from __future__ import annotations

import msgspec

from ...errors import InputError
from .format import Endian, RecordFormat

__all__ = ["SIZE", "Descriptor", "block_word", "record_word"]

SIZE = 4
_EXTENDED = 0x80


class Descriptor(msgspec.Struct, frozen=True):
    """What a descriptor word says: the ``length`` behind it, and the bytes that say nothing.

    ``other`` is empty where all four bytes hold the length (an extended block descriptor word).
    """

    length: int
    other: bytes = b"\0\0"


class Word(msgspec.Struct, frozen=True):
    """How the words of one file are read and written: ``wide`` of their bytes hold the length."""

    endian: Endian
    adjust: int
    counted: bool
    size: int = SIZE
    wide: int = 2
    extended: bool = False

    @property
    def less(self) -> int:
        """Give what is to be taken from a word's length for the bytes behind it."""
        return (self.size if self.counted else 0) - self.adjust

    def read(self, word: bytes) -> Descriptor:
        """Read one. The length can be negative: the caller says what is wrong with that."""
        ordered = word if self.endian == "big" else word[::-1]
        if self.extended and ordered[0] & _EXTENDED:
            length = int.from_bytes(ordered, "big") & 0x7FFFFFFF
            return Descriptor(length - self.less, b"")
        other = word[self.wide :] if self.endian == "big" else word[: -self.wide]
        return Descriptor(int.from_bytes(ordered[: self.wide], "big") - self.less, other)

    def write(self, length: int, other: bytes | None = None) -> bytes:
        """Write one. Raises ``InputError`` for a length that it cannot hold."""
        told = length + self.less
        other = bytes(self.size - self.wide) if other is None else other
        if self.extended and (not other or told > 0x7FFF) and 0 <= told <= 0x7FFFFFFF:
            word = (told | 0x80000000).to_bytes(SIZE, "big")
            return word if self.endian == "big" else word[::-1]
        most = 0x7FFF if self.extended else 256**self.wide - 1
        if not 0 <= told <= most:
            raise InputError(
                "a record does not fit behind its descriptor word",
                value=f"{length} bytes",
                expected=f"{max(0, -self.less)} to {most - self.less} bytes",
                remedy="write another record format",
            )
        if self.endian == "big":
            return told.to_bytes(self.wide, "big") + other
        return other + told.to_bytes(self.wide, "little")


def record_word(form: RecordFormat) -> Word:
    """Give the way that a file's record descriptor words are written."""
    return Word(form.endian, form.adjust, form.counted, form.word, form.wide)


def block_word(form: RecordFormat) -> Word:
    """Give the way that a file's block descriptor words are written; long ones take 31 bits."""
    return Word(form.blocks, form.block_adjust, form.block_counted, extended=True)
