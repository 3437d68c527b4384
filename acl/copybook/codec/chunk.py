"""A stretch of the bytes that a generated reader reads, and the views that it makes of them."""

from __future__ import annotations

import struct

from ...generate import Function
from .binary import Binary
from .codepage import CodePage
from .zoned import zones

__all__ = ["Chunk"]


class Chunk:
    """A stretch of a function's bytes whose places are known: what the fields are slices of.

    ``base`` is what its first byte is called in the places of the copybook. Each view is made where
    it is used at all; ``binaries`` are unpacked together.
    """

    def __init__(self, number: int, base: int, page: CodePage) -> None:
        self.number = number
        self.base = base
        self.used: set[str] = set()
        self.page = page
        self.binaries: list[tuple[int, Binary, str]] = []

    def raw(self, start: int, end: int) -> str:
        """Give source for the bytes."""
        return f"r{self.number}[{start - self.base}:{end - self.base}]"

    def text(self, start: int, end: int) -> str:
        """Give source for the text, in the copybook's code page."""
        self.used.add("t")
        return f"t{self.number}[{start - self.base}:{end - self.base}]"

    def digits(self, start: int, end: int) -> str:
        """Give source for the bytes as zoned digits."""
        self.used.add("n")
        return f"n{self.number}[{start - self.base}:{end - self.base}]"

    def digit(self, at: int) -> str:
        """Give source for one of them."""
        self.used.add("n")
        return f"n{self.number}[{at - self.base}]"

    def hex(self, start: int, end: int) -> str:
        """Give source for half bytes."""
        self.used.add("h")
        return f"h{self.number}[{start - 2 * self.base}:{end - 2 * self.base}]"

    def nibble(self, at: int) -> str:
        """Give source for one of them."""
        self.used.add("h")
        return f"h{self.number}[{at - 2 * self.base}]"

    def offset(self, at: int) -> str:
        """Give source for the place in the record of what stands at ``at``."""
        place = at - self.base
        return f"o{self.number} + {place}" if place else f"o{self.number}"

    def batch(self, at: int, leaf: Binary, local: str) -> bool:
        """Unpack it together with the others, where it stands behind them."""
        end = self.base
        if self.binaries:
            last = self.binaries[-1]
            end = last[0] + last[1].size
        big = not self.binaries or self.binaries[0][1].endian == leaf.endian
        if not leaf.format or at < end or not big:
            return False
        self.binaries.append((at, leaf, local))
        return True

    def lines(self, function: Function, *, given: bool) -> list[str]:
        """Give the lines that make its views; ``given``: the function was called with them."""
        made = []
        raw = f"r{self.number}"
        if not given:
            if "t" in self.used:
                made.append(f"t{self.number} = {function.constant(self.page.text)}({raw})")
            if "n" in self.used:
                table = function.constant(zones(self.page))
                made.append(f"n{self.number} = {raw}.translate({table}).decode('latin-1')")
            if "h" in self.used:
                made.append(f"h{self.number} = {raw}.hex()")
        if self.binaries:
            form, at = ">" if self.binaries[0][1].endian == "big" else "<", self.base
            for place, leaf, _ in self.binaries:
                form += f"{place - at}x{leaf.format}"
                at = place + leaf.size
            names = ", ".join(local for _, _, local in self.binaries)
            unpack = function.constant(struct.Struct(form).unpack_from)
            made.append(f"{names}, = {unpack}({raw})")
        return made
