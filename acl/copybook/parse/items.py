"""The finished values: items, renamings and the digest of a copybook."""

from __future__ import annotations

import hashlib

from ..copybook import Renames
from ..item import Category, Figurative, Item, Occurs, Sign, Usage
from .entry import Entry
from .names import Names
from .tree import Node, Tree

__all__ = ["build_items", "build_renames", "digest"]

_CATEGORIES: dict[Usage, Category] = {Usage.FLOAT: "float", Usage.DOUBLE: "float"}


def build_items(tree: Tree, names: Names) -> tuple[Item, ...]:
    """Give the records of a tree whose nodes have their places."""
    return tuple(_item(root, names) for root in tree.roots)


def _item(node: Node, names: Names) -> Item:
    entry = node.entry
    place = entry.place
    return Item(
        name=entry.name,
        path=node.path,
        level=entry.level or 1,
        line=place.line,
        column=place.column,
        offset=node.offset,
        size=node.size,
        category=_category(node),
        picture=None if node.children else entry.picture,
        usage=entry.usage or Usage.DISPLAY,
        sign=entry.sign or Sign(),
        occurs=_occurs(node, names),
        redefines=node.alias.path if node.alias is not None else "",
        justified=entry.justified,
        blank_when_zero=entry.blank_when_zero,
        synchronized=entry.synchronized,
        value=entry.value,
        conditions=tuple(entry.conditions),
        children=tuple(_item(child, names) for child in node.children),
    )


def _category(node: Node) -> Category:
    if node.children:
        return "group"
    usage = node.entry.usage or Usage.DISPLAY
    if usage in _CATEGORIES or node.entry.picture is None:
        return _CATEGORIES.get(usage, "numeric")
    return node.entry.picture.category


def _occurs(node: Node, names: Names) -> Occurs | None:
    table = node.entry.table
    if table is None:
        return None
    if table.depending is None:
        return Occurs(table.least, table.most)
    counting = names.before(table.depending, node, "the item that counts")
    if counting.children:
        raise table.depending.token.error(
            f"{table.depending} is a group and cannot count",
            expected="an elementary item",
        )
    return Occurs(table.least, table.most, counting.path)


def build_renames(tree: Tree, names: Names) -> tuple[Renames, ...]:
    """Give the level 66 entries with the bytes that they name."""
    return tuple(_renames(entry, root, names) for entry, root in tree.renames)


def _renames(entry: Entry, root: Node, names: Names) -> Renames:
    assert entry.renames is not None  # noqa: S101  # read_entries has checked it
    named, through = entry.renames
    first = names.inside(named, root, "the first item renamed")
    last = names.inside(through, root, "the last item renamed") if through else first
    end = last.offset + last.length
    if last.offset < first.offset or end < first.offset + first.length:
        raise named.token.error(
            f"{through} does not end behind {named}",
            expected="the first item, THRU the last",
            remedy="change their order",
        )
    return Renames(
        name=entry.name,
        first=first.path,
        last=last.path,
        offset=first.offset,
        size=end - first.offset,
        line=entry.token.line,
    )


def digest(records: tuple[Item, ...], renames: tuple[Renames, ...]) -> str:
    """Give the SHA-256 of what a copybook says, wherever on the page it says it."""
    state = hashlib.sha256()
    for record in records:
        for item in record.walk():
            state.update(repr(_essence(item)).encode())
    for renamed in renames:
        place = (renamed.name, renamed.first, renamed.last, renamed.offset, renamed.size)
        state.update(repr(place).encode())
    return state.hexdigest()


def _essence(item: Item) -> tuple[object, ...]:
    picture = item.picture
    return (
        item.path.upper(),
        item.level,
        item.offset,
        item.size,
        item.category,
        picture.symbols if picture and picture.category != "alphanumeric" else "",
        item.usage.value,
        (item.sign.leading, item.sign.separate),
        (item.occurs.least, item.occurs.most, item.occurs.depending) if item.occurs else None,
        item.redefines.upper(),
        (item.justified, item.blank_when_zero, item.synchronized),
        _constant(item.value),
        tuple(
            (condition.name.upper(), tuple(_constant(value) for value in condition.values))
            for condition in item.conditions
        ),
    )


def _constant(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(_constant(part) for part in value)
    return (value.word, str(value)) if isinstance(value, Figurative) else str(value)
