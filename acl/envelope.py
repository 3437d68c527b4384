"""The SOAP envelope around a message, read without trusting it."""

from __future__ import annotations

import re
import threading
from typing import Final, Literal

from lxml import etree

from ..errors import EnvelopeError
from .xml.node import Node

__all__ = ["SOAP11", "SOAP12", "Envelope", "charset_of", "read"]

SOAP11: Final = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12: Final = "http://www.w3.org/2003/05/soap-envelope"

_VERSIONS: Final[dict[str, tuple[Literal["1.1", "1.2"], str]]] = {
    f"{{{SOAP11}}}Envelope": ("1.1", SOAP11),
    f"{{{SOAP12}}}Envelope": ("1.2", SOAP12),
}
_REMEDY: Final = "send one SOAP 1.1 envelope in well-formed XML"


class Envelope:
    """A message that was read: ``root`` is its Envelope, ``body`` its Body element.

    ``body_child`` is the first element in the Body (None where there is none), ``child`` its name
    as ``{namespace}local`` ("" where there is none). Comments and processing instructions are gone.
    Read only: whoever writes, writes bytes.
    """

    __slots__ = ("body", "body_child", "child", "namespace", "root", "version")

    def __init__(self, root: Node, body: Node, version: Literal["1.1", "1.2"], ns: str) -> None:
        self.root = root
        self.body = body
        self.version = version
        self.namespace = ns
        self.body_child: Node | None = body[0] if len(body) else None
        self.child: str = "" if self.body_child is None else str(self.body_child.tag)

    @property
    def is_fault(self) -> bool:
        """Say whether the Body holds a Fault."""
        return self.child == f"{{{self.namespace}}}Fault"

    @property
    def fault_code(self) -> str:
        """Give the fault's code as it is written, such as ``soap:Client``; "" without a fault."""
        return self._of_fault("faultcode", "Code", "Value")

    @property
    def fault_string(self) -> str:
        """Give the fault's text; "" without a fault."""
        return self._of_fault("faultstring", "Reason", "Text")

    @property
    def must_understand(self) -> tuple[str, ...]:
        """Name the header blocks that a receiver must refuse where it does not know them."""
        flag = f"{{{self.namespace}}}mustUnderstand"
        head = self.root.find(f"{{{self.namespace}}}Header")
        blocks = () if head is None else head
        return tuple(str(b.tag) for b in blocks if (b.get(flag) or "").strip() in ("1", "true"))

    def _of_fault(self, simple: str, group: str, part: str) -> str:
        if self.body_child is None or not self.is_fault:
            return ""
        ns = self.namespace
        path = simple if self.version == "1.1" else f"{{{ns}}}{group}/{{{ns}}}{part}"
        return (self.body_child.findtext(path) or "").strip()


def read(body: bytes, charset: str = "") -> Envelope:
    """Read an envelope. Called by facades, callers and mappings, once or twice a message.

    ``charset`` is the one of the HTTP header, which comes before the XML declaration (RFC 7303);
    "" leaves it to the document. Entities, doctypes, network, nesting of more than 256 elements and
    texts of more than 10 MB are refused. Raises ``EnvelopeError``.
    """
    root = _parse(body, charset)
    found = _VERSIONS.get(root.tag)
    if found is None:
        raise EnvelopeError(
            "not a SOAP envelope",
            place="root element",
            value=_short(str(root.tag)),
            expected=f"{{{SOAP11}}}Envelope",
            remedy=_REMEDY,
        )
    version, ns = found
    wanted = f"{{{ns}}}Body"
    for element in root:
        if element.tag == wanted:
            return Envelope(root, element, version, ns)
    raise EnvelopeError(
        "the envelope has no Body", place="soap:Envelope", expected="a soap:Body", remedy=_REMEDY
    )


_CHARSET: Final = re.compile(r""";\s*charset\s*=\s*"?([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)


def charset_of(content_type: str | None) -> str:
    """Give the charset of a Content-Type header, lower case; "" where it names none."""
    found = _CHARSET.search(content_type) if content_type else None
    return found[1].lower() if found else ""


class _Parsers(threading.local):
    """One parser a thread and charset: making one costs more than a small parse."""

    def __init__(self) -> None:
        self.by_charset: dict[str, etree.XMLParser] = {}

    def get(self, charset: str) -> etree.XMLParser:
        parser = self.by_charset.get(charset)
        if parser is None:
            parser = self.by_charset[charset] = etree.XMLParser(
                encoding=charset or None,
                resolve_entities=False,
                load_dtd=False,
                dtd_validation=False,
                attribute_defaults=False,
                no_network=True,
                huge_tree=False,
                remove_comments=True,
                remove_pis=True,
                recover=False,
            )
        return parser


_parsers: Final = _Parsers()


def _parse(body: bytes, charset: str) -> Node:
    try:
        parser = _parsers.get(charset)
    except LookupError:
        expected = "a charset that is known here, such as utf-8"
        raise EnvelopeError(
            "unknown charset", place="Content-Type", value=charset, expected=expected
        ) from None
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _malformed(error) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise EnvelopeError(
            "a document type declaration is not allowed",
            place="prolog",
            value="<!DOCTYPE",
            expected="no <!DOCTYPE and no entities of one's own",
            remedy="take the declaration out",
        )
    return root


def _malformed(error: Exception) -> EnvelopeError:
    line = getattr(error, "lineno", None)
    # libxml2 adds the bytes it stumbled over in further lines: they may be anybody's data.
    message = (str(error).splitlines() or ["no document"])[0]
    return EnvelopeError(
        f"not well-formed XML: {_short(message)}",
        place=f"line {line}" if line else "document",
        expected="well-formed XML without entities, at most 256 elements deep",
        remedy=_REMEDY,
    )


def _short(text: str) -> str:
    return text if len(text) <= 160 else text[:160] + "…"
