"""Elements of rpc/literal messages, which a WSDL describes by parts and not in a schema."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from xml.sax.saxutils import quoteattr

from lxml import etree

from .node import Node

__all__ = ["wrappers"]

_WSDL: Final = "{http://schemas.xmlsoap.org/wsdl/}"
_SOAP: Final = (
    "{http://schemas.xmlsoap.org/wsdl/soap/}",
    "{http://schemas.xmlsoap.org/wsdl/soap12/}",
)
_XS: Final = "http://www.w3.org/2001/XMLSchema"


def wrappers(services: Sequence[Node]) -> Iterator[tuple[Node, str]]:
    """Give schemas with the wrapper elements of all rpc/literal operations, with their namespaces.

    By WS-I Basic Profile 1.1 (R2735, R2729) the wrapper is named for the operation, that of the
    answer ends with ``Response``, and the parts inside have no namespace.
    """
    messages = _named(services, "message")
    ports = _named(services, "portType")
    by_space: dict[str, dict[str, str]] = {}
    for service in services:
        for binding in service.iterfind(f"{_WSDL}binding"):
            port = ports.get(_resolved(binding, binding.get("type", "")))
            rpc = _style(binding, "binding") == "rpc"
            for operation in binding.iterfind(f"{_WSDL}operation"):
                if port is not None and _style(operation, "operation", rpc=rpc) == "rpc":
                    for space, name, element in _wrapped(operation, port, messages):
                        by_space.setdefault(space, {}).setdefault(name, element)
    for space, elements in by_space.items():
        target = f" targetNamespace={quoteattr(space)}" if space else ""
        text = "".join(elements.values())
        yield etree.fromstring(f'<xs:schema xmlns:xs="{_XS}"{target}>{text}</xs:schema>'), space


def _named(services: Sequence[Node], kind: str) -> dict[str, Node]:
    return {
        f"{{{service.get('targetNamespace', '')}}}{node.get('name')}": node
        for service in services
        for node in service.iterfind(f"{_WSDL}{kind}")
    }


def _resolved(node: Node, name: str) -> str:
    prefix, _, local = name.strip().rpartition(":")
    return f"{{{node.nsmap.get(prefix or None) or ''}}}{local}"


def _style(node: Node, kind: str, *, rpc: bool = False) -> str:
    found = [node.find(f"{space}{kind}") for space in _SOAP]
    said = [one.get("style") for one in found if one is not None]
    return next((style for style in said if style), "rpc" if rpc else "document")


def _wrapped(
    operation: Node, port: Node, messages: dict[str, Node]
) -> Iterator[tuple[str, str, str]]:
    name = operation.get("name", "")
    described = next((o for o in port.iterfind(f"{_WSDL}operation") if o.get("name") == name), None)
    for way, suffix in (("input", ""), ("output", "Response")):
        bound = operation.find(f"{_WSDL}{way}")
        said = None if described is None else described.find(f"{_WSDL}{way}")
        if bound is None or said is None:
            continue
        bodies = [body for space in _SOAP for body in bound.iterfind(f"{space}body")]
        message = messages.get(_resolved(said, said.get("message", "")))
        if message is not None and bodies and bodies[0].get("use", "literal") == "literal":
            parts = "".join(_part(part) for part in message.iterfind(f"{_WSDL}part"))
            element = (
                f"<xs:element name={quoteattr(name + suffix)}><xs:complexType><xs:sequence>"
                f"{parts}</xs:sequence></xs:complexType></xs:element>"
            )
            yield bodies[0].get("namespace", ""), name + suffix, element


def _part(part: Node) -> str:
    space, _, local = _resolved(part, part.get("type", ""))[1:].rpartition("}")
    return (
        f"<xs:element name={quoteattr(part.get('name', ''))} type={quoteattr(f'p:{local}')}"
        f' form="unqualified" xmlns:p={quoteattr(space or "urn:none")}/>'
    )
