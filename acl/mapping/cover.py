"""Whether a mapping is total: nothing of legacy is forgotten, nothing of ours stays unfed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations

from ..formats.shape import Leaf
from ..operations.contract import Contract
from ..operations.field import Field
from ..operations.tree import Branch
from ..path import parse_path
from ..rows import Row
from .link import Link, Target
from .linker import close_to
from .problem import Problem, RowPlace
from .sheet import Ours

__all__ = ["Cover", "within"]


class Cover:
    """The checks that need all the rows of a side at once.

    ``rows`` are all that are written there, ``links`` those that could be tied.
    """

    def __init__(
        self, at: RowPlace, rows: Sequence[Row], links: Sequence[Link], ignore: Mapping[str, str]
    ) -> None:
        self._at = at
        self._request = at.side == "fields"
        self._ignore_key = "ignore" if self._request else "reply_ignore"
        self._rows = rows
        self._links = links
        self._ignore = ignore
        self.mapped = {leaf for row in rows for leaf in self._leaves(row)}
        self.mapped |= {place.path.leaf for link in links for _, place in link.reads}

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
        yield from self._absent(Ours(contract))
        yield from self._twice()

    def ignores(self, path: str) -> bool:
        """Say whether a leaf is ignored, by its own name or by that of a group around it."""
        return any(within(path, name) for name in self._ignore)

    def unwritable(self, leaves: Collection[Leaf], contract: Contract) -> Iterator[Problem]:
        """Give the places that every answer must have, and that ours would lack."""
        ours = Ours(contract)
        writers: dict[str, list[Link]] = {}
        for link in self._links:
            for place in (*link.places, *(one.place for one in link.conditions)):
                writers.setdefault(place.path.leaf, []).append(link)
        for leaf in leaves:
            links = writers.get(leaf.path, [])
            if not leaf.required or "[]" in leaf.path:
                continue
            if not links and self.ignores(leaf.path):
                yield self._at.problem(
                    "is ignored, but every answer must have it",
                    key=f"{self._ignore_key}.{leaf.path}",
                    dst=leaf.path,
                    expected="a row that writes it",
                    hint="map it, or make it optional in the schema",
                )
            for link in links[:1]:
                if not (link.row.is_constant or link.conditions or _writes(link, leaf, ours)):
                    yield self._of(
                        link,
                        "may be absent in ours, but every answer must have it",
                        expected="a text for an absent value",
                        hint='give null = ["…"], or say required = true in the operation',
                    )

    def undecided(self) -> Iterator[Problem]:
        """Give conditions of which nothing says what to write, where there is no record before."""
        written = {place.path.leaf for link in self._links for place in link.places}
        for link, other in combinations(self._links, 2):
            if link.targets != other.targets or not link.targets or link.row.is_constant:
                continue
            for condition in link.conditions:
                if condition.place.path.leaf not in written:
                    name = str(condition.place.path)
                    yield self._of(
                        link,
                        f"nothing says what {name} is when {link.source} is written",
                        key="when",
                        expected=f"a row that writes {name}",
                        hint='or say one_way = "reason"',
                    )

    def _leaves(self, row: Row) -> Iterator[str]:
        own = row.sources if self._request else row.targets
        for text in (*own, *row.when):
            try:
                path = parse_path(text)
            except ValueError:
                yield text
                continue
            yield from (text, path.leaf, *path.key_leaves)

    def _ignored(self, leaves: Collection[Leaf]) -> Iterator[Problem]:
        paths = [leaf.path for leaf in leaves]
        for name, reason in self._ignore.items():
            key = f"{self._ignore_key}.{name}"
            plain = _entry(name)
            if not any(within(path, plain) for path in paths):
                hint = close_to(name, paths)
                yield self._at.problem(
                    f"{self._ignore_key}: legacy has no {name!r}", key=key, hint=hint
                )
            elif not reason.strip():
                expected = "the reason why nobody needs it"
                yield self._at.problem(
                    f"{self._ignore_key}: no reason",
                    key=key,
                    src=name,
                    value=repr(reason),
                    expected=expected,
                )
            both = next((p for p in sorted(self.mapped) if within(p, name)), None)
            if both is not None:
                yield self._at.problem(
                    f"{self._ignore_key}: {both} is mapped as well",
                    key=key,
                    src=name,
                    expected="mapped or ignored",
                    hint="take one of them out",
                )

    def _unmapped(self, leaf: Leaf) -> Problem:
        at = f" (line {leaf.line} of the schema)" if leaf.line else ""
        mapped = f'a row in {self._at.side}, or {self._ignore_key} = {{ "{leaf.path}" = "reason" }}'
        if leaf.opaque:
            mapped = f'{self._ignore_key} = {{ "{leaf.path}" = "reason" }}: {leaf.opaque}'
        return self._at.problem(
            f"legacy's {leaf.path} is neither mapped nor ignored{at}",
            src=leaf.path,
            expected=mapped,
        )

    def _unfed(self, contract: Contract) -> Iterator[Problem]:
        fed = {
            name
            for row in self._rows
            if self._request or not row.one_way
            for name in (row.targets if self._request else row.sources)
        }
        for name, expected in _needs(contract.tree, fed):
            yield self._at.problem(
                f"{contract.title} needs {name}, and no row feeds it",
                dst=name,
                expected=f"a row that feeds it ({expected})",
            )

    def _absent(self, ours: Ours) -> Iterator[Problem]:
        for link in self._links:
            row = link.row
            for target in link.targets:
                needed = target.field.required and ours.group(target.field) is None
                if (row.null or row.optional) and needed and _alone(target):
                    yield self._of(
                        link,
                        "may be absent here, but is required",
                        key="null" if row.null else "optional",
                        expected=f"a value for {target.field.name}",
                        hint="say required = false in the operation, or take null and optional out",
                    )

    def _twice(self) -> Iterator[Problem]:
        targets: dict[str, list[int]] = {}
        sources: dict[str, list[int]] = {}
        for number, row in enumerate(self._rows, 1):
            for name in row.targets:
                other = self._other(targets.setdefault(name, []), row)
                if other:
                    yield self._row(
                        number,
                        f"{name} is written by row {other} already",
                        expected="one row a target, or a when in both that excludes the other",
                    )
                targets[name].append(number)
            if row.one_way:
                continue
            for name in row.sources:
                other = self._other(sources.setdefault(name, []), row)
                if other:
                    yield self._row(
                        number,
                        f"{name} is read by row {other} already: the way back has two",
                        expected="one row a source, or a when in both that excludes the other",
                        hint='say one_way = "reason" in one of them',
                    )
                sources[name].append(number)

    def _other(self, numbers: Sequence[int], row: Row) -> int:
        return next((one for one in numbers if not _exclude(self._rows[one - 1], row)), 0)

    def _row(self, number: int, message: str, **parts: str) -> Problem:
        row = self._rows[number - 1]
        dst = ", ".join(row.targets)
        return self._at.problem(message, row=number, src=row.from_text, dst=dst, **parts)

    def _of(self, link: Link, message: str, *, key: str = "", **parts: str) -> Problem:
        return self._at.problem(
            message,
            row=link.number,
            key=key or "dst",
            src=link.source,
            dst=link.destination,
            **parts,
        )


def within(path: str, name: str) -> bool:
    """Say whether a path is the one of that name, or stands inside it."""
    return path == name or path.startswith((f"{name}.", f"{name}["))


def _entry(name: str) -> str:
    """Give the list that an ignored entry, ``entry[key=X]``, stands in."""
    try:
        return parse_path(f"{name}.x").leaf.removesuffix(".x") if "=" in name else name
    except ValueError:
        return name


def _alone(target: Target) -> bool:
    return target.whole or not target.field.listed


def _writes(link: Link, leaf: Leaf, ours: Ours) -> bool:
    always = all(
        target.field.required and ours.group(target.field) is None for target in link.targets
    )
    return always or bool(link.row.null) or leaf.nullable


def _exclude(row: Row, other: Row) -> bool:
    """Say whether two rows never apply to the same record."""
    theirs = other.conditions()
    return any(
        name in theirs and not set(texts) & set(theirs[name])
        for name, texts in row.conditions().items()
    )


def _needs(branch: Branch, fed: Collection[str]) -> Iterator[tuple[str, str]]:
    """Give what must be fed and is not: its name, and what is expected."""
    for child in branch.children:
        if isinstance(child, Field):
            if child.required and child.name not in fed:
                yield child.name, child.expected
            continue
        some = any(within(name, child.name) for name in fed)
        if some or child.required:
            found = list(_needs(child, fed))
            yield from found
            if not some and not found and child.declared:
                yield child.name, "a list of groups" if child.listed else "a group"
