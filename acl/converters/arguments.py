"""The arguments in brackets behind a converter's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from .traits import refuse_arguments

__all__ = ["Arguments"]

T = TypeVar("T")


class Arguments:
    """Taken one by one; ``done`` refuses what nobody took. Every method raises ``ValueError``."""

    def __init__(self, arguments: Sequence[str], expected: str) -> None:
        self._left = list(arguments)
        self._expected = expected

    def first(self) -> str:
        """Take the first one, "" where there is none."""
        return self._left.pop(0) if self._left else ""

    def rest(self) -> list[str]:
        """Take all that are left."""
        left, self._left = self._left, []
        return left

    def flag(self, name: str) -> bool:
        """Take a word; say whether it stood there."""
        there = name in self._left
        if there:
            self._left.remove(name)
        return there

    def choice(self, words: Mapping[str, T]) -> T | None:
        """Take the one of these words that stands there; give what it stands for."""
        found = [word for word in words if word in self._left]
        if len(found) > 1:
            raise ValueError("only one of " + ", ".join(found))
        return words[found[0]] if found and self.flag(found[0]) else None

    def value(self, name: str) -> str | None:
        """Take ``name=VALUE``; give the value, None where it does not stand there."""
        found = [one for one in self._left if one.startswith(f"{name}=")]
        if not found:
            return None
        self._left.remove(found[0])
        return found[0].removeprefix(f"{name}=")

    def number(self, name: str, low: int, high: int) -> int | None:
        """Take ``name=N`` with N in these bounds."""
        text = self.value(name)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and low <= int(text[:6]) <= high):
            raise ValueError(f"{name}=N with N from {low} to {high}")
        return int(text)

    def done(self) -> None:
        """Refuse what is left."""
        refuse_arguments(self._left, self._expected)
