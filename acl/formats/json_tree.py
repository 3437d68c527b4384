"""The places of a JSON document as a tree: groups, lists and values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from ...errors import ConfigError
from .fields import Place, Type

__all__ = ["Group", "Items", "Node", "Value", "grow"]


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """A value. ``path`` leads to it inside the entry of the innermost list that it stands in."""

    path: str
    type: Type
    nullable: bool


class Group(msgspec.Struct, kw_only=True):
    """An object. ``paths`` are those of all values and lists in it, inside the entry."""

    path: str
    children: dict[str, Node] = {}
    paths: tuple[str, ...] = ()


class Items(msgspec.Struct, kw_only=True):
    """A list; ``path`` ends in ``[]``. Each entry is an object, or a value."""

    path: str
    entry: Group | Value


Node = Value | Group | Items


def grow(places: Sequence[Place], where: str) -> Group:
    """Build the tree. Raises ``ConfigError`` where a place is a value and a group at once."""
    root = Group(path="")
    for one in places:
        _plant(root, one, where)
    _close(root)
    return root


def _plant(root: Group, place: Place, where: str) -> None:
    group = root
    prefix = ""
    *steps, last = place.path.split(".")
    for step in steps:
        name = step.removesuffix("[]")
        path = f"{prefix}{step}"
        node: Node = Items(path=path, entry=Group(path="")) if step != name else Group(path=path)
        found = group.children.setdefault(name, node)
        inner = found.entry if isinstance(found, Items) else found
        if type(found) is not type(node) or not isinstance(inner, Group):
            raise _clash(place, path, where)
        group, prefix = inner, "" if isinstance(found, Items) else f"{path}."
    name = last.removesuffix("[]")
    if name in group.children:
        raise _clash(place, f"{prefix}{last}", where)
    value = Value(
        path="" if last != name else f"{prefix}{last}", type=place.type, nullable=place.nullable
    )
    group.children[name] = Items(path=f"{prefix}{last}", entry=value) if last != name else value


def _clash(place: Place, path: str, where: str) -> ConfigError:
    return ConfigError(
        "is listed as a value and as more than that",
        place=where,
        value=f"{path} in {place.path}",
        expected="of each name either a value, a group (name.x) or a list (name[], name[].x)",
    )


def _close(group: Group) -> None:
    group.paths = tuple(_paths(group))
    for child in group.children.values():
        inner = child.entry if isinstance(child, Items) else child
        if isinstance(inner, Group):
            _close(inner)


def _paths(group: Group) -> Iterator[str]:
    for child in group.children.values():
        if isinstance(child, Group):
            yield from _paths(child)
        else:
            yield child.path
