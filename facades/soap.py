"""The SOAP facade: callers of a legacy service call us instead, and cannot tell the difference."""

from __future__ import annotations

import itertools
import re
import time
import uuid
from collections.abc import Mapping

from ..acl.envelope import Envelope, charset_of, read
from ..errors import ConfigError, EnvelopeError, FigError
from ..model import Record
from ..telemetry import Counters, log
from ..transport.headers import end_to_end, first, to_headers
from .asgi import Answer, Receive, Scope, Send
from .body import read_body
from .fault import client_fault, fault_of, server_fault
from .system import Serve, SoapSystem

__all__ = ["Serve", "SoapFacade", "SoapSystem"]

_HOST = re.compile(rb"[A-Za-z0-9._\-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")
_ACTION = re.compile(r';\s*action\s*=\s*"?([^";]*)"?', re.IGNORECASE)


class SoapFacade:
    """An ASGI 3 app for one or several legacy SOAP systems, told apart by path.

    The app room builds it and ``Serving`` runs it. Routing is by the QName of the first Body child.
    An endpoint's requests go to its ``Serve``; everything else goes to legacy as the bytes it came
    as. Raises ``ConfigError`` where two systems claim one path.
    """

    def __init__(self, systems: Mapping[str, SoapSystem], counters: Counters) -> None:
        self._by_path: dict[str, tuple[str, SoapSystem]] = {}
        for name, system in systems.items():
            taken = self._by_path.setdefault(system.path, (name, system))[0]
            if taken != name:
                raise ConfigError(
                    f"{name} and {taken} have the same path, so one facade cannot tell them apart",
                    place=f"legacy.{name}.address",
                    value=system.path,
                    remedy="serve one of them from a facade of its own",
                )
        self._only = next(iter(systems.items())) if len(systems) == 1 else None
        self._counters = counters
        self._incarnation = uuid.uuid4().hex
        self._count = itertools.count(1)

    async def open(self) -> None:
        """Fetch the WSDLs. Called before serving; where legacy is down it is tried again later."""
        for name, system in self._by_path.values():
            try:
                await system.wsdl.get()
            except FigError as error:
                log.warning("%s: its WSDL is not there yet: %s", name, error)

    async def close(self) -> None:
        """Stop what runs in the background. The upstreams belong to their makers."""
        for _, system in self._by_path.values():
            await system.wsdl.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (called by the server)."""
        if scope["type"] != "http":
            raise RuntimeError(f"the SOAP facade serves HTTP, not {scope['type']}")
        name, system = self._by_path.get(scope["path"]) or self._only or ("", None)
        if system is None:
            await Answer.own(404, b"no system has this path\n", kind=b"text/plain").send(send)
            return
        reference = f"{self._incarnation}-{next(self._count)}"
        try:
            answer = await self._answer(name, system, scope, receive, reference)
        except FigError as error:
            log.warning("%s: request %s failed: %s", name, reference, error)
            answer = fault_of(error, name, reference)
        except Exception:  # noqa: BLE001 - the caller gets a fault, the log all of it
            log.exception("%s: request %s failed unexpectedly", name, reference)
            answer = server_fault(f"the call to {name!r} failed", reference=reference)
        if answer is not None:
            await answer.send(send)

    async def _answer(
        self, name: str, system: SoapSystem, scope: Scope, receive: Receive, reference: str
    ) -> Answer | None:
        method: str = scope["method"]
        ours = scope["path"] == system.path
        if method == "GET" and ours and scope["query_string"].lower() == b"wsdl":
            return await _wsdl(system, scope)
        headers: dict[bytes, bytes] = dict(scope["headers"])
        body = await read_body(headers.get(b"content-length"), receive, system.max_body)
        if body.outcome == "gone":
            return None
        if body.outcome == "too large":
            return self._refuse_size(name, system)
        if method != "POST" or not ours:
            return await self._pass(name, system, scope, body.data, "other")
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            return self._refuse_coding(name, headers[b"content-encoding"])
        kind = headers.get(b"content-type", b"").decode("latin-1")
        if kind[:10].lower() == "multipart/":
            return await self._pass(name, system, scope, body.data, "multipart")
        action = _action(headers.get(b"soapaction"), kind)
        return await self._post(name, system, scope, body.data, kind, action, reference)

    async def _post(
        self,
        name: str,
        system: SoapSystem,
        scope: Scope,
        body: bytes,
        kind: str,
        action: str,
        reference: str,
    ) -> Answer:
        try:
            envelope = read(body, charset_of(kind))
        except EnvelopeError as error:
            self._refused(name, "envelope", str(error))
            return fault_of(error, name, reference)
        wsdl = system.wsdl.last
        if wsdl is None:
            system.wsdl.want()
        elif wsdl.disagrees(action, envelope.child):
            self._refused(name, "action", f"SOAPAction {action!r} with Body {envelope.child}")
            text = f"SOAPAction {action!r} is not the action of the Body's {envelope.child}"
            remedy = "send the action of the operation in the Body, or an empty one"
            return client_fault(text, remedy=remedy, reference=reference)
        serve = system.endpoints.get(envelope.child)
        if serve is None or _legacy_only(name, envelope):
            known = wsdl is not None and envelope.child in wsdl.actions
            return await self._pass(name, system, scope, body, envelope.child if known else "other")
        return Answer.of(await serve(_record(name, scope, body, reference)))

    async def _pass(
        self, name: str, system: SoapSystem, scope: Scope, body: bytes, label: str
    ) -> Answer:
        self._counters.add("passed_through", name, label)
        method: str = scope["method"]
        query = scope["query_string"]
        path: bytes = scope["raw_path"]
        response = await system.upstream.request(
            method.encode("ascii"),
            path + b"?" + query if query else path,
            end_to_end(scope["headers"]),
            body,
            timeout=system.timeout,
            repeatable=method in {"GET", "HEAD"},
        )
        return Answer.passed(response, method)

    def _refused(self, name: str, reason: str, what: str) -> None:
        self._counters.add("refused_messages", name, reason)
        log.warning("%s: refused a message: %s", name, what)

    def _refuse_size(self, name: str, system: SoapSystem) -> Answer:
        self._refused(name, "size", f"its body is over {system.max_body} bytes")
        text = f"the message is too large: at most {system.max_body} bytes are taken"
        return client_fault(text, status=413)

    def _refuse_coding(self, name: str, coding: bytes) -> Answer:
        self._refused(name, "encoding", f"Content-Encoding {coding!r}")
        text = f"Content-Encoding {coding.decode('latin-1')!r} is not taken here; send it plain"
        return client_fault(text, (b"accept-encoding", b"identity"), status=415)


def _legacy_only(name: str, envelope: Envelope) -> bool:
    """Tell whether only legacy can do justice to a message: SOAP 1.2, or headers it must know."""
    if envelope.version == "1.1" and not envelope.must_understand:
        return False
    why = ", ".join(envelope.must_understand) or "SOAP 1.2"
    log.warning("%s: %s passed through to legacy, for %s", name, envelope.child, why)
    return True


def _action(header: bytes | None, kind: str) -> str:
    if header is not None:
        return header.decode("latin-1").strip().strip('"')
    found = _ACTION.search(kind)
    return found[1] if found else ""


def _record(name: str, scope: Scope, body: bytes, reference: str) -> Record:
    path = scope["raw_path"].decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    line = ((":method", scope["method"]), (":path", f"{path}?{query}" if query else path))
    return Record(
        source=name,
        position=reference,
        kind="soap",
        body=body,
        headers=line + to_headers(end_to_end(scope["headers"])),
        captured_at=time.time(),
    )


async def _wsdl(system: SoapSystem, scope: Scope) -> Answer:
    document = await system.wsdl.get()
    base = system.public
    if not base:
        host = first(scope["headers"], b"host") or b""
        if not _HOST.fullmatch(host):
            address, port = scope["server"]
            host = f"{address}:{port}".encode()
        base = f"{scope['scheme']}://{host.decode()}"
    return Answer.own(200, document.at(base, system.path), kind=b"text/xml")
