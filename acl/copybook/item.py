"""What a copybook says, as values: items in a tree, with their place in the record."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from typing import Literal, Self

import msgspec

__all__ = [
    "Category",
    "Condition",
    "Figurative",
    "Hexadecimal",
    "Item",
    "Occurs",
    "Picture",
    "Sign",
    "Usage",
]

Category = Literal[
    "alphabetic",
    "alphanumeric",
    "alphanumeric-edited",
    "numeric",
    "numeric-edited",
    "national",
    "float",
    "group",
]


class Usage(StrEnum):
    """How an item's value is held. Each stands for all of its spellings."""

    DISPLAY = "DISPLAY"
    BINARY = "BINARY"
    """COMP, COMP-0, COMP-4, BINARY: two's complement, big-endian, held to its digits."""
    NATIVE = "COMP-5"
    """Two's complement, big-endian on the mainframe, the full range of its bytes."""
    LITTLE = "COMP-9"
    """Two's complement, little-endian."""
    FLOAT = "COMP-1"
    DOUBLE = "COMP-2"
    PACKED = "COMP-3"
    UNSIGNED_PACKED = "COMP-6"
    """Packed decimal without a sign nibble."""
    NATIONAL = "NATIONAL"
    """UTF-16, big-endian: two bytes a character."""
    DBCS = "DISPLAY-1"
    INDEX = "INDEX"
    POINTER = "POINTER"


class Figurative(str):
    """A constant that fills its item: SPACES, ZEROS, HIGH-VALUES, LOW-VALUES, QUOTES, NULLS or ALL.

    As a text it is what is repeated, once: a blank, ``0``, ``ÿ`` (which stands for the byte FF).
    ``word`` is the constant's name.
    """

    __slots__ = ("word",)
    word: str

    def __new__(cls, text: str, word: str) -> Self:
        """Build one from what is repeated and its name."""
        made = super().__new__(cls, text)
        made.word = word
        return made


class Hexadecimal(str):
    """A literal such as ``X'C1C2'``: bytes, in no code page. As a text: a character for each."""

    __slots__ = ()

    @classmethod
    def of(cls, digits: str) -> Hexadecimal:
        """Build one from its digits. Raises ``ValueError`` where they are none."""
        return cls(bytes.fromhex(digits).decode("latin-1"))

    @property
    def bytes(self) -> bytes:
        """Give what it stands for."""
        return self.encode("latin-1")


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A PICTURE, expanded: ``symbols`` is ``S999V99`` where the copybook says ``S9(3)V9(2)``.

    ``size`` counts character positions (S, V and P take none). ``digits`` counts the digit
    positions that are held; ``scale`` is the number of digits after the point, negative where P
    stands to the right: the value is the digits times 10 to the power of ``-scale``.
    """

    text: str
    symbols: str
    category: Category
    size: int
    digits: int = 0
    scale: int = 0
    signed: bool = False


class Sign(msgspec.Struct, frozen=True):
    """Where a DISPLAY number holds its sign; the default is trailing, overpunched."""

    leading: bool = False
    separate: bool = False


class Occurs(msgspec.Struct, frozen=True):
    """A table: ``least`` to ``most`` times; ``depending`` is the path of the counting item.

    Where nothing counts, ``depending`` is "" and both numbers are the same. Where the copybook
    says only the most, ``least`` is 0.
    """

    least: int
    most: int
    depending: str = ""


class Condition(msgspec.Struct, frozen=True):
    """A level 88: a name for values of the item above it; pairs are ranges, ends included."""

    name: str
    values: tuple[str | Decimal | tuple[str | Decimal, str | Decimal], ...]
    line: int = 0


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a copybook.

    ``path`` is its name behind those of the groups around it, divided by dots:
    ``METADATA.ACCOUNT.ACCOUNT-DETAIL``. The record's own name is left out where the copybook has
    one record, and stands in front where it has several. It is unique: where a copybook names
    twins, the second is ``NAME#2``. ``name`` is as written (``FILLER`` where there is none).

    ``offset`` counts bytes from the start of the record, every OCCURS before it at its most, and,
    inside a table, for the first occurrence. ``size`` is the bytes of one occurrence, ``length``
    those of all. ``redefines`` is the path of the item whose bytes it shares, "" where none.
    """

    name: str
    path: str
    level: int
    line: int = 0
    column: int = 0
    offset: int = 0
    size: int = 0
    category: Category = "group"
    picture: Picture | None = None
    usage: Usage = Usage.DISPLAY
    sign: Sign = Sign()
    occurs: Occurs | None = None
    redefines: str = ""
    justified: bool = False
    blank_when_zero: bool = False
    synchronized: bool = False
    value: str | Decimal | None = None
    conditions: tuple[Condition, ...] = ()
    children: tuple[Item, ...] = ()

    @property
    def length(self) -> int:
        """Give the bytes of all occurrences, at their most."""
        return self.size * (self.occurs.most if self.occurs else 1)

    @property
    def filler(self) -> bool:
        """Say whether nobody gave it a name."""
        return self.name == "FILLER"

    @property
    def signed(self) -> bool:
        """Say whether it can be negative."""
        return self.picture is not None and self.picture.signed

    def walk(self) -> Iterator[Item]:
        """Give it and all that stands inside it, in the order of the copybook."""
        yield self
        for child in self.children:
            yield from child.walk()
