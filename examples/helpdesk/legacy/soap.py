"""SOAP 1.1, document/literal: reading requests, writing replies and faults."""

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from typing import NamedTuple, NoReturn
from xml.parsers import expat

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
NAMESPACE = "urn:example:helpdesk"

_START = (
    f'<?xml version="1.0" encoding="utf-8"?>\n<soap:Envelope xmlns:soap="{ENVELOPE}"><soap:Body>'
)
_END = "</soap:Body></soap:Envelope>\n"
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
# Characters that XML 1.0 cannot carry at all, not even escaped.
_ILLEGAL = [*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF]
_TABLE = str.maketrans(_ESCAPES | {chr(point): "\ufffd" for point in _ILLEGAL})


class Fault(Exception):
    """A soap:Fault: `party` (Client or Server) is to blame, `code` says for what."""

    def __init__(self, party: str, code: str, message: str) -> None:
        super().__init__(message)
        self.party = party
        self.code = code
        self.message = message


class Call(NamedTuple):
    """A request: the operation and its fields, still text."""

    operation: str
    fields: dict[str, str]


def read(body: bytes, charset: str | None = None) -> Call:
    """Read a request envelope. `charset` is the one of the HTTP header, which comes first."""
    envelope = _parse(body, charset)
    if envelope.tag != f"{{{ENVELOPE}}}Envelope":
        raise Fault("Client", "MALFORMED", f"{envelope.tag[:80]!r} is not a SOAP 1.1 Envelope")
    for header in envelope.iterfind(f"{{{ENVELOPE}}}Header/*"):
        if header.get(f"{{{ENVELOPE}}}mustUnderstand") in ("1", "true"):
            raise Fault("Client", "BAD_INPUT", f"header {header.tag[:80]!r} is not understood")
    calls = envelope.findall(f"{{{ENVELOPE}}}Body/*")
    if len(calls) != 1:
        raise Fault("Client", "MALFORMED", f"expected one element in the Body, not {len(calls)}")
    operation = _local(calls[0].tag)
    if operation is None:
        raise Fault("Client", "UNKNOWN_OPERATION", f"{calls[0].tag[:80]!r} is not an operation")
    fields: dict[str, str] = {}
    for element in calls[0]:
        name = _local(element.tag)
        if name is None or name in fields or len(element):
            raise Fault("Client", "BAD_INPUT", f"{element.tag[:80]!r} is not expected here")
        fields[name] = element.text or ""
    return Call(operation, fields)


def write(element: str, fields: Mapping[str, object]) -> bytes:
    """Write the envelope of a reply. The same reply is always the same bytes."""
    return _envelope(f'<{element} xmlns="{NAMESPACE}">{_fields(fields.items())}</{element}>')


def write_fault(fault: Fault) -> bytes:
    """Write the envelope of a fault, with its typed detail."""
    detail = _fields([("code", fault.code), ("message", fault.message)])
    reason = fault.message.translate(_TABLE)
    return _envelope(
        f"<soap:Fault><faultcode>soap:{fault.party}</faultcode><faultstring>{reason}</faultstring>"
        f'<detail><HelpDeskFault xmlns="{NAMESPACE}">{detail}</HelpDeskFault></detail></soap:Fault>'
    )


def _fields(fields: Iterable[tuple[str, object]]) -> str:
    return "".join(f"<{name}>{str(value).translate(_TABLE)}</{name}>" for name, value in fields)


def _envelope(body: str) -> bytes:
    return f"{_START}{body}{_END}".encode()


def _local(tag: str) -> str | None:
    """The local name of an element of our namespace, None for any other."""
    namespace, _, name = tag.rpartition("}")
    return name if namespace == "{" + NAMESPACE else None


def _parse(body: bytes, charset: str | None) -> ET.Element:
    builder = ET.TreeBuilder()
    try:
        parser = expat.ParserCreate(charset, "}")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.StartElementHandler = lambda tag, attributes: builder.start(
            _qualified(tag), {_qualified(name): value for name, value in attributes.items()}
        )
        parser.EndElementHandler = lambda tag: builder.end(_qualified(tag))
        parser.CharacterDataHandler = builder.data
        parser.Parse(body, True)
        return builder.close()
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise Fault("Client", "MALFORMED", f"not well-formed XML: {error}") from error


def _qualified(tag: str) -> str:
    return "{" + tag if "}" in tag else tag


def _refuse_doctype(*_: object) -> NoReturn:
    raise Fault("Client", "MALFORMED", "a document type declaration is not accepted")
