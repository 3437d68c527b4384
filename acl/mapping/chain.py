"""The converters of a row, one after the other: legacy's texts to our values, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

from ...ports import Converter
from ..converters.traits import Traits, reads_of, traits_of
from ..generate import Function
from .divider import Divider

__all__ = ["Chain", "Knot", "Stage"]

Reads = Mapping[str, str | None]
"""The texts of the further places of legacy that a row reads, by path."""


class Stage(NamedTuple):
    """One converter, and the places of legacy that it reads beside its text, by keyword."""

    converter: Converter
    reads: Mapping[str, str]

    def decode(self, text: str, reads: Reads) -> object:
        """Decode a text. Raises whatever the converter raises."""
        if not self.reads:
            return self.converter.decode(text)
        return self.converter.decode(text, **{name: reads[at] for name, at in self.reads.items()})

    def encode(self, value: object, reads: Reads) -> str:
        """Encode a value. Raises whatever the converter raises."""
        if not self.reads:
            return self.converter.encode(value)
        return self.converter.encode(value, **{name: reads[at] for name, at in self.reads.items()})


class Knot(NamedTuple):
    """Where several become one, or one several."""

    way: Literal["split", "join"]
    divider: Divider


class Chain:
    """The stages before ``split`` or ``join``, the knot itself, and the stages behind it.

    Without a knot all stages stand behind it. ``decode`` takes as many texts as the row has places
    of legacy and gives as many values as it has fields; ``encode`` the other way round. None stands
    for what is absent.
    """

    def __init__(self, before: Sequence[Stage], knot: Knot | None, behind: Sequence[Stage]) -> None:
        self._before = tuple(before)
        self._knot = knot
        self._behind = tuple(behind)
        self.stages = (*self._before, *self._behind)
        self.reads = tuple(dict.fromkeys(at for one in self.stages for at in one.reads.values()))
        self.single = knot is None
        self.traits = self._traits()

    def decode(self, texts: Sequence[str | None], reads: Reads) -> tuple[object, ...]:
        """Give the values of the texts. Raises ``ValueError``, or what a converter raises."""
        parts = [self._down(self._before, text, reads) for text in texts]
        if self._knot is not None:
            divider = self._knot.divider
            if self._knot.way == "join":
                parts = [divider.together([_text(part) for part in parts])]
            elif parts[0] is not None:
                parts = [*divider.part(_text(parts[0]) or "")]
            else:
                return ()
        return tuple(self._down(self._behind, part, reads) for part in parts)

    def encode(self, values: Sequence[object], reads: Reads) -> tuple[str | None, ...]:
        """Give the texts of the values. Raises as ``decode`` does."""
        parts = [self._up(self._behind, value, reads) for value in values]
        if self._knot is not None:
            divider = self._knot.divider
            if self._knot.way == "split":
                parts = [divider.together(parts)]
            elif parts[0] is not None:
                parts = [*divider.part(parts[0])]
            else:
                return ()
        return tuple(self._up(self._before, part, reads) for part in parts)

    def _down(self, stages: Sequence[Stage], value: object, reads: Reads) -> object:
        if value is None:
            return None
        for stage in stages:
            value = stage.decode(_text(value) or "", reads)
        return value

    def _up(self, stages: Sequence[Stage], value: object, reads: Reads) -> str | None:
        if value is None:
            return None
        for stage in reversed(stages):
            value = stage.encode(value, reads)
        return _text(value)

    def _traits(self) -> Traits:
        each = [traits_of(stage.converter) for stage in self.stages]
        if not each:
            return Traits(type="text")
        if len(each) == 1 and self.single and not self.reads:
            return each[0]
        last = each[-1] if self._behind else Traits(type="text")
        # The quick forms of one stage are not those of them all.
        plain = Traits(
            type=last.type,
            table=last.table,
            codes=last.codes,
            values=last.values,
            settled=last.settled,
            passed=last.passed,
        )
        if not self.single or self.reads or any(one.inline is None for one in each):
            return plain
        return msgspec.structs.replace(plain, inline=_piped([one.inline for one in each]))


def _piped(inlines: Sequence[Callable[[Function, str], str] | None]) -> Callable[..., str]:
    def inline(function: Function, name: str) -> str:
        expression = name
        for one in inlines:
            if expression != name:
                name = function.fresh()
                function.line(f"{name} = {expression}")
            expression = one(function, name) if one is not None else name
        return expression

    return inline


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise ValueError(f"text from every converter before |, not {type(value).__name__}")


def stage(converter: object) -> Stage:
    """Take a converter into a chain, with the places that it says it reads."""
    return Stage(converter, reads_of(converter))  # type: ignore[arg-type]
