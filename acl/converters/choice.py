"""One of a few words."""

from __future__ import annotations

from collections.abc import Sequence

from ...ports import Converter
from ..generate import Function
from .traits import Codes, Traits

__all__ = ["choice"]


class _Choice:
    def __init__(self, words: Sequence[str]) -> None:
        self._words = frozenset(words)
        self._expected = "one of " + ", ".join(words)
        name = f"enum({', '.join(words)})"
        self.traits = Traits(
            type="text",
            inline=self._inline,
            inline_encode=self._inline,
            table=name,
            codes=tuple(words),
            values=tuple(words),
        )

    def decode(self, text: str) -> str:
        if text not in self._words:
            raise ValueError(self._expected)
        return text

    def encode(self, value: object) -> str:
        if not isinstance(value, str):
            raise ValueError(self._expected)  # noqa: TRY004 - the port says ValueError
        return self.decode(value)

    def _inline(self, function: Function, name: str) -> str:
        words = function.constant(self._words)
        return f"({name} if {name} in {words} else {function.refuse()})"


def choice(arguments: Sequence[str], codes: Codes) -> Converter:
    """``enum(a, b, c)``: text that is one of these, and goes through as it is."""
    del codes
    if not arguments or len(set(arguments)) != len(arguments):
        raise ValueError("the words that there are, each once")
    return _Choice(arguments)
