"""A legacy service's WSDL: which actions its operations have, and itself with another address."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from urllib.parse import urlsplit
from xml.parsers import expat
from xml.sax.saxutils import escape

from lxml import etree

from ..errors import FigError, LegacyError
from ..telemetry import log

__all__ = ["PublishedWsdl", "Wsdl"]

WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
SOAP = ("http://schemas.xmlsoap.org/wsdl/soap/", "http://schemas.xmlsoap.org/wsdl/soap12/")

_LOCATION = re.compile(r"""(\slocation\s*=\s*)("[^"]*"|'[^']*')""")


class Wsdl:
    """A WSDL 1.1 document as it came. Raises ``LegacyError`` where it is not one.

    ``actions`` gives the SOAPAction of each operation by the QName of its Body child (for an RPC
    binding the wrapper's); operations without an action stand there with an empty one.
    """

    def __init__(self, document: bytes) -> None:
        self.document = document
        root = _parse(document)
        self.actions: Mapping[str, str] = dict(_actions(root))
        owners: dict[str, set[str]] = {}
        for child, action in _actions(root):
            owners.setdefault(action, set()).add(child)
        self._owners = owners
        self._addresses = _find_addresses(document)

    def disagrees(self, action: str, child: str) -> bool:
        """Tell whether a SOAPAction is that of another operation than the Body child's."""
        owners = self._owners.get(action) if action else None
        return owners is not None and child not in owners

    def at(self, base: str, path: str) -> bytes:
        """Give the document with its SOAP addresses moved to ``base``; all else byte for byte.

        They get ``path``, unless they differ in path among themselves: then each keeps its own.
        """
        codec, width = _codec(self.document)
        text = self.document.decode(codec, "surrogatepass" if width == 2 else "strict")
        paths = {urlsplit(location).path for _, _, location in self._addresses}
        for start, end, location in reversed(self._addresses):
            own = urlsplit(location).path if len(paths) > 1 else path
            moved = escape(base.rstrip("/") + own, {'"': "&quot;"})
            moved = moved.encode("ascii", "xmlcharrefreplace").decode()
            text = f'{text[:start]}"{moved}"{text[end:]}'
        return text.encode(codec, "surrogatepass" if width == 2 else "strict")


class PublishedWsdl:
    """The WSDL that a facade serves: fetched when asked for, kept for ``ttl`` seconds.

    ``fetch`` gives the legacy document. When legacy is down the last good one goes on being served.
    """

    def __init__(self, fetch: Callable[[], Awaitable[bytes]], *, ttl: float = 30.0) -> None:
        self._fetch = fetch
        self._ttl = ttl
        self._last: Wsdl | None = None
        self._next = 0.0
        self._lock = asyncio.Lock()
        self._fetching: asyncio.Task[None] | None = None

    @property
    def last(self) -> Wsdl | None:
        """Give the last good document without waiting; None before the first."""
        return self._last

    async def get(self) -> Wsdl:
        """Give the document. Raises the fetch's ``FigError`` where there never was a good one."""
        async with self._lock:
            if self._last is not None and time.monotonic() < self._next:
                return self._last
            try:
                document = await self._fetch()
                if self._last is None or self._last.document != document:
                    self._last = Wsdl(document)
            except FigError as error:
                if self._last is None:
                    raise
                log.warning("the WSDL cannot be renewed, the last good one is served: %s", error)
            self._next = time.monotonic() + self._ttl
            return self._last

    def want(self) -> None:
        """Fetch in the background, now and then, so that ``last`` will be there."""
        if self._last is None and self._fetching is None and time.monotonic() >= self._next:
            self._next = time.monotonic() + self._ttl
            self._fetching = asyncio.get_running_loop().create_task(self._try())

    async def close(self) -> None:
        """Stop what runs in the background."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)

    async def _try(self) -> None:
        try:
            await self.get()
        except FigError as error:
            log.warning("no WSDL yet, so SOAPAction cannot be held against the Body: %s", error)
        finally:
            self._fetching = None


def _parse(document: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        raise LegacyError(f"the WSDL is not XML: {error}", expected="a WSDL document") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise LegacyError("the WSDL has a document type", expected="a WSDL without DOCTYPE")
    if root.tag != f"{WSDL}definitions":
        raise LegacyError(
            "this is not a WSDL 1.1 document", value=str(root.tag), expected=f"{WSDL}definitions"
        )
    return root


def _qname(element: etree._Element, text: str) -> str:
    prefix, _, local = text.strip().rpartition(":")
    return f"{{{element.nsmap.get(prefix or None, '')}}}{local}"


def _actions(root: etree._Element) -> Iterator[tuple[str, str]]:
    target = root.get("targetNamespace", "")
    messages = {f"{{{target}}}{m.get('name')}": m for m in root.iterfind(f"{WSDL}message")}
    ports = {f"{{{target}}}{p.get('name')}": p for p in root.iterfind(f"{WSDL}portType")}
    for binding in root.iterfind(f"{WSDL}binding"):
        port = ports.get(_qname(binding, binding.get("type", "")))
        for namespace in SOAP:
            protocol = binding.find(f"{{{namespace}}}binding")
            if port is None or protocol is None:
                continue
            for operation in binding.iterfind(f"{WSDL}operation"):
                bound = operation.find(f"{{{namespace}}}operation")
                action = "" if bound is None else bound.get("soapAction", "")
                style = None if bound is None else bound.get("style")
                if (style or protocol.get("style", "document")) == "rpc":
                    body = operation.find(f"{WSDL}input/{{{namespace}}}body")
                    wrapper = target if body is None else body.get("namespace", "")
                    yield f"{{{wrapper}}}{operation.get('name')}", action
                else:
                    yield from _document_child(port, operation.get("name", ""), messages, action)


def _document_child(
    port: etree._Element, name: str, messages: Mapping[str, etree._Element], action: str
) -> Iterator[tuple[str, str]]:
    for operation in port.iterfind(f"{WSDL}operation"):
        taken = operation.find(f"{WSDL}input")
        if operation.get("name") != name or taken is None:
            continue
        message = messages.get(_qname(taken, taken.get("message", "")))
        for part in () if message is None else message.iterfind(f"{WSDL}part"):
            if part.get("element"):
                yield _qname(part, part.get("element", "")), action
                return


def _codec(document: bytes) -> tuple[str, int]:
    """Give a codec that keeps every byte, and the width of its units in bytes."""
    if document.startswith(b"\xff\xfe"):
        return "utf-16-le", 2
    if document.startswith(b"\xfe\xff"):
        return "utf-16-be", 2
    return "latin-1", 1


def _find_addresses(document: bytes) -> list[tuple[int, int, str]]:
    """Find the values of the SOAP addresses: start and end (quotes included) and the value."""
    codec, width = _codec(document)
    text = document.decode(codec, "surrogatepass" if width == 2 else "strict")
    parser = expat.ParserCreate(namespace_separator=" ")
    tags: list[tuple[int, str]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        if local == "address" and namespace in SOAP and "location" in attributes:
            tags.append((parser.CurrentByteIndex // width, attributes["location"]))

    parser.StartElementHandler = start
    try:
        parser.Parse(document, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise LegacyError(f"the WSDL cannot be read: {error}", expected="a WSDL") from error
    places = []
    for index, location in tags:
        found = _LOCATION.search(text, index)
        if found is not None:
            places.append((found.start(2), found.end(2), location))
    return places
