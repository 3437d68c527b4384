"""The XML Schema of a service: the inline schemas of its WSDL and what they include."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from lxml import etree

from ...errors import ConfigError
from .component import XS, Component, Document, Schema
from .node import Node, line_of
from .rpc import wrappers

__all__ = ["load_schema"]

_WSDL: Final = "{http://schemas.xmlsoap.org/wsdl/}"
_KINDS: Final = ("element", "complexType", "simpleType", "group", "attributeGroup", "attribute")
_MOST_FILES: Final = 100
_XML: Final = "http://www.w3.org/XML/1998/namespace"
# What https://www.w3.org/2001/xml.xsd declares: everybody imports it, and nothing is fetched.
_XML_SCHEMA: Final = f"""
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{_XML}">
<xs:attribute name="lang" type="xs:string"/>
<xs:attribute name="space"><xs:simpleType><xs:restriction base="xs:NCName">
<xs:enumeration value="default"/><xs:enumeration value="preserve"/>
</xs:restriction></xs:simpleType></xs:attribute>
<xs:attribute name="base" type="xs:anyURI"/>
<xs:attribute name="id" type="xs:ID"/>
<xs:attributeGroup name="specialAttrs"><xs:attribute ref="xml:base"/><xs:attribute ref="xml:lang"/>
<xs:attribute ref="xml:space"/><xs:attribute ref="xml:id"/></xs:attributeGroup>
</xs:schema>"""


def load_schema(file: Path) -> Schema:
    """Read a WSDL or an XSD with all that it imports from files beside it. Never from a network.

    Raises ``ConfigError`` with file and line.
    """
    schema = Schema(file.name)
    _Files(schema).load_all(file)
    return schema


class _Files:
    """The files that were read, so that a circle of includes ends."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._seen: set[tuple[Path, str]] = set()
        self._taken: set[tuple[Path, str]] = set()
        self._services: list[Node] = []

    def load_all(self, file: Path) -> None:
        self.load(file, "")
        # Only now is every part of an rpc message known, in whichever file it stands.
        for node, namespace in wrappers(self._services):
            self._take(node, file, namespace)

    def load(self, file: Path, namespace: str) -> None:
        try:
            path = file.resolve()
        except ValueError:
            expected = "the path of a WSDL"
            raise ConfigError(
                "no file can have that name", place=repr(str(file))[:300], expected=expected
            ) from None
        if (path, namespace) in self._seen:
            return
        self._seen.add((path, namespace))
        if len(self._seen) > _MOST_FILES:
            raise ConfigError("too many files", place=str(file), expected=f"at most {_MOST_FILES}")
        root = _parse(file)
        if root.tag == f"{XS}schema":
            own = (path, root.get("targetNamespace") or namespace)
            if own not in self._taken:
                self._taken.add(own)
                self._take(root, file, namespace)
            return
        self._services.append(root)
        for node in root.iterfind(f"{_WSDL}types/{XS}schema"):
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
        self._schema.documents.append(Document(node, namespace, file.name))
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
                if kind == "import" and child.get("namespace") == _XML:
                    self._take_xml()
                    continue
                self._follow(child, child.get("schemaLocation"), file, inner)
            elif kind in ("redefine", "override"):
                expected = "xs:include or xs:import"
                place = f"{file.name}: line {line_of(child)}"
                raise ConfigError(f"xs:{kind} is not read", place=place, expected=expected)
            elif kind in _KINDS and name:
                full = f"{{{namespace}}}{name}" if namespace else name
                self._schema.add(kind, full, surroundings.inner(child))

    def _take_xml(self) -> None:
        known = (Path("xml.xsd"), _XML)
        if known not in self._seen:
            self._seen.add(known)
            self._take(etree.fromstring(_XML_SCHEMA), known[0], _XML)

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
