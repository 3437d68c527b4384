"""Rules that say which branch of a REDEFINES holds, as values: see ``ruling``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Protocol

import msgspec

from ...generate import Function
from ..item import Condition

__all__ = ["Both", "Either", "Field", "Not", "Rule", "Test", "bare"]

Value = object


class Field(Protocol):
    """A field that a rule can ask: see ``ruling``."""

    @property
    def path(self) -> str:
        """Its path."""

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Its level 88s."""

    def literal(self, value: str | Decimal) -> object:
        """Give a literal as the field's values are given. Raises ``ValueError``."""

    def order(self, value: object) -> object:
        """Give what its values are ordered by: the code page decides for texts."""


class Test(msgspec.Struct, frozen=True):
    """Whether a field holds one of some values, or one in some ranges."""

    field: Field
    values: frozenset[object]
    ranges: tuple[tuple[object, object], ...] = ()

    def holds(self, value: Callable[[str], object]) -> bool:
        """Ask the field's value."""
        found = bare(value(self.field.path))
        if not isinstance(found, str | int | float | Decimal):
            return False
        if isinstance(found, Decimal) and found.is_snan():
            return False  # it cannot even be compared
        return found in self.values or any(
            self.field.order(low) <= self.field.order(found) <= self.field.order(high)  # type: ignore[operator]
            for low, high in self.ranges
        )

    def source(self, function: Function, name: Callable[[str], str]) -> str:
        """Give an expression that does what ``holds`` does, on a variable."""
        local = name(self.field.path)
        if self.ranges:
            return f"{function.constant(self.holds)}(lambda _: {local})"
        return f"{function.constant(bare)}({local}) in {function.constant(self.values)}"

    def fields(self) -> Iterator[str]:
        """Give the paths that it asks."""
        yield self.field.path


class Not(msgspec.Struct, frozen=True):
    """The opposite of a rule."""

    rule: Rule

    def holds(self, value: Callable[[str], object]) -> bool:
        """Ask the rule."""
        return not self.rule.holds(value)

    def source(self, function: Function, name: Callable[[str], str]) -> str:
        """Give an expression."""
        return f"(not {self.rule.source(function, name)})"

    def fields(self) -> Iterator[str]:
        """Give the paths that it asks."""
        yield from self.rule.fields()


class Both(msgspec.Struct, frozen=True):
    """Two rules that must both hold."""

    left: Rule
    right: Rule

    def holds(self, value: Callable[[str], object]) -> bool:
        """Ask both."""
        return self.left.holds(value) and self.right.holds(value)

    def source(self, function: Function, name: Callable[[str], str]) -> str:
        """Give an expression."""
        return f"({self.left.source(function, name)} and {self.right.source(function, name)})"

    def fields(self) -> Iterator[str]:
        """Give the paths that they ask."""
        yield from self.left.fields()
        yield from self.right.fields()


class Either(msgspec.Struct, frozen=True):
    """Two rules of which one must hold."""

    left: Rule
    right: Rule

    def holds(self, value: Callable[[str], object]) -> bool:
        """Ask both."""
        return self.left.holds(value) or self.right.holds(value)

    def source(self, function: Function, name: Callable[[str], str]) -> str:
        """Give an expression."""
        return f"({self.left.source(function, name)} or {self.right.source(function, name)})"

    def fields(self) -> Iterator[str]:
        """Give the paths that they ask."""
        yield from self.left.fields()
        yield from self.right.fields()


Rule = Test | Not | Both | Either


def bare(value: object) -> object:
    """Give a value as it is compared: spaces around texts do not count."""
    return value.strip(" ") if isinstance(value, str) else value
