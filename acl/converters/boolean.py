"""Yes and no, in the words that legacy has for them."""

from __future__ import annotations

from collections.abc import Sequence

from ...ports import Converter
from ..generate import Function
from .traits import Codes, Traits, refuse_arguments

__all__ = ["boolean"]


class _Boolean:
    def __init__(self, yes: str, no: str) -> None:
        self._decoded = {yes: True, no: False}
        self._yes, self._no = yes, no
        self.traits = Traits(
            type="boolean",
            inline=self._inline,
            inline_encode=self._inline_encode,
            native={"boolean": _native} if (yes, no) == ("true", "false") else {},
        )

    def decode(self, text: str) -> bool:
        found = self._decoded.get(text)
        if found is None:
            raise ValueError(f"{self._yes} or {self._no}")
        return found

    def encode(self, value: object) -> str:
        if value is True:
            return self._yes
        if value is False:
            return self._no
        raise ValueError("true or false")

    def _inline(self, function: Function, name: str) -> str:
        return f"{function.constant(self._decoded)}[{name}]"

    def _inline_encode(self, function: Function, name: str) -> str:
        yes, no = function.constant(self._yes), function.constant(self._no)
        otherwise = f"{no} if {name} is False else {function.refuse()}"
        return f"({yes} if {name} is True else {otherwise})"


def _native(function: Function, name: str) -> str:
    return f"({name} if {name} is True or {name} is False else {function.refuse()})"


def boolean(arguments: Sequence[str], codes: Codes) -> Converter:
    """``boolean``: true and false; ``boolean(Y, N)``: the word for yes, then the word for no."""
    del codes
    if not arguments:
        return _Boolean("true", "false")
    refuse_arguments(arguments[2:], "two words")
    if len(arguments) != 2 or arguments[0] == arguments[1]:
        raise ValueError("two words that differ: the one for yes, the one for no")
    return _Boolean(arguments[0], arguments[1])
