"""One record of a copybook, as a mapping sees it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from ...model import Record
from ..copybook.codec.codec import Codec
from ..copybook.codec.locate import locate
from ..copybook.codec.problem import Problem, RecordError
from ..path import numbered
from .copybook_names import Names
from .copybook_patch import Patch
from .shape import Stray, Values

__all__ = ["CopybookShape"]

_ORDINARY = frozenset({"blank", "low", "zero"})


class CopybookShape:
    """A record. ``answers``: it is written anew, not into the request.

    Fields that no row feeds get their VALUE, else spaces or zeros. A number that is blank or
    low-values is null; one that is garbage is reported as the record's other oddities are.
    """

    def __init__(
        self, codec: Codec, name: str, *, digits: Collection[str] = (), answers: bool = False
    ) -> None:
        self.name = name
        self._codec = codec
        self._answers = answers
        self._names = Names(codec.tree, optional=answers, digits=digits)
        self._flatten = self._names.flatten()
        self.leaves = self._names.leaves

    def describe(self) -> bytes:
        """Give the copybook's digest and the options as bytes."""
        kept = (self._codec.options, sorted(self._names.digits))
        return self._codec.copybook.digest.encode() + msgspec.json.encode(
            kept, order="deterministic"
        )

    def read(self, record: Record) -> tuple[Values, Sequence[Stray]]:
        """Read the record. What stands behind its end is null, as is what cannot be read."""
        report: list[Problem] = []
        values = self._flatten(self._codec.decode(record.body, report))
        if not report:
            return values, ()
        return values, [stray for one in report if (stray := self._stray(one)) is not None]

    def _stray(self, problem: Problem) -> Stray | None:
        node = self._codec.tree.by_path.get(problem.path)
        broken = False
        if node is not None and problem.kind in ("blank", "low", "invalid", "zero"):
            broken = getattr(node.policies, problem.kind) == "error"
        if problem.kind in _ORDINARY and not broken:
            return None
        path = self._names.paths.get(id(node), problem.path) if node is not None else "record"
        at = f"{problem.offset}+{problem.size}"
        return Stray(path, f"cannot be read: {problem.reason}", _expected(problem), at, broken)

    def places(self, record: Record) -> Mapping[str, str]:
        """Give offset and length of each value: ``28+5``."""
        values = self._codec.decode(record.body, [])
        found = locate(self._codec.tree, values, moving=self._codec.moving)
        return {
            _numbered(self._names.paths[id(spot.node)], spot.indices): f"{spot.offset}+{spot.size}"
            for spot in found
            if id(spot.node) in self._names.paths
        }

    def write(self, values: Values, original: Record) -> bytes:
        """Write a record, or the values into the one that they answer."""
        if not self._answers:
            return self.patch(values, original)
        try:
            return self._codec.encode(self._names.nest(values))
        except RecordError as error:
            raise ValueError(error.problems[0].reason) from None

    def patch(self, changes: Values, original: Record) -> bytes:
        """Put changed values into the record; all its other bytes stay as they are."""
        if not changes:
            return original.body
        return Patch(self._codec, self._names, original.body).apply(changes)


def _expected(problem: Problem) -> str:
    if problem.kind == "rest":
        return "a record that ends where the copybook does"
    if problem.kind == "short":
        return "a record that ends behind a field"
    return "what its picture says"


def _numbered(path: str, indices: tuple[int, ...]) -> str:
    """Put indices into a path: an entry of a list of values is the list's path with its own."""
    return numbered(path, indices)
