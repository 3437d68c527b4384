"""The tree of a message that has no schema: its leaves, as the mapping lists them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from ...errors import ConfigError
from .element import TEXT, Attribute, Element
from .places import named

__all__ = ["tree_of"]

_NAME: Final = r"[^\W\d][\w.-]*"
_ROOT: Final = re.compile(rf"(?:\{{[^{{}}]*\}})?{_NAME}")
_SEGMENT: Final = re.compile(
    r"(?P<at>@?)(?P<space>\{[^{}]*\})?(?P<name>[^\W\d][\w-]*)(?P<list>\[\])?|#text"
)
_SPACE: Final = re.compile(r"\{[^{}]*\}")
_REMEDY: Final = 'write it as "customer.name", "line[].sku", "line[].@id" or "{urn:x}note"'


@dataclass
class _Draft:
    """An element in the making."""

    tag: str
    repeated: bool = False
    text: bool = False
    attributes: dict[str, None] = field(default_factory=dict)
    children: dict[str, _Draft] = field(default_factory=dict)

    def element(self) -> Element:
        attributes = tuple(
            Attribute(tag=tag, path="", required=False, collapse=False, line=0)
            for tag in self.attributes
        )
        return Element(
            tag=self.tag,
            path="",
            required=False,
            repeated=self.repeated,
            text=self.text,
            attributes=attributes,
            children=tuple(child.element() for child in self.children.values()),
        )


def tree_of(root: str, leaves: Sequence[str], place: str) -> Element:
    """Build a tree in which everything may be absent, in the order of the leaves.

    An element has the namespace of the one around it, unless its own stands before its name in
    braces (``{}`` for none). Raises ``ConfigError``.
    """
    if _ROOT.fullmatch(root) is None:
        raise ConfigError(
            "not an element", place=f"{place}.root", value=root, expected="{namespace}local"
        )
    draft = _Draft(root)
    for leaf in leaves:
        _grow(draft, leaf, f"{place}.leaves")
    if not leaves:
        raise ConfigError("no leaves", place=f"{place}.leaves", expected="each place that counts")
    tree = named(draft.element(), place)
    _check(tree, leaves, f"{place}.leaves")
    return tree


def _grow(draft: _Draft, leaf: str, place: str) -> None:
    at = draft
    rest = leaf
    while rest:
        found = _SEGMENT.match(rest)
        end = found.end() if found else 0
        last = end == len(rest)
        if found is None or not (last or rest[end] == "."):
            raise _wrong(leaf, place, "not a leaf")
        rest = rest[end + 1 :]
        if found[0] == TEXT:
            at.text = True
        elif found["at"]:
            space = found["space"] or ""
            at.attributes[f"{space.removeprefix('{}')}{found['name']}"] = None
        else:
            at = _child(at, found, leaf, place)
            at.text = at.text or last
            continue
        if not last:
            raise _wrong(leaf, place, "something inside what holds a text only")


def _child(draft: _Draft, found: re.Match[str], leaf: str, place: str) -> _Draft:
    space = found["space"]
    if space is None:
        space = draft.tag[: draft.tag.rfind("}") + 1]
    tag = f"{'' if space == '{}' else space}{found['name']}"
    repeated = bool(found["list"])
    child = draft.children.setdefault(tag, _Draft(tag, repeated))
    if child.repeated is not repeated:
        raise _wrong(leaf, place, "once a list and once not")
    return child


def _check(tree: Element, leaves: Sequence[str], place: str) -> None:
    """Hold the leaves as they were written against those of the tree."""
    paths = {one.path for node in tree.walk() for one in node.attributes}
    for node in tree.walk():
        if node.text:
            paths.add(node.value)
        if node.text and node.children:
            raise _wrong(node.path, place, "a text that holds elements as well")
    for leaf in leaves:
        if _SPACE.sub("", leaf) not in paths:
            message = "the text of an entry is #text where it has attributes, and only there"
            raise _wrong(leaf, place, message)


def _wrong(leaf: str, place: str, message: str) -> ConfigError:
    return ConfigError(
        message, place=place, value=leaf, expected="the path of a value", remedy=_REMEDY
    )
