"""One connection to our HTTP/1.1 server: parsing, order, time limits, an end that is heard."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import cast
from urllib.parse import unquote

import httptools
import msgspec

from ..telemetry import log
from ..transport.headers import Fields
from .http import Answer, App, HttpRequest

__all__ = ["Limits", "ServerConnection"]

_UPGRADE = frozenset({b"upgrade", b"connection", b"http2-settings"})
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_LARGE = 64 * 1024


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds and bytes that a caller may take.

    ``idle`` between requests, ``head`` for a request's headers, of at most ``head_bytes``,
    ``body`` for its body, ``write`` for reading our answer, ``linger`` for going on sending
    after it was answered early.
    """

    idle: float = 75.0
    head: float = 20.0
    head_bytes: int = 64 * 1024
    body: float = 60.0
    write: float = 60.0
    linger: float = 20.0


class _Turn(msgspec.Struct):
    """A request in its place in line. ``refusal`` is its answer where it needs no app."""

    request: HttpRequest
    keep_alive: bool
    old: bool
    refusal: Answer | None = None


class ServerConnection(asyncio.Protocol):
    """The protocol object of one caller's connection; ``Serving`` makes and checks it.

    A request is handed to the app when all of it has come, and requests that come before the last
    one is answered wait their turn; reading waits with them. A caller that is answered before it
    has sent everything (a body that is too large) is still listened to for a while: closing at once
    would reset the connection, and the answer with it. An offer to upgrade is left unanswered, as
    RFC 9110 allows, and the request served.
    """

    def __init__(self, app: App, limits: Limits, open_ones: set[ServerConnection]) -> None:
        self._app = app
        self._limits = limits
        self._open = open_ones
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._server = ""
        self._until = time.monotonic() + limits.idle
        self._task: asyncio.Task[None] | None = None
        self._turns: deque[_Turn] = deque()
        self._busy = False
        self._stopping = False
        self._deaf = False
        self._choked = False
        self._reading = True
        self._rest = b""
        self._url = b""
        self._headers: Fields = []
        self._head_size = 0
        self._expects = False
        self._length = 0
        self._coming: _Turn | None = None
        self._parts: list[bytes] = []
        self._left = 0

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin (called by the loop)."""
        self._transport = cast("asyncio.Transport", transport)
        host, port = transport.get_extra_info("sockname")[:2]
        self._server = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._open.add(self)

    def data_received(self, data: bytes) -> None:
        """Parse what came (called by the loop)."""
        if self._deaf:
            return
        if self._coming is None:
            if not self._head_size and not self._busy:
                self._until = time.monotonic() + self._limits.head
            self._head_size += len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self._refuse(400, b"this is not HTTP/1.1\n")
            return
        if self._coming is None and self._head_size > self._limits.head_bytes:
            self._refuse(431, b"the headers are too large\n")

    def eof_received(self) -> bool:
        """Let a caller that only listens from now on have its answer (called by the loop)."""
        self._deaf = self._stopping = True
        return self._busy

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's
        """End; what the app is at goes on and its answer goes nowhere (called by the loop)."""
        self._deaf = True
        self._open.discard(self)
        self._turns.clear()
        self._parts = []

    def pause_writing(self) -> None:
        """Take it that the caller does not read, and see how long (called by the transport)."""
        self._choked = True
        self._until = time.monotonic() + self._limits.write

    def resume_writing(self) -> None:
        """Take it that the caller reads again (called by the transport)."""
        self._choked = False
        self._until = time.monotonic() + self._limits.idle

    # What the parser calls.

    def on_url(self, url: bytes) -> None:
        """Take a part of the target (called by the parser)."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header (called by the parser)."""
        if self._coming is not None:
            return  # a trailer
        name = name.lower()
        if name == b"content-length":
            self._length = int(value)
        elif name == b"expect":
            self._expects = value.lower() == b"100-continue"
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Begin a request; refuse it where its body will be too large (called by the parser)."""
        parser = self._parser
        if parser.should_upgrade():
            self._rest = self._without_upgrade()
            return
        request = self._request()
        old = parser.get_http_version() == "1.0"
        turn = self._coming = _Turn(request, parser.should_keep_alive(), old)
        self._left = self._app.limit(request)
        if self._length > self._left:
            self._refuse_size(turn)
        elif self._expects and not self._busy:
            self._write(_CONTINUE)
        self._url, self._headers, self._head_size = b"", [], 0
        self._length, self._expects = 0, False
        if not self._busy:
            self._until = time.monotonic() + self._limits.body

    def on_body(self, body: bytes) -> None:
        """Take a part of the body (called by the parser)."""
        if self._deaf or self._coming is None:
            return
        self._left -= len(body)
        if self._left < 0:
            self._refuse_size(self._coming)
        else:
            self._parts.append(body)

    def on_message_complete(self) -> None:
        """Serve the request, or let it wait for its turn (called by the parser)."""
        turn, self._coming = self._coming, None
        if turn is None or self._deaf:
            return
        parts, self._parts = self._parts, []
        turn.request.body = parts[0] if len(parts) == 1 else b"".join(parts)
        self._line_up(turn)

    # What the server calls.

    def check(self, now: float) -> None:
        """End the connection where its time is over (called about once a second)."""
        if now < self._until or self._transport is None:
            return
        if self._choked or (self._deaf and not self._busy):
            self._transport.abort()
        elif self._coming is not None and not self._busy:
            self._refuse(408, b"the request took too long\n")
        elif not self._busy:
            self._transport.close()

    def stop(self) -> None:
        """Answer what was begun and close."""
        self._stopping = True
        if not self._busy and self._coming is None and self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close now; what the app is at is cancelled."""
        if self._task is not None:
            self._task.cancel()
        if self._transport is not None:
            self._transport.abort()

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            rest, self._rest = self._rest, b""
            if not rest:
                raise httptools.HttpParserError("CONNECT is not served") from upgrade
            self._url, self._headers, self._expects = b"", [], False
            self._parser = httptools.HttpRequestParser(self)
            self._feed(rest)
            self._feed(data[upgrade.args[0] :])

    def _without_upgrade(self) -> bytes:
        method = self._parser.get_method()
        if method == b"CONNECT":
            return b""
        lines = [b"%s %s HTTP/1.1\r\n" % (method, self._url)]
        lines += [b"%s: %s\r\n" % (n, v) for n, v in self._headers if n not in _UPGRADE]
        return b"".join((*lines, b"\r\n"))

    def _request(self) -> HttpRequest:
        target = self._url
        if target[:1] != b"/" and target != b"*":
            parsed = httptools.parse_url(target)
            target = (parsed.path or b"/") + (b"?" + parsed.query if parsed.query else b"")
        path = target.partition(b"?")[0].decode("latin-1")
        return HttpRequest(
            self._parser.get_method().decode("ascii"),
            unquote(path) if "%" in path else path,
            target,
            self._headers,
            self._server,
        )

    def _line_up(self, turn: _Turn) -> None:
        if self._busy:
            self._turns.append(turn)
            self._read(on=False)
        else:
            self._begin(turn)

    def _begin(self, turn: _Turn) -> None:
        if turn.refusal is not None:
            self._reply(turn, turn.refusal)
            return
        self._busy = True
        self._task = self._loop.create_task(self._run(turn))

    async def _run(self, turn: _Turn) -> None:
        try:
            answer = await self._app.answer(turn.request)
        except Exception:  # noqa: BLE001 - whatever an app does, the caller gets an answer
            log.exception("the app failed at %s", turn.request.path)
            answer = Answer.own(500, b"", kind=b"text/plain")
        self._reply(turn, answer)

    def _reply(self, turn: _Turn, answer: Answer) -> None:
        self._busy = False
        self._task = None
        closing = self._stopping or not turn.keep_alive or turn.refusal is not None
        bodiless = turn.request.method == "HEAD"
        word = b"close" if closing else b"keep-alive" if turn.old else b""
        try:
            head = answer.head(bodiless=bodiless, connection=word)
        except ValueError:
            log.exception("the answer at %s cannot be sent", turn.request.path)
            answer, bodiless = Answer.own(500, b"", kind=b"text/plain"), False
            head = answer.head(bodiless=False, connection=word)
        self._write(head, b"" if bodiless else answer.body)
        if closing:
            self._end(heard=turn.refusal is None)
            return
        if not self._choked:
            self._until = time.monotonic() + self._limits.idle
        if self._turns:
            self._begin(self._turns.popleft())
        if not self._reading and not self._turns:
            self._read(on=True)

    def _write(self, head: bytes, body: bytes = b"") -> None:
        transport = cast("asyncio.Transport", self._transport)
        if transport.is_closing():
            return
        if len(body) < _LARGE:
            transport.write(head + body)
        else:
            transport.writelines((head, body))

    def _read(self, *, on: bool) -> None:
        transport = self._transport
        if transport is None or transport.is_closing() or on == self._reading:
            return
        self._reading = on
        if on:
            transport.resume_reading()
        else:
            transport.pause_reading()

    def _refuse_size(self, turn: _Turn) -> None:
        self._deaf = True
        self._parts = []
        turn.refusal = self._app.too_large(turn.request)
        self._line_up(turn)

    def _refuse(self, status: int, why: bytes) -> None:
        self._deaf = True
        self._parts = []
        nobody = HttpRequest("GET", "", b"", [])
        refusal = Answer.own(status, why, kind=b"text/plain")
        self._line_up(_Turn(nobody, keep_alive=False, old=False, refusal=refusal))

    def _end(self, *, heard: bool) -> None:
        """Close; where not all was ``heard``, say that we are done and listen for a while."""
        transport = cast("asyncio.Transport", self._transport)
        self._turns.clear()
        if heard or transport.is_closing():
            transport.close()
            return
        self._deaf = True
        self._until = time.monotonic() + self._limits.linger
        self._read(on=True)
        transport.write_eof()
