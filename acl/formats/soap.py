"""Kind ``soap``: document/literal messages, drawn by the WSDL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from ...config import options
from ...errors import ConfigError, MappingError
from ...model import Record
from ..envelope import SOAP11, SOAP12, Envelope, charset_of, read
from ..xml.element import Element
from ..xml.node import Node, at_line
from ..xml.patch import patch
from ..xml.reader import reader
from ..xml.schema import load_schema
from ..xml.tree import message
from ..xml.writer import writer
from .shape import Leaf, Sides, Stray, Values

__all__ = ["SoapShape", "soap"]

_SOAP12_MARK = SOAP12.encode()


class _From(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    schema: str
    element: str
    answer: str = ""


def soap(table: Mapping[str, object], root: Path, place: str) -> Sides:
    """Build both messages from ``schema`` (a path in the workspace), ``element``, ``answer``."""
    wanted = options(_From, table, place)
    schema = load_schema(root / wanted.schema)
    request = message(schema, wanted.element, f"{place}.element")
    _has_leaves(request, f"{place}.element")
    reply: SoapShape | None = None
    if wanted.answer:
        reply = SoapShape(message(schema, wanted.answer, f"{place}.answer"))
    return Sides(root=request.tag, request=SoapShape(request), reply=reply)


class SoapShape:
    """A message whose element stands alone in the Body of a SOAP envelope."""

    def __init__(self, root: Element) -> None:
        self._root = root
        self._read = reader(root)
        self._write = writer(root)
        self.name = root.tag
        self.leaves = _leaves(root)

    def describe(self) -> bytes:
        """Give the tree as bytes; where it stands in its file does not count."""
        tree = [msgspec.structs.replace(n, children=(), line=0) for n in self._root.walk()]
        for place, node in enumerate(tree):
            attributes = tuple(msgspec.structs.replace(a, line=0) for a in node.attributes)
            tree[place] = msgspec.structs.replace(node, attributes=attributes)
        return msgspec.json.encode(tree, order="deterministic")

    def read(self, record: Record) -> tuple[Values, Sequence[Stray]]:
        """Read the Body. Raises ``EnvelopeError``, and ``MappingError`` for another message."""
        element = self._element(_envelope(record))
        values: dict[str, str | None] = {}
        strays: list[Stray] = []
        self._read(element, values, strays)
        return values, strays

    def places(self, record: Record) -> Mapping[str, str]:
        """Give the line of each element that holds a value, or could."""
        found: dict[str, str] = {}
        _places(self._root, self._element(_envelope(record)), found)
        return found

    def write(self, values: Values, original: Record) -> bytes:
        """Write an envelope in UTF-8, of the SOAP version of the request it answers."""
        space = SOAP11
        if _SOAP12_MARK in original.body and _envelope(original).version == "1.2":
            space = SOAP12
        return (
            f'<?xml version="1.0" encoding="utf-8"?>\n<soap:Envelope xmlns:soap="{space}">'
            f"<soap:Body>{self._write(values)}</soap:Body></soap:Envelope>\n"
        ).encode()

    def patch(self, changes: Values, original: Record) -> bytes:
        """Put the changes into the original's bytes."""
        if not changes:
            return original.body
        encoding = _charset(original)
        if not encoding:
            encoding = _envelope(original).root.getroottree().docinfo.encoding or ""
        return patch(original.body, encoding, self._root, changes)

    def _element(self, envelope: Envelope) -> Node:
        element = envelope.body_child
        if element is None or envelope.child != self._root.tag or len(envelope.body) != 1:
            raise self._another(envelope)
        return element

    def _another(self, envelope: Envelope) -> MappingError:
        if envelope.is_fault:
            code, string = envelope.fault_code[:80], envelope.fault_string[:200]
            return MappingError(
                f"legacy answered with a fault ({code}, {string})",
                place="soap:Body",
                value=envelope.child,
                expected=self._root.tag,
            )
        several = len(envelope.body) > 1
        return MappingError(
            "the Body holds more than one element" if several else "the Body holds another message",
            place="soap:Body",
            value=envelope.child[:200] or "nothing",
            expected=self._root.tag,
            remedy="mend 'element' and 'answer' of the mapping, or send the right message",
        )


def _charset(record: Record) -> str:
    return charset_of(record.header("content-type"))


def _envelope(record: Record) -> Envelope:
    return read(record.body, _charset(record))


def _has_leaves(root: Element, place: str) -> None:
    if root.opaque or root.text:
        why = root.opaque or "a plain value"
        expected = "an element with elements inside (document/literal)"
        raise ConfigError(
            f"cannot be mapped: {why}", place=place, value=root.tag, expected=expected
        )


def _leaves(root: Element) -> tuple[Leaf, ...]:
    found: list[Leaf] = []
    _collect(root, found, required=True, repeated=False)
    return tuple(found)


def _collect(node: Element, found: list[Leaf], *, required: bool, repeated: bool) -> None:
    why = node.opaque or ("a repeated element: rows hold one value" if repeated else "")
    found += [
        Leaf(path=one.path, required=required and one.required, opaque=why, line=one.line)
        for one in node.attributes
    ]
    if node.text or node.opaque:
        found.append(
            Leaf(
                path=node.path,
                required=required,
                nullable=node.nillable,
                opaque=why,
                line=node.line,
            )
        )
        return
    for child in node.children:
        _collect(
            child,
            found,
            required=required and child.required,
            repeated=repeated or child.repeated,
        )


def _places(node: Element, element: Node, found: dict[str, str]) -> None:
    found[node.path] = at_line(element)
    for one in node.attributes:
        found[one.path] = at_line(element)
    known = {child.tag: child for child in node.children}
    for child in element:
        plan = known.get(str(child.tag))
        if plan is not None:
            _places(plan, child, found)
