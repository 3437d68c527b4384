"""One message of a schema at work: its leaves, and reading, writing and patching it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from ...errors import ConfigError
from ..formats.shape import Leaf, Stray, Values
from .check import Check
from .element import TEXT, Element
from .node import Node, at_line
from .patch import Patcher
from .quick import Quick
from .reader import Found, reader
from .writer import writer

__all__ = ["Message", "with_leaves"]

_UTF8: Final = ("", "utf-8")


class Message:
    """An element and all in it, compiled. Made once for each side of a mapping.

    ``check`` is the compiled XML Schema that every message must fit, None where nobody asked.
    """

    def __init__(self, root: Element, *, enveloped: bool, check: Check | None = None) -> None:
        self.root = root
        self.leaves = _leaves(root)
        self.write = writer(root)
        self._read = reader(root)
        self._patcher = Patcher(root, enveloped=enveloped)
        self._check = check
        self._quick = Quick(root, enveloped=enveloped)

    def describe(self) -> bytes:
        """Give the tree as bytes; where it stands in its file does not count."""
        tree = [msgspec.structs.replace(n, children=(), line=0) for n in self.root.walk()]
        for place, node in enumerate(tree):
            attributes = tuple(msgspec.structs.replace(a, line=0) for a in node.attributes)
            tree[place] = msgspec.structs.replace(node, attributes=attributes)
        said = msgspec.json.encode(tree, order="deterministic")
        return said if self._check is None else said + self._check.digest

    def read(
        self, body: bytes, charset: str, element: Callable[[], Node]
    ) -> tuple[Values, Sequence[Stray]]:
        """Give the values of a document, and what has no place in it.

        ``charset`` is that of the transport or ""; ``element`` parses the document and gives the
        message's element: it is called where the document does not come as it usually does.
        """
        plain = charset in _UTF8
        lifted = self._quick.lift(body, charset) if plain else None
        if lifted is not None and self._check is None:
            return lifted, ()
        node = element()
        strays = [] if self._check is None else self._check.problems(node)
        if plain and not strays:
            if lifted is None and (node.getroottree().docinfo.encoding or "").lower() in _UTF8:
                lifted = self._quick.read(body, node, charset)
            if lifted is not None:
                return lifted, ()
        values: Found = {}
        self._read(node, values, strays)
        return values, strays

    def places(self, element: Node) -> Mapping[str, str]:
        """Give the line of each value, and of the elements around, by paths with indices."""
        found: dict[str, str] = {}
        _places(self.root, element, "", found)
        return found

    def patch(self, body: bytes, encoding: str, changes: Values, element: Node) -> bytes:
        """Put changes into the document that the element is of. Raises ``ValueError``."""

        def held() -> Values:
            values: Found = {}
            self._read(element, values, [])
            return values

        return self._patcher.patch(body, encoding, changes, held)


def with_leaves(root: Element, place: str) -> Element:
    """Give the tree back. Raises ``ConfigError`` where nobody could look into it."""
    if root.opaque or root.text:
        why = root.opaque or "a plain value"
        expected = "an element with elements inside (document/literal)"
        raise ConfigError(
            f"cannot be mapped: {why}", place=place, value=root.tag, expected=expected
        )
    return root


def _leaves(root: Element) -> tuple[Leaf, ...]:
    found: list[Leaf] = []
    _collect(root, found, required=True)
    return tuple(found)


def _collect(node: Element, found: list[Leaf], *, required: bool) -> None:
    """Collect the leaves of an element. What an entry of a list needs, it needs in itself."""
    found += [
        Leaf(
            path=one.path,
            required=required and one.required and not one.fixed,
            opaque=node.opaque,
            line=one.line,
        )
        for one in node.attributes
    ]
    if node.text or node.opaque:
        found.append(
            Leaf(
                path=node.value if node.text else node.path,
                required=required and not node.fixed,
                nullable=node.nillable,
                opaque=node.opaque,
                line=node.line,
            )
        )
        return
    for child in node.children:
        _collect(child, found, required=(required and child.required) or child.repeated)


def _places(node: Element, element: Node, path: str, found: dict[str, str]) -> None:
    """Note the line of an element, of its attributes and of all in it; ``path`` has indices."""
    at = at_line(element)
    text = f"{path}.{TEXT}" if node.value != node.path else path
    found.setdefault(text, at)
    for one in node.attributes:
        found.setdefault(f"{path}{one.path[len(node.path) :]}", at)
    known = {child.tag: child for child in node.children if not child.opaque}
    counts: dict[str, int] = {}
    for child in element if known else ():
        tag = str(child.tag)
        inner = known.get(tag)
        if inner is not None:
            name = inner.path[len(node.path) :]
            if inner.repeated:
                name = f"{name[:-1]}{counts.get(tag, 0)}]"
                counts[tag] = counts.get(tag, 0) + 1
            _places(inner, child, f"{path}{name}", found)
