"""The paths by which mappings name the elements and attributes of a message."""

from __future__ import annotations

import msgspec

from ...errors import ConfigError
from .element import Attribute, Element

__all__ = ["named"]


def named(root: Element, file: str) -> Element:
    """Give the tree with whole paths, out of one whose elements know their own names only.

    Raises ``ConfigError`` where two places would have one path.
    """
    placed = _placed(root, "")
    paths: set[str] = set()
    for node in placed.walk():
        parts: list[Element | Attribute] = [node, *node.attributes]
        for part in parts:
            if part.path in paths:
                raise ConfigError(
                    "two places of a message with one name",
                    place=f"{file}: line {part.line}" if part.line else file,
                    value=part.path,
                    expected="names that a mapping can tell apart",
                )
            paths.add(part.path)
    return placed


def _placed(node: Element, path: str) -> Element:
    prefix = f"{path}." if path else ""
    attributes = [
        msgspec.structs.replace(one, path=f"{prefix}@{one.tag.rpartition('}')[2]}")
        for one in node.attributes
    ]
    children = [_placed(child, prefix + _segment(child)) for child in node.children]
    return msgspec.structs.replace(
        node, path=path, attributes=tuple(attributes), children=tuple(children)
    )


def _segment(node: Element) -> str:
    return f"{node.local}[]" if node.repeated and node.tag != "*" else node.local
