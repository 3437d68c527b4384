"""The places of legacy that rows write, as the tree that a record is: what writing goes by."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..operations.contract import Contract
from ..operations.field import Field
from ..operations.tree import Branch
from ..path import Hop
from .link import Condition, Link, Target

__all__ = ["Choice", "Ours", "Sheet", "SheetList", "by_target", "choose", "grow_sheet", "keys_of"]


class SheetList(NamedTuple):
    """A list of legacy, and the list of ours whose entries go into it.

    ``keys`` lead to ours inside the entry around it; ``required`` says that ours must be there.
    """

    name: str
    keys: tuple[str, ...]
    required: bool
    sheet: Sheet


class Choice(NamedTuple):
    """A place of legacy that says which of the rows with conditions apply.

    ``free``: no row writes it, so that it follows from what has a value. ``claims`` are the links
    that claim a text for it, each with what it claims; links that feed one field claim together.
    """

    condition: Condition
    free: bool
    claims: tuple[tuple[tuple[Link, ...], frozenset[str]], ...]
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The record, or an entry of the list at ``hops``. ``plain``: its entries are single values.

    ``links`` stand in an order in which each finds what it depends on; those with conditions are
    among them.
    """

    hops: tuple[Hop, ...]
    links: tuple[Link, ...]
    lists: tuple[SheetList, ...]
    choices: tuple[Choice, ...]

    @property
    def plain(self) -> bool:
        """Say whether an entry is a value, and not a group of them."""
        return any(
            place.path.hops == self.hops and not place.path.last
            for link in self.links
            for place in link.places
        )

    def walk(self) -> Iterator[Sheet]:
        """Give it and all sheets inside it."""
        yield self
        for one in self.lists:
            yield from one.sheet.walk()


class Ours:
    """What writing must know of a contract: which groups and lists may be absent."""

    def __init__(self, contract: Contract) -> None:
        self._lists: dict[str, bool] = {}
        self.optional: frozenset[str] = frozenset(
            name
            for name, group in contract.groups.items()
            if not group.required and not name.endswith("[]")
        )
        self._walk(contract.tree)

    def _walk(self, branch: Branch) -> None:
        for child in branch.children:
            if child.listed:
                self._lists[child.name] = child.required
            if isinstance(child, Branch):
                self._walk(child)

    def must(self, name: str) -> bool:
        """Say whether a list must be there."""
        return self._lists[name]

    def group(self, field: Field | str) -> tuple[str, ...] | None:
        """Give the keys of the innermost optional group around a field, inside its entry."""
        name = field if isinstance(field, str) else field.name
        start = name.removesuffix("[]").rfind("[]") + 2 if "[]" in name.removesuffix("[]") else 0
        inner = name[start:].lstrip(".").split(".")
        prefix = name[:start]
        for size in range(len(inner) - 1, 0, -1):
            full = ".".join(part for part in (prefix, ".".join(inner[:size])) if part)
            if full in self.optional:
                return tuple(inner[:size])
        return None


def keys_of(target: Target) -> tuple[str, ...]:
    """Give the keys that lead to a field inside the entry of its list; () in a plain list."""
    name = target.field.name
    if target.whole:
        name = name.removesuffix("[]")
    inner = name.rpartition("[]")[2].lstrip(".")
    return tuple(inner.split(".")) if inner else ()


def grow_sheet(links: Sequence[Link], ours: Ours) -> Sheet:
    """Grow the tree of the links that write. They were held against each other before."""
    scopes: dict[tuple[Hop, ...], list[Link]] = {(): []}
    names: dict[tuple[Hop, ...], str] = {(): ""}
    for link in links:
        if link.places and link.targets:
            name = _list_name(link.targets[0])
            scope = link.scope
            while scope not in names or scope not in scopes:
                scopes.setdefault(scope, [])
                names[scope] = name
                scope, name = _around(scope), _outer(name)
    by_name = {name: scope for scope, name in names.items()}
    for link in links:
        scope = link.scope if link.places else by_name.get(_list_name(link.targets[0]), ())
        scopes.setdefault(scope, []).append(link)
    return _sheet((), scopes, names, ours, links)


def _sheet(
    hops: tuple[Hop, ...],
    scopes: dict[tuple[Hop, ...], list[Link]],
    names: dict[tuple[Hop, ...], str],
    ours: Ours,
    written: Collection[Link],
) -> Sheet:
    links = sorted(scopes[hops], key=lambda link: (bool(link.conditions), bool(link.reads)))
    lists = tuple(
        SheetList(
            name,
            tuple(name[len(names[hops]) :].lstrip(".").removesuffix("[]").split(".")),
            ours.must(name),
            _sheet(inner, scopes, names, ours, written),
        )
        for inner, name in names.items()
        if inner and _around(inner) == hops
    )
    return Sheet(hops, tuple(links), lists, tuple(_choices(links, written)))


def _choices(links: Sequence[Link], written: Collection[Link]) -> Iterator[Choice]:
    conditioned = [link for link in links if link.conditions]
    found: dict[str, Condition] = {}
    for link in conditioned:
        for condition in link.conditions:
            found.setdefault(str(condition.place.path), condition)
    for path, condition in found.items():
        mine = [
            (link, one.texts)
            for link in conditioned
            for one in link.conditions
            if str(one.place.path) == path
        ]
        free = not any(str(place.path) == path for link in written for place in link.places)
        claims: dict[object, tuple[list[Link], set[str]]] = {}
        for link, texts in mine:
            name = link.number if link.row.is_constant else link.targets[0].field.name
            together = claims.setdefault(name, ([], set()))
            together[0].append(link)
            together[1].update(texts)
        yield Choice(
            condition,
            free,
            tuple((tuple(each), frozenset(texts)) for each, texts in claims.values()),
            tuple(dict.fromkeys(text for _, texts in mine for text in texts)),
        )


def _list_name(target: Target) -> str:
    """Give the innermost list of ours that a field stands in: ``lines[]``, or ""."""
    name = target.field.name.removesuffix("[]") if target.whole else target.field.name
    before, found, _ = name.rpartition("[]")
    return before + found


def _outer(name: str) -> str:
    before, found, _ = name.removesuffix("[]").rpartition("[]")
    return before + found


def _around(hops: tuple[Hop, ...]) -> tuple[Hop, ...]:
    """Give the list around a list: the next hop outwards that is gone through entry by entry."""
    hops = hops[:-1]
    while hops and hops[-1].key:
        hops = hops[:-1]
    return hops


def choose(
    held: str | None,
    present: Sequence[bool],
    claims: Sequence[frozenset[str]],
    texts: Sequence[str],
) -> str | None:
    """Give the text with which every claim that is present holds: what stands there, if it can."""
    claimed = [claim for claim, there in zip(claims, present, strict=True) if there]
    if not claimed:
        return held
    for text in (held, *texts):
        if text is not None and all(text in claim for claim in claimed):
            return text
    return held


def by_target(sheet: Sheet) -> list[list[Link]]:
    """Give the links with conditions, those that feed one field of ours together."""
    found: dict[str, list[Link]] = {}
    for link in sheet.links:
        if link.conditions and link.targets:
            found.setdefault(link.targets[0].field.name, []).append(link)
    return list(found.values())
