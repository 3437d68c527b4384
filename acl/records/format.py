"""How the records of a file are told apart."""

from __future__ import annotations

from typing import Literal

import msgspec

from ...errors import ConfigError

__all__ = ["KINDS", "LONGEST", "Endian", "Kind", "RecordFormat"]

Kind = Literal["fixed", "rdw", "vb", "line", "delimited", "measured"]
Endian = Literal["big", "little"]

LONGEST = 16 * 1024 * 1024
"""The bytes that one record may have, where nothing else is said. z/OS allows 32,760."""

KINDS: dict[str, tuple[Kind, Endian]] = {
    "fixed": ("fixed", "big"),
    "rdw-be": ("rdw", "big"),
    "rdw-le": ("rdw", "little"),
    "vb-be": ("vb", "big"),
    "vb-le": ("vb", "little"),
    "line": ("line", "big"),
    "delimited": ("delimited", "big"),
    "measured": ("measured", "big"),
}
"""The names that ``--records`` knows."""

_WORD = 256


class RecordFormat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What parts a file into records. All lengths are bytes.

    ``fixed``: records of ``length``. ``rdw``: before each record stand four bytes (the record
    descriptor word): big-endian, the length is in the first two of them, little-endian in the last
    two; ``word`` is the number of all, ``wide`` of those that hold the length. ``adjust`` is added
    to the length that is read; ``counted`` says that the word counts itself, as on z/OS. ``vb``:
    such records in blocks, each behind a block descriptor word, with the same two options of its
    own. ``line``: each record ends with ``end`` (a line end; where ``end`` is a line feed, a
    carriage return before it belongs to it). ``delimited``: each ends with ``end``, whatever that
    is. ``measured``: each record says itself how long it is.

    ``header`` and ``footer`` are left out at the two ends of the file, ``start`` and ``stop`` at
    the two ends of each record. A record longer than ``longest`` is refused, so that a damaged
    length never fills the memory.
    """

    kind: Kind = "fixed"
    endian: Endian = "big"
    length: int = 0
    word: int = 4
    wide: int = 2
    adjust: int = 0
    counted: bool = False
    block_endian: Endian | None = None
    block_adjust: int = 0
    block_counted: bool = False
    block_size: int = 27_998
    end: bytes = b"\n"
    header: int = 0
    footer: int = 0
    start: int = 0
    stop: int = 0
    longest: int = LONGEST

    def check(self) -> RecordFormat:
        """Give itself back. Raises ``ConfigError`` for what cannot be meant."""
        for name in ("header", "footer", "start", "stop", "length", "block_size"):
            if getattr(self, name) < 0:
                raise _wrong(name, getattr(self, name), "0 or more bytes")
        if self.longest < 1:
            raise _wrong("longest", self.longest, "1 byte or more")
        if self.kind == "fixed" and not 0 < self.whole <= self.longest:
            raise _wrong("length", self.whole, f"1 to {self.longest} bytes, the longest")
        if not 1 <= self.wide <= self.word <= _WORD:
            raise _wrong("word", self.word, f"{max(1, self.wide)} to {_WORD} bytes")
        if self.kind in ("line", "delimited") and not self.end:
            raise _wrong("end", "nothing", "the bytes that stand behind each record")
        return self

    @property
    def whole(self) -> int:
        """Give the bytes of a fixed record with what is left out at its ends."""
        return self.length + self.start + self.stop

    @property
    def blocks(self) -> Endian:
        """Give the byte order of the block descriptor words."""
        return self.block_endian or self.endian


def _wrong(name: str, value: object, expected: str) -> ConfigError:
    return ConfigError(
        f"a record format cannot have this {name}",
        place=f"records: {name}",
        value=str(value),
        expected=expected,
        remedy="mend the option",
    )
