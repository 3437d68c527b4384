"""The XML Schema of a service: the inline schemas of its WSDL and what they include."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

from lxml import etree

from ...errors import ConfigError
from .node import Node, line_of

__all__ = ["XS", "Component", "Schema", "load_schema"]

XS: Final = "{http://www.w3.org/2001/XMLSchema}"
_WSDL: Final = "{http://schemas.xmlsoap.org/wsdl/}"
_KINDS: Final = ("element", "complexType", "simpleType", "group", "attributeGroup", "attribute")
_MOST_FILES: Final = 100
_NAME: Final = re.compile(r"[^\W\d][\w.-]*")


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
        namespace = self.node.nsmap.get(prefix or None, None if prefix else "")
        if namespace is None:
            raise ConfigError(
                "a prefix that nobody declares",
                place=self.place,
                value=name,
                expected="a prefix with its xmlns",
            )
        return f"{{{namespace}}}{local}" if namespace else local


class Schema:
    """All global components, by kind and ``{namespace}local``."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._components: dict[tuple[str, str], Component] = {}

    def add(self, kind: str, name: str, component: Component) -> None:
        """Take a component in; the first of a name stays."""
        self._components.setdefault((kind, name), component)

    def find(self, kind: str, name: str, place: str) -> Component:
        """Give a component. Raises ``ConfigError`` with the names that are near."""
        found = self._components.get((kind, name))
        if found is None:
            raise ConfigError(
                f"the schema has no {kind} of that name",
                place=place,
                value=name,
                expected="one of " + (", ".join(self.names(kind)) or "none: it has no such thing"),
                remedy="mend the name; it is written {namespace}local",
            )
        return found

    def names(self, kind: str) -> list[str]:
        """Give the names of all components of a kind, in the order of the files."""
        return [name for other, name in self._components if other == kind]


def load_schema(file: Path) -> Schema:
    """Read a WSDL or an XSD with all that it imports from files beside it. Never from a network.

    Raises ``ConfigError`` with file and line.
    """
    schema = Schema(file.name)
    _Files(schema).load(file, "")
    return schema


class _Files:
    """The files that were read, so that a circle of includes ends."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._seen: set[tuple[Path, str]] = set()

    def load(self, file: Path, namespace: str) -> None:
        path = file.resolve()
        if (path, namespace) in self._seen:
            return
        self._seen.add((path, namespace))
        if len(self._seen) > _MOST_FILES:
            raise ConfigError("too many files", place=str(file), expected=f"at most {_MOST_FILES}")
        root = _parse(file)
        inline = root.iterfind(f"{_WSDL}types/{XS}schema")
        for node in [root] if root.tag == f"{XS}schema" else inline:
            self._take(node, file, namespace)
        for node in root.iterfind(f"{_WSDL}import"):
            self._follow(node, node.get("location"), file, "")

    def _take(self, node: Node, file: Path, outer: str) -> None:
        # A schema without a namespace takes that of the schema which includes it.
        namespace = node.get("targetNamespace") or outer
        if "{" in namespace or "}" in namespace:
            place = f"{file.name}: line {line_of(node)}"
            raise ConfigError(
                "not a namespace", place=place, value=namespace, expected="a URI, without braces"
            )
        surroundings = Component(
            node=node,
            namespace=namespace,
            qualified=node.get("elementFormDefault") == "qualified",
            qualified_attributes=node.get("attributeFormDefault") == "qualified",
            file=file.name,
        )
        for child in node:
            kind = str(child.tag).removeprefix(XS)
            name = child.get("name")
            if kind in ("include", "import"):
                inner = namespace if kind == "include" else ""
                self._follow(child, child.get("schemaLocation"), file, inner)
            elif kind in ("redefine", "override"):
                expected = "xs:include or xs:import"
                place = f"{file.name}: line {line_of(child)}"
                raise ConfigError(f"xs:{kind} is not read", place=place, expected=expected)
            elif kind in _KINDS and name:
                full = f"{{{namespace}}}{name}" if namespace else name
                self._schema.add(kind, full, surroundings.inner(child))

    def _follow(self, node: Node, location: str | None, file: Path, namespace: str) -> None:
        if location is None:
            return
        if "://" in location:
            raise ConfigError(
                "a schema that lies elsewhere",
                place=f"{file.name}: line {line_of(node)}",
                value=location,
                expected="a file beside this one: nothing is fetched",
                remedy="save it beside the WSDL and mend the location",
            )
        self.load(file.parent / location, namespace)


def _parse(file: Path) -> Node:
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(file.read_bytes(), parser)
    except OSError as error:
        remedy = "mend the path: it is relative to the workspace"
        raise ConfigError(
            f"cannot be read: {error.strerror}", place=str(file), expected="a WSDL", remedy=remedy
        ) from error
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ConfigError(
            f"not well-formed XML: {error}", place=file.name, expected="a WSDL or an XML Schema"
        ) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise ConfigError("a doctype is not allowed", place=file.name, expected="no <!DOCTYPE")
    if root.tag not in (f"{XS}schema", f"{_WSDL}definitions"):
        expected = "a WSDL 1.1 or an XML Schema"
        raise ConfigError(
            "neither", place=f"{file.name}: root", value=str(root.tag), expected=expected
        )
    return root
