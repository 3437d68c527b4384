"""Kind ``xml``: messages that are one element, drawn by an XML Schema or by a list of leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from ...config import options
from ...errors import ConfigError, MappingError
from ...model import Record
from ..envelope import charset_of
from ..xml.check import check_of
from ..xml.leaves import tree_of
from ..xml.message import Message, with_leaves
from ..xml.node import Node
from ..xml.parse import parse
from ..xml.schema import load_schema
from ..xml.tree import message
from .shape import Sides, Stray, Values

__all__ = ["XmlShape", "xml"]


class _From(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    schema: str = ""
    element: str = ""
    answer: str = ""
    validate: bool = False
    types: Mapping[str, str] = {}
    root: str = ""
    leaves: tuple[str, ...] = ()
    answer_root: str = ""
    answer_leaves: tuple[str, ...] = ()


def xml(table: Mapping[str, object], root: Path, place: str) -> Sides:
    """Build both messages, from ``schema``, ``element`` and ``answer``; or from ``leaves``.

    Without a schema, ``root`` names the element and ``leaves`` all that counts in it;
    ``answer_root`` and ``answer_leaves`` do so for the answer.
    """
    wanted = options(_From, table, place)
    request, reply = (_drawn if wanted.schema else _listed)(wanted, root, place)
    return Sides(root=request.name, request=request, reply=reply)


def _drawn(wanted: _From, root: Path, place: str) -> tuple[XmlShape, XmlShape | None]:
    listed = wanted.root or wanted.leaves or wanted.answer_root or wanted.answer_leaves
    if listed:
        expected = "element and answer with a schema; root and leaves without"
        raise ConfigError("both a schema and leaves", place=place, expected=expected)
    schema = load_schema(root / wanted.schema)
    check = check_of(schema) if wanted.validate else None

    def shape(name: str, key: str) -> XmlShape:
        where = f"{place}.{key}"
        tree = with_leaves(message(schema, name, where, wanted.types), where)
        return XmlShape(Message(tree, enveloped=False, check=check))

    reply = shape(wanted.answer, "answer") if wanted.answer else None
    return shape(wanted.element, "element"), reply


def _listed(wanted: _From, root: Path, place: str) -> tuple[XmlShape, XmlShape | None]:
    del root
    for key in ("element", "answer", "validate", "types"):
        if getattr(wanted, key):
            expected = "schema = a file of the workspace, or root and leaves instead"
            raise ConfigError("needs a schema", place=f"{place}.{key}", expected=expected)

    def shape(name: str, leaves: Sequence[str], where: str) -> XmlShape:
        return XmlShape(Message(tree_of(name, leaves, where), enveloped=False))

    request = shape(wanted.root, wanted.leaves, place)
    if not (wanted.answer_root or wanted.answer_leaves):
        return request, None
    return request, shape(wanted.answer_root, wanted.answer_leaves, f"{place}.answer")


class XmlShape:
    """A message that is the document's own element."""

    def __init__(self, message: Message) -> None:
        self._message = message
        self.name = message.root.tag
        self.leaves = message.leaves
        self.describe = message.describe

    def read(self, record: Record) -> tuple[Values, Sequence[Stray]]:
        """Read the document. Raises ``EnvelopeError``, and ``MappingError`` for another element."""
        charset = charset_of(record.header("content-type"))
        return self._message.read(record.body, charset, lambda: self._element(record))

    def places(self, record: Record) -> Mapping[str, str]:
        """Give the line of each element that holds a value, or could."""
        return self._message.places(self._element(record))

    def write(self, values: Values, original: Record) -> bytes:
        """Write a document in UTF-8."""
        del original
        written = self._message.write(values)
        return f'<?xml version="1.0" encoding="utf-8"?>\n{written}\n'.encode()

    def patch(self, changes: Values, original: Record) -> bytes:
        """Put the changes into the original's bytes."""
        if not changes:
            return original.body
        element = self._element(original)
        encoding = charset_of(original.header("content-type"))
        encoding = encoding or element.getroottree().docinfo.encoding or ""
        return self._message.patch(original.body, encoding, changes, element)

    def _element(self, record: Record) -> Node:
        charset = charset_of(record.header("content-type"))
        element = parse(record.body, charset, f"send one element {self.name}")
        if element.tag != self.name:
            raise MappingError(
                "the document is another message",
                place="root element",
                value=str(element.tag)[:200],
                expected=self.name,
                remedy="mend 'element', 'root' or 'answer' of the mapping, or send the right one",
            )
        return element
