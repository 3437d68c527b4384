"""The fields of a contract as the tree that a payload is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from .field import Field
from .group import Group

__all__ = ["Branch", "branches", "grow", "lists_of"]


class Branch(msgspec.Struct, frozen=True, kw_only=True):
    """A group of fields in a payload, or a list of such groups; the root's name is "".

    ``required`` is what the contract says, and where it says nothing (``declared`` is false)
    whether anything in it is required.
    """

    name: str
    required: bool
    declared: bool = False
    min_items: int | None = None
    max_items: int | None = None
    description: str = ""
    children: tuple[Branch | Field, ...] = ()

    @property
    def key(self) -> str:
        """Give its key in the group that it stands in: ``lines`` of ``order.lines[]``."""
        return self.name.rpartition(".")[2].removesuffix("[]")

    @property
    def listed(self) -> bool:
        """Say whether it is a list of groups."""
        return self.name.endswith("[]")


def grow(fields: Iterable[Field], groups: Mapping[str, Group]) -> Branch:
    """Make the tree of a contract's fields and declared groups, in the order of the fields."""
    return _branch("", [(field, field.path) for field in fields], 0, groups)


def branches(tree: Branch) -> Iterator[Branch]:
    """Give all groups and lists of groups under a tree's root, outer ones first."""
    for child in tree.children:
        if isinstance(child, Branch):
            yield child
            yield from branches(child)


def lists_of(name: str) -> list[str]:
    """Give the lists that a field stands in, outer ones first: ``a[]``, ``a[].b[]``."""
    parts = name.split(".")
    return [".".join(parts[: at + 1]) for at, part in enumerate(parts) if part.endswith("[]")]


def _branch(
    name: str,
    entries: list[tuple[Field, tuple[str, ...]]],
    level: int,
    groups: Mapping[str, Group],
) -> Branch:
    children: list[Branch | Field] = []
    for part in dict.fromkeys(path[level] for _, path in entries):
        inside = [entry for entry in entries if entry[1][level] == part]
        if len(inside[0][1]) == level + 1:
            children.append(inside[0][0])
        else:
            full = f"{name}.{part}" if name else part
            children.append(_branch(full, inside, level + 1, groups))
    group = groups.get(name)
    implied = not name or any(child.required for child in children)
    return Branch(
        name=name,
        required=implied if group is None else group.required,
        declared=group is not None,
        min_items=group.min_items if group else None,
        max_items=group.max_items if group else None,
        description=group.description if group else "",
        children=tuple(children),
    )
