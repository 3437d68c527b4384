"""The SOAP envelope around a message, read without trusting it."""

from __future__ import annotations

import re
from typing import Final, Literal

from ..errors import EnvelopeError
from .xml.node import Node
from .xml.parse import parse, shortened

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
    root = parse(body, charset, _REMEDY)
    found = _VERSIONS.get(root.tag)
    if found is None:
        raise EnvelopeError(
            "not a SOAP envelope",
            place="root element",
            value=shortened(str(root.tag)),
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
