"""A copybook that was read: its records, and how to find an item in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from .item import Item

__all__ = ["Copybook", "Notice", "Renames"]


class Renames(msgspec.Struct, frozen=True, kw_only=True):
    """A level 66: another name for the bytes from ``first`` to ``last`` (paths)."""

    name: str
    first: str
    last: str
    offset: int
    size: int
    line: int = 0


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Something in a copybook that was taken, and that a compiler might not take or read so."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        """Say it on one line."""
        return f"{self.file}: line {self.line}, column {self.column}: {self.message}"


class Copybook(msgspec.Struct, frozen=True, kw_only=True):
    """The 01 (and 77) levels of one copybook. ``file`` names it in errors.

    Where it has none, what it has stands in one record without a name. Several 01 levels share
    their first byte, as in the FILE SECTION: each after the first redefines it.
    ``digest`` is the SHA-256 of the items, however they are laid out on the page.
    """

    file: str
    records: tuple[Item, ...]
    renames: tuple[Renames, ...] = ()
    digest: str = ""
    notices: tuple[Notice, ...] = ()

    @property
    def size(self) -> int:
        """Give the bytes of a record, every OCCURS at its most."""
        return max(record.size for record in self.records)

    def walk(self) -> Iterator[Item]:
        """Give every item, in the order of the copybook."""
        for record in self.records:
            yield from record.walk()

    def by_path(self) -> Mapping[str, Item]:
        """Give the items by path; the records themselves stand under their own names."""
        return {item.path: item for item in self.walk()}
