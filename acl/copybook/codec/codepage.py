"""Code pages: bytes to text and back, a whole record at once where a character is one byte."""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Final

from ....errors import ConfigError, MissingExtra

__all__ = ["CodePage", "code_page", "unfit"]

_EVERY: Final = bytes(range(256))
_DIGITS: Final = "0123456789"
_MENDED: Final = {("cp273", 0xBC): "¯"}
"""Where Python differs from IBM and Java: the macron is no overline."""
_COMMON: Final = "common"


class CodePage:
    """One code page. ``digits`` are the bytes of 0 to 9, ``blank`` that of a space.

    ``numeric``: those are one byte each, so that DISPLAY numbers can be written in it. ``single``:
    each byte is one character, so that a record can be turned into text whole and then
    cut. ``ebcdic``: its digits stand at X'F0'. ``controls`` says whether control characters, and
    bytes that mean nothing, are read as spaces.
    """

    def __init__(self, name: str, *, controls: bool) -> None:
        common = name == _COMMON
        name = "cp037" if common else name
        self.name = name
        self._controls = controls
        self.digits = _DIGITS.encode(name)
        self.blank = " ".encode(name)
        self.numeric = len(self.digits) == 10 and len(self.blank) == 1
        self.ebcdic = self.digits == b"\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9"
        raw = [_MENDED.get((name, byte)) or _one(byte, name) for byte in _EVERY]
        if common:
            raw = [text if " " <= text <= "~" else "" for text in raw]
        self.single = common or _single(raw, name)
        self.table = "".join(self._shown(text) for text in raw)
        self.text: Callable[[bytes], str] = self._reading()
        known = "".join(text or "\ufffe" for text in raw)
        self.bytes: Callable[[str], bytes] = self._writing(known)

    def _shown(self, text: str) -> str:
        if self._controls and (not text or unicodedata.category(text) == "Cc"):
            return " "
        return text or "\ufffd"

    def _reading(self) -> Callable[[bytes], str]:
        table = self.table
        if not self.single:
            return self._several
        if max(table) <= "\xff":
            latin = table.encode("latin-1")
            return lambda raw: raw.translate(latin).decode("latin-1")
        charmap = codecs.charmap_decode
        return lambda raw: charmap(raw, "strict", table)[0]

    def _several(self, raw: bytes) -> str:
        text = raw.decode(self.name, "replace")
        if self._controls:
            return "".join(" " if unicodedata.category(c) == "Cc" else c for c in text)
        return text

    def _writing(self, raw: str) -> Callable[[str], bytes]:
        name = self.name
        if not self.single:
            return lambda text: text.encode(name)
        if len(set(raw)) == 256 and max(raw) <= "\xff":
            back = bytes(raw.index(chr(byte)) for byte in _EVERY)
            return lambda text: text.encode("latin-1").translate(back)
        places = {ord(text): byte for byte, text in enumerate(raw) if text != "\ufffe"}
        charmap = codecs.charmap_encode
        return lambda text: charmap(text, "strict", places)[0]


def _one(byte: int, name: str) -> str:
    try:
        text = bytes([byte]).decode(name)
    except UnicodeDecodeError:
        return ""
    return text if len(text) == 1 else ""


def _again(text: str, name: str) -> bytes:
    try:
        return text.encode(name)
    except UnicodeEncodeError:
        return b"?"


def _single(raw: list[str], name: str) -> bool:
    known = [text for text in raw if text]
    return (
        len(known) >= 128
        and all(len(_again(text, name)) == 1 for text in known)
        and not _joins(name)
    )


def _joins(name: str) -> bool:
    """Say whether two bytes can make one character."""
    for first in range(128, 256):
        try:
            if len(bytes([first, 0xA1]).decode(name)) == 1:
                return True
        except UnicodeDecodeError:
            continue
    return False


def unfit(name: str) -> ConfigError:
    """Say that numbers cannot be written in it."""
    return ConfigError(
        "a code page that no COBOL record is written in",
        place="encoding",
        value=name,
        expected="one whose digits and space are one byte each, as cp037, cp1047, cp273 or ascii",
    )


def code_page(name: str, *, controls: bool = True) -> CodePage:
    """Find a code page by name. Asked once a field, while a codec is built.

    The standard library's come first, then those of the package ``ebcdic`` (cp1047, cp277, cp280,
    cp284, cp285, cp297, cp871, …). ``common`` is what all of EBCDIC's share, all else being read
    as spaces: for files of which nobody knows the page. Raises ``ConfigError`` where there is no
    such page, ``MissingExtra`` where ``ebcdic`` might have it and is not installed.
    """
    return _code_page(_canonical(name), controls)


@cache
def _code_page(name: str, controls: bool) -> CodePage:
    try:
        return CodePage(name, controls=controls)
    except (UnicodeError, TypeError):
        raise unfit(name) from None
    except LookupError:
        raise _unknown(name) from None


def _canonical(name: str) -> str:
    if name == _COMMON:
        return name
    try:
        return codecs.lookup(name).name
    except (LookupError, ValueError):
        pass
    try:
        import ebcdic  # noqa: F401, PLC0415 - it registers its code pages
    except ImportError:
        raise MissingExtra(
            "no such code page in the standard library",
            place="encoding",
            value=name,
            remedy="pip install 'stranglerfig[copybook]', which brings more of EBCDIC's",
        ) from None
    try:
        return codecs.lookup(name).name
    except (LookupError, ValueError):
        raise _unknown(name) from None


def _unknown(name: str) -> ConfigError:
    return ConfigError(
        "no such code page",
        place="encoding",
        value=name,
        expected="one of Python's or of the package ebcdic: cp037, cp1047, cp1140, ascii, …",
    )
