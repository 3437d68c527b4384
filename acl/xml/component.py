"""The components of a schema: its global elements, types, groups and attributes."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from ...errors import ConfigError
from .node import Node, line_of

__all__ = ["XS", "Component", "Document", "Schema"]

XS: Final = "{http://www.w3.org/2001/XMLSchema}"
_NAME: Final = re.compile(r"[^\W\d][\w.-]*")
# Prefixes that need no declaration; a name without a prefix may have no namespace.
_PREFIXES: Final = {"": "", "xml": "http://www.w3.org/XML/1998/namespace"}
_MOST_NAMED: Final = 40


class Component(NamedTuple):
    """A node of a schema, with the namespace and defaults of the schema that it stands in."""

    node: Node
    namespace: str
    qualified: bool
    qualified_attributes: bool
    file: str

    def inner(self, node: Node) -> Component:
        """Give a node inside this one, with the same surroundings."""
        return self._replace(node=node)

    @property
    def name(self) -> str:
        """Give the node's name. Raises ``ConfigError`` where XML could not write it."""
        name = self.node.get("name", "")
        if _NAME.fullmatch(name) is None:
            expected = "letters, digits, '.', '-' and '_'"
            raise ConfigError("not a name", place=self.place, value=name, expected=expected)
        return name

    @property
    def line(self) -> int:
        """Give the line of the node in its file."""
        return line_of(self.node)

    @property
    def place(self) -> str:
        """Name file and line, for an error."""
        return f"{self.file}: line {self.line}"

    def resolve(self, name: str) -> str:
        """Turn a prefixed name of this node into ``{namespace}local``."""
        prefix, _, local = name.strip().rpartition(":")
        namespace = self.node.nsmap.get(prefix or None, _PREFIXES.get(prefix))
        if namespace is None:
            raise ConfigError(
                "a prefix that nobody declares",
                place=self.place,
                value=name,
                expected="a prefix with its xmlns",
            )
        return f"{{{namespace}}}{local}" if namespace else local


class Document(NamedTuple):
    """One ``xs:schema`` as it was read, and the namespace that it has where it was included."""

    node: Node
    namespace: str
    file: str


class Schema:
    """All global components, by kind and ``{namespace}local``, and the documents they stand in."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.documents: list[Document] = []
        self._components: dict[tuple[str, str], Component] = {}
        self._members: dict[str, list[Component]] = {}

    def add(self, kind: str, name: str, component: Component) -> None:
        """Take a component in; the first of a name stays."""
        if self._components.setdefault((kind, name), component) is not component:
            return
        head = component.node.get("substitutionGroup") if kind == "element" else None
        if head is not None:
            self._members.setdefault(component.resolve(head), []).append(component)

    def has(self, kind: str, name: str) -> bool:
        """Say whether there is a component of that kind and name."""
        return (kind, name) in self._components

    def find(self, kind: str, name: str, place: str) -> Component:
        """Give a component. Raises ``ConfigError`` with the names that are near."""
        found = self._components.get((kind, name))
        if found is None:
            names = self.names(kind)
            more = f", and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
            listed = ", ".join(names[:_MOST_NAMED]) + more
            raise ConfigError(
                f"the schema has no {kind} of that name",
                place=place,
                value=name,
                expected="one of " + (listed or "none: it has no such thing"),
                remedy="mend the name; it is written {namespace}local",
            )
        return found

    def names(self, kind: str) -> list[str]:
        """Give the names of all components of a kind, in the order of the files."""
        return [name for other, name in self._components if other == kind]

    def substitutes(self, name: str) -> list[Component]:
        """Give the elements that may stand in place of one (its substitution group), each once."""
        found: dict[str, Component] = {}
        heads = [name]
        while heads:
            for member in self._members.get(heads.pop(), ()):
                space = f"{{{member.namespace}}}" if member.namespace else ""
                full = f"{space}{member.name}"
                if full not in found and full != name:
                    found[full] = member
                    heads.append(full)
        return list(found.values())
