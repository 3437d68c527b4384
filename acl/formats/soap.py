"""Kind ``soap``: messages in SOAP envelopes, drawn by the WSDL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from ...config import options
from ...errors import MappingError
from ...model import Record
from ..envelope import SOAP11, SOAP12, Envelope, charset_of, read
from ..xml.check import check_of
from ..xml.message import Message, with_leaves
from ..xml.node import Node
from ..xml.schema import load_schema
from ..xml.tree import message
from .shape import Sides, Stray, Values

__all__ = ["SoapShape", "soap"]

_SOAP12_MARK = SOAP12.encode()


class _From(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    schema: str
    element: str
    answer: str = ""
    validate: bool = False
    types: Mapping[str, str] = {}


def soap(table: Mapping[str, object], root: Path, place: str) -> Sides:
    """Build both messages from ``schema`` (a path in the workspace), ``element``, ``answer``."""
    wanted = options(_From, table, place)
    schema = load_schema(root / wanted.schema)
    check = check_of(schema) if wanted.validate else None

    def shape(name: str, key: str) -> SoapShape:
        where = f"{place}.{key}"
        tree = with_leaves(message(schema, name, where, wanted.types), where)
        return SoapShape(Message(tree, enveloped=True, check=check))

    request = shape(wanted.element, "element")
    reply = shape(wanted.answer, "answer") if wanted.answer else None
    return Sides(root=request.name, request=request, reply=reply)


class SoapShape:
    """A message whose element stands alone in the Body of a SOAP envelope."""

    def __init__(self, message: Message) -> None:
        self._message = message
        self.name = message.root.tag
        self.leaves = message.leaves
        self.describe = message.describe

    def read(self, record: Record) -> tuple[Values, Sequence[Stray]]:
        """Read the Body. Raises ``EnvelopeError``, and ``MappingError`` for another message."""
        charset = _charset(record)
        return self._message.read(
            record.body, charset, lambda: self._element(read(record.body, charset))
        )

    def places(self, record: Record) -> Mapping[str, str]:
        """Give the line of each element that holds a value, or could."""
        return self._message.places(self._element(_envelope(record)))

    def write(self, values: Values, original: Record) -> bytes:
        """Write an envelope in UTF-8, of the SOAP version of the request it answers."""
        space = SOAP11
        if _SOAP12_MARK in original.body and _envelope(original).version == "1.2":
            space = SOAP12
        return (
            f'<?xml version="1.0" encoding="utf-8"?>\n<soap:Envelope xmlns:soap="{space}">'
            f"<soap:Body>{self._message.write(values)}</soap:Body></soap:Envelope>\n"
        ).encode()

    def patch(self, changes: Values, original: Record) -> bytes:
        """Put the changes into the original's bytes."""
        if not changes:
            return original.body
        envelope = _envelope(original)
        encoding = _charset(original) or envelope.root.getroottree().docinfo.encoding or ""
        return self._message.patch(original.body, encoding, changes, self._element(envelope))

    def _element(self, envelope: Envelope) -> Node:
        element = envelope.body_child
        if element is None or envelope.child != self.name or len(envelope.body) != 1:
            raise self._another(envelope)
        return element

    def _another(self, envelope: Envelope) -> MappingError:
        if envelope.is_fault:
            code, string = envelope.fault_code[:80], envelope.fault_string[:200]
            return MappingError(
                f"legacy answered with a fault ({code}, {string})",
                place="soap:Body",
                value=envelope.child,
                expected=self.name,
            )
        several = len(envelope.body) > 1
        return MappingError(
            "the Body holds more than one element" if several else "the Body holds another message",
            place="soap:Body",
            value=envelope.child[:200] or "nothing",
            expected=self.name,
            remedy="mend 'element' and 'answer' of the mapping, or send the right message",
        )


def _charset(record: Record) -> str:
    return charset_of(record.header("content-type"))


def _envelope(record: Record) -> Envelope:
    return read(record.body, _charset(record))
