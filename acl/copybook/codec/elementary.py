"""From an elementary item of a copybook to the leaf that reads and writes it."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from ....errors import ConfigError
from ...generate import Function
from ..item import Figurative, Hexadecimal, Item, Picture, Usage
from .binary import Binary
from .codepage import CodePage, code_page
from .edited import Edited
from .external import External
from .floating import Floating
from .leaf import Leaf, Views
from .options import CodecOptions
from .packed import Packed
from .textual import Bytes, Text
from .zoned import Zoned

__all__ = ["elementary", "figurative", "initial"]

_BINARY: Final = {Usage.BINARY, Usage.NATIVE, Usage.LITTLE, Usage.INDEX, Usage.POINTER}
_CURRENCY: Final = re.compile(r"[^\sSVPXAZ0-9*+\-./,BCDREN()]", re.IGNORECASE)
_NOTHING: Final = Picture(text="", symbols="", category="numeric", size=0)


def elementary(item: Item, options: CodecOptions, encoding: str) -> Leaf:
    """Compile an elementary item; ``encoding`` is that of its own, "" for the copybook's.

    Raises ``ConfigError`` where its code page cannot hold it.
    """
    return _Maker(item, options, encoding).leaf()


class _Maker:
    def __init__(self, item: Item, options: CodecOptions, encoding: str) -> None:
        self._item = item
        self._options = options
        self._encoding = encoding
        self._picture = item.picture or _NOTHING

    def leaf(self) -> Leaf:
        item = self._item
        if self._encoding == "hex":
            return Bytes(item.size, bytes(item.size))
        if item.usage in _BINARY:
            return self._binary()
        if item.usage in (Usage.PACKED, Usage.UNSIGNED_PACKED):
            return self._packed()
        if item.usage in (Usage.FLOAT, Usage.DOUBLE):
            options = self._options
            return Floating(item.size, form=options.floats, endian=options.endian)
        return self._displayed()

    def _binary(self) -> Binary:
        item, usage = self._item, self._item.usage
        return Binary(
            item.size,
            scale=self._picture.scale,
            signed=item.signed,
            held=usage is Usage.BINARY,
            endian="little" if usage is Usage.LITTLE else self._options.endian,
        )

    def _packed(self) -> Packed:
        picture = self._picture
        return Packed(
            self._item.size,
            digits=picture.digits,
            scale=picture.scale,
            signed=picture.signed,
            bare=self._item.usage is Usage.UNSIGNED_PACKED,
        )

    def _displayed(self) -> Leaf:
        make: Callable[[], Leaf] = {
            "numeric": self._zoned,
            "numeric-edited": self._edited,
            "float": self._external,
        }.get(self._item.category, self._text)
        return make()

    def _zoned(self) -> Leaf:
        item, picture = self._item, self._picture
        page, shared = self._page()
        leaf = Zoned(
            page,
            digits=picture.digits,
            scale=picture.scale,
            signed=picture.signed,
            sign=item.sign,
            minus=self._options.overpunch,
            blank_when_zero=item.blank_when_zero,
            shared=shared,
        )
        return self._wide(leaf)

    def _edited(self) -> Leaf:
        picture = self._picture
        page, shared = self._page()
        leaf = Edited(
            page,
            picture.symbols,
            scale=picture.scale,
            signed=picture.signed,
            blank_when_zero=self._item.blank_when_zero,
            shared=shared,
            comma=_comma(picture),
            currency=_currency(picture),
        )
        return self._wide(leaf)

    def _external(self) -> Leaf:
        return self._wide(External(self._page()[0], self._picture.symbols))

    def _text(self) -> Leaf:
        item, options = self._item, self._options
        if item.usage is Usage.DBCS and not self._encoding:
            page = code_page(options.encoding)
            if page.ebcdic or page.single:
                # Which code page it is (300, 834, 835, …) no copybook says, and Python has none.
                return Bytes(item.size, b"\x40\x40" * (item.size // 2))
        if item.usage is Usage.NATIONAL and not self._encoding:
            wide = code_page("utf-16-be", controls=options.controls == "space")
            return Text(item.size, wide, trim=options.trim, right=item.justified)
        page, shared = self._page()
        return Text(item.size, page, trim=options.trim, right=item.justified, shared=shared)

    def _page(self) -> tuple[CodePage, bool]:
        """Give the code page, and whether it is the copybook's own."""
        controls = self._options.controls == "space"
        if self._item.usage is Usage.NATIONAL:
            return code_page("latin-1", controls=controls), False
        name = self._encoding or self._options.encoding
        return code_page(name, controls=controls), not self._encoding

    def _wide(self, leaf: Leaf) -> Leaf:
        """Give a leaf for numbers in UTF-16, where the item's usage is NATIONAL."""
        return _Wide(leaf) if self._item.usage is Usage.NATIONAL else leaf


class _Wide:
    """A number whose characters are two bytes each."""

    numeric = True
    lane = "bytes"

    def __init__(self, leaf: Leaf) -> None:
        self._leaf = leaf
        self.size = 2 * leaf.size
        self.zero = leaf.zero
        self.empty = _widened(leaf.empty)
        self.initial = _widened(leaf.initial)

    def read(self, raw: bytes) -> str | int | Decimal | float:
        """Give the number. Raises ``ValueError``."""
        if any(raw[::2]):
            raise ValueError("a character that is no digit")
        return self._leaf.read(raw[1::2])

    def write(self, value: object) -> bytes:
        """Give the characters."""
        return _widened(self._leaf.write(value))

    def put(self, value: object) -> str:
        """Give the hexadecimal digits."""
        return self.write(value).hex()

    def source(self, function: Function, views: Views, at: int) -> str:
        """Leave it to ``read``."""
        del function, views, at
        return ""


def _widened(narrow: bytes) -> bytes:
    return narrow.decode("latin-1").encode("utf-16-be")


def _comma(picture: Picture) -> bool:
    """Say whether it prints commas for points: the symbols have what is meant, the text what is."""
    meant = re.findall(r"[.,]", re.sub(r"([.,])\1*", r"\1", picture.symbols))
    printed = re.findall(r"[.,]", picture.text)
    return bool(meant and printed and meant[0] != printed[0])


def _currency(picture: Picture) -> str:
    found = _CURRENCY.search(picture.text) if "$" in picture.symbols else None
    return found[0] if found else "$"


def initial(item: Item, leaf: Leaf, page: CodePage) -> bytes:
    """Give the bytes of an item that nobody feeds: its VALUE, else spaces or zeros."""
    value = item.value
    try:
        if isinstance(value, Figurative):
            return figurative(value, leaf, page)
        if isinstance(value, Hexadecimal):
            return value.bytes[: leaf.size].ljust(leaf.size, page.blank[:1])
        if isinstance(value, str) and leaf.numeric and item.category == "numeric-edited":
            return page.bytes(value.ljust(leaf.size))[: leaf.size]
        if isinstance(value, Decimal) and not leaf.numeric:
            return leaf.write(format(value, "f"))
        return leaf.initial if value is None else leaf.write(value)
    except (ValueError, UnicodeEncodeError) as error:
        raise ConfigError(
            "a VALUE that does not fit its item",
            place=f"line {item.line}: {item.path}",
            value=str(value),
            expected=str(error),
        ) from None


def figurative(value: Figurative, leaf: Leaf, page: CodePage) -> bytes:
    """Repeat a figurative constant over the item; ZERO of a number is the number."""
    if value.word.startswith("HIGH"):
        return b"\xff" * leaf.size
    if value.word.startswith(("LOW", "NULL")):
        return bytes(leaf.size)
    if leaf.numeric:
        return leaf.initial if value.word.startswith("ZERO") else leaf.empty
    text = (str(value) * leaf.size)[: leaf.size]
    return page.bytes(text)[: leaf.size].ljust(leaf.size, page.blank[:1])
