"""Text as it stands, or trimmed, or no longer than it may be."""

from __future__ import annotations

from collections.abc import Sequence

from ...ports import Converter
from .traits import Codes, Traits, refuse_arguments

__all__ = ["text"]


class _Text:
    def __init__(self, trim: bool, longest: int | None) -> None:
        self._trim = trim
        self._longest = longest
        self.traits = Traits(type="text", plain=not trim and longest is None)

    def decode(self, text: str) -> str:
        return self._fit(text.strip() if self._trim else text)

    def encode(self, value: object) -> str:
        if not isinstance(value, str):
            raise ValueError("text")  # noqa: TRY004 - the port says ValueError
        return self._fit(value)

    def _fit(self, text: str) -> str:
        if self._longest is not None and len(text) > self._longest:
            raise ValueError(f"at most {self._longest} characters")
        return text


def text(arguments: Sequence[str], codes: Codes) -> Converter:
    """``text``, ``text(trim)``, ``text(max=40)``: both options may stand together.

    ``trim`` takes white space off both ends when decoding.
    """
    del codes
    left = list(arguments)
    trim = "trim" in left
    if trim:
        left.remove("trim")
    sizes = [argument for argument in left if argument.startswith("max=")]
    longest: int | None = None
    if sizes:
        left.remove(sizes[0])
        size = sizes[0].removeprefix("max=")
        if not size.isascii() or not size.isdigit() or int(size) < 1:
            raise ValueError("max=N with N from 1")
        longest = int(size)
    refuse_arguments(left, "trim or max=N")
    return _Text(trim, longest)
