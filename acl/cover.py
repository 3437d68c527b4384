"""Whether a mapping is total: nothing of legacy is forgotten, nothing of ours stays unfed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal

from .contract import Contract
from .formats.shape import Leaf
from .link import Link, close_to
from .problem import Problem
from .rows import Row

__all__ = ["Cover"]

Side = Literal["fields", "reply"]


class Cover:
    """The checks that need all the rows of a side at once."""

    def __init__(
        self, mapping: str, side: Side, rows: Sequence[Row], ignore: Mapping[str, str]
    ) -> None:
        self._mapping = mapping
        self._side: Side = side
        self._ignore_key = "ignore" if side == "fields" else "reply_ignore"
        self._rows = rows
        self._ignore = ignore
        self.mapped = {row.src if side == "fields" else row.dst for row in rows}

    def problems(
        self, leaves: Collection[Leaf], contract: Contract, shared: Collection[str]
    ) -> Iterator[Problem]:
        """Give all that is missing or too much. ``shared``: what the other side maps or ignores."""
        yield from self._ignored(leaves)
        for leaf in leaves:
            covered = leaf.path in self.mapped or self.ignores(leaf.path)
            if not covered and leaf.path not in shared:
                yield self._unmapped(leaf)
        yield from self._unfed(contract)
        yield from self._twice()

    def ignores(self, path: str) -> bool:
        """Say whether a leaf is ignored, by its own name or by that of a group around it."""
        return path in self._ignore or any(path.startswith(f"{name}.") for name in self._ignore)

    def unwritable(self, leaves: Collection[Leaf], links: Sequence[Link]) -> Iterator[Problem]:
        """Give the places that every answer must have, and that ours would lack."""
        by_path = {link.leaf.path: link for link in links}
        for leaf in leaves:
            if not leaf.required or (leaf.path not in by_path and not self.ignores(leaf.path)):
                continue
            link = by_path.get(leaf.path)
            if link is None:
                yield self._problem(
                    "is ignored, but every answer must have it",
                    dst=leaf.path,
                    expected="a row that writes it",
                    hint="map it, or make it optional in the schema",
                )
            elif not (link.field.required or link.row.null or link.leaf.nullable):
                yield self._problem(
                    "may be absent in ours, but every answer must have it",
                    row=link.number,
                    src=link.field.name,
                    dst=leaf.path,
                    expected="a text for an absent value",
                    hint='give null = ["…"], or say required = true in the operation',
                )

    def _ignored(self, leaves: Collection[Leaf]) -> Iterator[Problem]:
        paths = [leaf.path for leaf in leaves]
        for name, reason in self._ignore.items():
            if not any(path == name or path.startswith(f"{name}.") for path in paths):
                hint = close_to(name, paths)
                yield self._problem(f"{self._ignore_key}: legacy has no {name!r}", hint=hint)
            elif not reason.strip():
                expected = "the reason why nobody needs it"
                yield self._problem(
                    f"{self._ignore_key}: no reason",
                    src=name,
                    value=repr(reason),
                    expected=expected,
                )
            both = next((p for p in self.mapped if p == name or p.startswith(f"{name}.")), None)
            if both is not None:
                yield self._problem(
                    f"{self._ignore_key}: {both} is mapped as well",
                    src=name,
                    expected="mapped or ignored",
                    hint="take one of them out",
                )

    def _unmapped(self, leaf: Leaf) -> Problem:
        at = f" (line {leaf.line} of the schema)" if leaf.line else ""
        mapped = f'a row in {self._side}, or {self._ignore_key} = {{ "{leaf.path}" = "reason" }}'
        if leaf.opaque:
            mapped = f'{self._ignore_key} = {{ "{leaf.path}" = "reason" }}: {leaf.opaque}'
        return self._problem(
            f"legacy's {leaf.path} is neither mapped nor ignored{at}",
            src=leaf.path,
            expected=mapped,
        )

    def _unfed(self, contract: Contract) -> Iterator[Problem]:
        if self._side == "fields":
            fed = {row.dst for row in self._rows}
        else:
            fed = {row.src for row in self._rows if not row.one_way}
        for field in contract.fields:
            if field.required and field.name not in fed:
                expected = f"a row that feeds it ({field.expected})"
                title = contract.title
                yield self._problem(
                    f"{title} needs {field.name}, and no row feeds it",
                    dst=field.name,
                    expected=expected,
                )

    def _twice(self) -> Iterator[Problem]:
        targets: dict[str, int] = {}
        sources: dict[str, int] = {}
        for number, row in enumerate(self._rows, 1):
            if row.dst in targets:
                yield self._problem(
                    f"{row.dst} is written by row {targets[row.dst]} already",
                    row=number,
                    src=row.src,
                    dst=row.dst,
                    expected="one row a target",
                )
            targets.setdefault(row.dst, number)
            if row.one_way:
                continue
            if row.src in sources:
                yield self._problem(
                    f"{row.src} is read by row {sources[row.src]} already: the way back has two",
                    row=number,
                    src=row.src,
                    dst=row.dst,
                    expected="one row a source",
                    hint='say one_way = "reason" in one of them',
                )
            sources.setdefault(row.src, number)

    def _problem(self, message: str, **parts: object) -> Problem:
        return Problem(message, mapping=self._mapping, side=self._side, **parts)  # type: ignore[arg-type]
