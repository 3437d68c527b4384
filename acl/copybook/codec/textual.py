"""Text fields: alphabetic, alphanumeric, national, DBCS, and bytes kept as hexadecimal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ...generate import Function
from .codepage import CodePage
from .leaf import Lane, Scalar, Views

__all__ = ["Bytes", "Text", "trimmer"]

_TRIMS: Final = {"both": "strip", "right": "rstrip", "left": "lstrip"}


def trimmer(trim: str) -> Callable[[str], str]:
    """Give the function that takes spaces off the sides that ``trim`` names."""
    if trim not in _TRIMS:
        return lambda text: text
    take: Callable[[str, str], str] = getattr(str, _TRIMS[trim])
    return lambda text: take(text, " ")


class Text:
    """Text in a code page, filled up with spaces.

    ``shared`` says that it is the copybook's own page, so that the record's text can be cut.
    ``right``: it is filled up on its left (JUSTIFIED RIGHT).
    """

    numeric = False
    zero: Scalar = ""

    def __init__(
        self,
        size: int,
        page: CodePage,
        *,
        trim: str = "both",
        right: bool = False,
        shared: bool = False,
    ) -> None:
        self.size = size
        self._page = page
        self._trim = trim
        self._trimmed = trimmer(trim)
        self._right = right
        self._shared = shared and page.single
        self.lane: Lane = "text" if self._shared else "bytes"
        self.empty = self._filled(b"")
        self.initial = self.empty

    def read(self, raw: bytes) -> str:
        """Give the text, trimmed."""
        return self._trimmed(self._page.text(raw))

    def write(self, value: object) -> bytes:
        """Give the text, filled up with spaces."""
        if not isinstance(value, str):
            raise ValueError("text")  # noqa: TRY004 - the caller gathers these
        try:
            raw = self._page.bytes(value)
        except UnicodeEncodeError as error:
            text = f"text in {self._page.name}, which has no {value[error.start]!r}"
            raise ValueError(text) from None
        if len(raw) > self.size:
            raise ValueError(f"at most {self.size} bytes, these are {len(raw)}")
        return self._filled(raw)

    def put(self, value: object) -> str:
        """Give the text, filled up; the lane as a whole is checked for its length."""
        if not isinstance(value, str):
            raise ValueError("text")  # noqa: TRY004 - the caller gathers these
        return value.rjust(self.size) if self._right else value.ljust(self.size)

    def inline(self, function: Function, name: str) -> str:
        """Give source that does what ``put`` does; it raises for what is no text."""
        del function
        return f"{name}.{'rjust' if self._right else 'ljust'}({self.size})"

    def source(self, function: Function, views: Views, at: int) -> str:
        """Cut the record's text; a field in another code page is read on its own."""
        del function
        if not self._shared:
            return ""
        cut = views.text(at, at + self.size)
        return f"{cut}.{_TRIMS[self._trim]}(' ')" if self._trim in _TRIMS else cut

    def _filled(self, raw: bytes) -> bytes:
        blank = self._page.blank
        fill = blank * ((self.size - len(raw)) // len(blank))
        filled = fill + raw if self._right else raw + fill
        return filled.ljust(self.size, b"\0")


class Bytes:
    """Bytes that no code page can read: their hexadecimal digits are the value."""

    numeric = False
    zero: Scalar = ""
    lane: Lane = "bytes"

    def __init__(self, size: int, empty: bytes) -> None:
        self.size = size
        self.empty = self.initial = empty

    def read(self, raw: bytes) -> str:
        """Give two digits a byte."""
        return raw.hex()

    def write(self, value: object) -> bytes:
        """Give the bytes of exactly so many digits."""
        expected = f"{2 * self.size} hexadecimal digits"
        if not isinstance(value, str):
            raise ValueError(expected)  # noqa: TRY004 - the caller gathers these
        try:
            raw = bytes.fromhex(value)
        except ValueError:
            raise ValueError(expected) from None
        if len(raw) != self.size:
            raise ValueError(expected)
        return raw

    def put(self, value: object) -> str:
        """Give the digits."""
        return self.write(value).hex()

    def source(self, function: Function, views: Views, at: int) -> str:
        """Cut the record's hexadecimal digits."""
        del function
        return views.hex(2 * at, 2 * (at + self.size))
