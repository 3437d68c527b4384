"""The SOAP facade: callers of a legacy service call us instead, and cannot tell the difference."""

from __future__ import annotations

import itertools
import re
import time
import uuid
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import msgspec

from ..acl.envelope import Envelope, charset_of, read
from ..errors import ConfigError, EnvelopeError, FigError
from ..model import Record
from ..routing.override import HEADER, Override
from ..telemetry import Counters, log
from ..transport.headers import end_to_end, to_headers
from . import asgi
from .fault import client_fault, fault_of, server_fault
from .http import Answer, HttpRequest
from .system import Serve, SoapSystem

__all__ = ["Serve", "SoapFacade", "SoapSystem"]

_HOST = re.compile(rb"[A-Za-z0-9._\-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")
_OVERRIDE = HEADER.encode()
_ACTION = re.compile(r';\s*action\s*=\s*"?([^";]*)"?', re.IGNORECASE)


class _Kind(NamedTuple):
    """What a Content-Type says."""

    multipart: bool
    charset: str
    action: str


def _without_false(request: HttpRequest, override: Override) -> HttpRequest:
    """Take out every tester's header that is not genuine."""
    headers = [
        (name, value)
        for name, value in request.headers
        if name != _OVERRIDE or override.is_genuine(value.decode("latin-1"))
    ]
    return msgspec.structs.replace(request, headers=headers)


@lru_cache(maxsize=256)
def _kind(content_type: bytes) -> _Kind:
    text = content_type.decode("latin-1")
    found = _ACTION.search(text)
    multipart = text[:10].lower() == "multipart/"
    return _Kind(multipart, charset_of(text), found[1] if found else "")


@lru_cache(maxsize=256)
def _bare(action: bytes) -> str:
    return action.decode("latin-1").strip().strip('"')


class _Call(msgspec.Struct):
    """One request on its way through: where it belongs, and under which name the log has it."""

    name: str
    system: SoapSystem
    request: HttpRequest
    reference: str
    ours: bool
    headers: Mapping[bytes, bytes]

    @property
    def action(self) -> str:
        """Give the SOAPAction without its quotes; in SOAP 1.2 it stands in the Content-Type."""
        header = self.headers.get(b"soapaction")
        if header is not None:
            return _bare(header)
        return _kind(self.headers.get(b"content-type", b"")).action

    def about(self) -> dict[str, str]:
        """Give what a fault's detail says of it."""
        return {"reference": self.reference}

    def record(self) -> Record:
        """Give it as a record, with its first line in the headers."""
        request = self.request
        line = ((":method", request.method), (":path", request.target.decode("latin-1")))
        return Record(
            source=self.name,
            position=self.reference,
            kind="soap",
            body=request.body,
            headers=line + to_headers(end_to_end(request.headers)),
            captured_at=time.time(),
        )


class SoapFacade:
    """The app for one or several legacy SOAP systems, told apart by path.

    The app room builds it; ``Serving`` runs it, or any ASGI 3 server. Routing is by the QName of
    the first Body child. An endpoint's requests go to its ``Serve``; everything else goes to legacy
    as the bytes it came as. Raises ``ConfigError`` where two systems claim one path.
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

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        """Answer one request of a foreign ASGI 3 server."""
        await asgi.serve(self, scope, receive, send)

    def limit(self, request: HttpRequest) -> int:
        """Say how many bytes a body may have (called by the server)."""
        found = self._by_path.get(request.path) or self._only
        return found[1].max_body if found else 0

    def too_large(self, request: HttpRequest) -> Answer:
        """Refuse a request whose body is larger (called by the server)."""
        call = self._call(request)
        if call is None:
            return _nowhere()
        limit = call.system.max_body
        self._note(call, "size", f"its body is over {limit} bytes")
        text = f"the message is too large: at most {limit} bytes are taken"
        return client_fault(text, status=413, detail=call.about())

    async def answer(self, request: HttpRequest) -> Answer:
        """Answer a whole request (called by the server)."""
        call = self._call(request)
        if call is None:
            return _nowhere()
        try:
            return await self._answer(call)
        except _Refused as refused:
            return refused.answer
        except FigError as error:
            log.warning("%s: request %s failed: %s", call.name, call.reference, error)
            return fault_of(error, call.name, call.reference)
        except Exception:  # noqa: BLE001 - the caller gets a fault, the log all of it
            log.exception("%s: request %s failed unexpectedly", call.name, call.reference)
            return server_fault(f"the call to {call.name!r} failed", detail=call.about())

    async def _answer(self, call: _Call) -> Answer:
        request = call.request
        if call.ours and request.method == "GET" and request.query.lower() == b"wsdl":
            return await _wsdl(call)
        serve, label = self._route(call)
        if serve is not None:
            return Answer.of(await serve(call.record()))
        return await self._pass(call, label)

    def _call(self, request: HttpRequest) -> _Call | None:
        own = self._by_path.get(request.path)
        found = own or self._only
        if found is None:
            return None
        reference = f"{self._incarnation}-{next(self._count)}"
        headers = dict(request.headers)
        if _OVERRIDE in headers:
            request = _without_false(request, found[1].override)
        return _Call(found[0], found[1], request, reference, own is not None, headers)

    def _route(self, call: _Call) -> tuple[Serve | None, str]:
        """Give who serves a call (None: legacy) and its operation, for the count."""
        if call.request.method != "POST" or not call.ours:
            return None, "other"
        coding = call.headers.get(b"content-encoding")
        if coding is not None and coding.lower() != b"identity":
            raise self._refuse_coding(call, coding.decode("latin-1"))
        kind = _kind(call.headers.get(b"content-type", b""))
        if kind.multipart:
            return None, "multipart"
        try:
            envelope = read(call.request.body, kind.charset)
        except EnvelopeError as error:
            self._note(call, "envelope", str(error))
            raise _Refused(fault_of(error, call.name, call.reference)) from error
        child = envelope.child
        wsdl = call.system.wsdl.last
        if wsdl is None:
            call.system.wsdl.want()
        elif wsdl.disagrees(call.action, child):
            raise self._refuse_action(call, child)
        serve = call.system.endpoints.get(child)
        if serve is not None and _legacy_only(call.name, envelope):
            serve = None
        return serve, child if wsdl is not None and child in wsdl.actions else "other"

    async def _pass(self, call: _Call, label: str) -> Answer:
        self._counters.add("passed_through", call.name, label)
        request = call.request
        response = await call.system.upstream.request(
            request.method.encode("ascii"),
            request.target,
            end_to_end(request.headers),
            request.body,
            timeout=call.system.timeout,
            repeatable=request.method in {"GET", "HEAD"},
        )
        return Answer.passed(response, request.method)

    def _note(self, call: _Call, reason: str, what: str) -> None:
        self._counters.add("refused_messages", call.name, reason)
        log.warning("%s: refused message %s: %s", call.name, call.reference, what)

    def _refuse_coding(self, call: _Call, coding: str) -> _Refused:
        self._note(call, "encoding", f"Content-Encoding {coding!r}")
        text = f"Content-Encoding {coding!r} is not taken here; send the message plain"
        plain = (b"accept-encoding", b"identity")
        return _Refused(client_fault(text, plain, status=415, detail=call.about()))

    def _refuse_action(self, call: _Call, child: str) -> _Refused:
        self._note(call, "action", f"SOAPAction {call.action!r} with Body {child}")
        text = f"SOAPAction {call.action!r} is not the action of the Body's {child}"
        remedy = "send the action of the operation in the Body, or an empty one"
        return _Refused(client_fault(text, detail={**call.about(), "remedy": remedy}))


class _Refused(Exception):
    """A message was refused and counted; ``answer`` says so to its sender."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


def _legacy_only(name: str, envelope: Envelope) -> bool:
    """Tell whether only legacy can do justice to a message: SOAP 1.2, or headers it must know."""
    if envelope.version == "1.1" and not envelope.must_understand:
        return False
    why = ", ".join(envelope.must_understand) or "SOAP 1.2"
    log.warning("%s: %s passed through to legacy, for %s", name, envelope.child, why)
    return True


def _nowhere() -> Answer:
    return Answer.own(404, b"no system has this path\n", kind=b"text/plain")


async def _wsdl(call: _Call) -> Answer:
    document = await call.system.wsdl.get()
    base = call.system.public
    if not base:
        host = call.headers.get(b"host", b"")
        if not _HOST.fullmatch(host):
            host = call.request.server.encode()
        base = f"{call.request.scheme}://{host.decode()}"
    return Answer.own(200, document.at(base, call.system.path), kind=b"text/xml")
