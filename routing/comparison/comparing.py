"""An endpoint's comparison, compiled: where two answers differ."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from ...model import Payload
from .found import Found
from .node import PLAIN, Node

__all__ = ["EQUAL", "Comparing"]

EQUAL: Final = Found()
"""What is found where nothing differs. Never to be changed."""


class Comparing:
    """Compares canonical answers. Made by ``compile_comparing``, once an endpoint.

    ``names`` are the top-level fields that are compared (none: all that legacy's answer has, but
    ``ignored``); ``nodes`` walk those of them that differ; ``fields`` holds the node of each single
    field by its name, for labels; ``count`` is how many fields and lists are compared.
    ``costly``: it may take long, and is not to be called on an event loop that callers wait for.
    Called for each shadowed request: where all is equal it costs one look at each field.
    """

    def __init__(
        self,
        names: Sequence[str] = (),
        nodes: Mapping[str, Node] | None = None,
        *,
        ignored: Collection[str] = (),
        fields: Mapping[str, Node] | None = None,
        count: int = 1,
        costly: bool = False,
    ) -> None:
        self._names = tuple(names)
        self._nodes = nodes or {}
        self._ignored = frozenset(ignored)
        self._fields = fields or {}
        self.count = count
        self.costly = costly

    def names(self, legacy: Payload) -> tuple[str, ...]:
        """Give the top-level fields that are compared with this answer of legacy's."""
        if self._names:
            return self._names
        if not self._ignored:
            return tuple(legacy)
        return tuple(name for name in legacy if name not in self._ignored)

    def differences(self, legacy: Payload, replacement: Payload) -> Found:
        """Find where two answers differ. Never raises."""
        found: Found | None = None
        for name in self._names or self.names(legacy):
            old, new = legacy.get(name), replacement.get(name)
            if old != new:
                if found is None:
                    found = Found()
                self._nodes.get(name, PLAIN).walk(old, new, name, found)
        return EQUAL if found is None else found

    def alike(self, field: str, one: object, other: object) -> bool:
        """Say whether two values of a field are the same, as its rule says. Never raises."""
        return self._fields.get(field, PLAIN).alike(one, other)
