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
from .asgi import App, Scope
from .exchange import Exchange

__all__ = ["Limits", "ServerConnection"]

HIGH_WATER = 256 * 1024
"""Bytes of a request's body that are buffered before reading pauses."""

_UPGRADE = frozenset({b"upgrade", b"connection", b"http2-settings"})
_BAD = b"HTTP/1.1 %s\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


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


class ServerConnection(asyncio.Protocol):
    """The protocol object of one caller's connection; ``Serving`` makes and checks it.

    Requests that come before the last one is answered wait their turn, and reading waits with
    them. A caller that is answered before it has sent everything (a body that is too large) is
    still listened to for a while: closing at once would reset the connection, and the answer with
    it. An offer to upgrade is left unanswered, as RFC 9110 allows, and the request served.
    """

    def __init__(self, app: App, limits: Limits, open_ones: set[ServerConnection]) -> None:
        self.stopping = False
        self._app = app
        self._limits = limits
        self._open = open_ones
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._current: Exchange | None = None
        self._coming: Exchange | None = None
        self._queue: deque[Exchange] = deque()
        self._task: asyncio.Task[None] | None = None
        self._refusal = b""
        self._deaf = False
        self._until = time.monotonic() + limits.idle
        self._reading = True
        self.writable: asyncio.Future[None] | None = None
        self._rest = b""
        self._head_size = 0
        self._url = b""
        self._headers: Fields = []
        self._expects = False

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin (called by the loop)."""
        self._transport = cast("asyncio.Transport", transport)
        self._client = transport.get_extra_info("peername")
        self._server = transport.get_extra_info("sockname")
        self._open.add(self)

    def data_received(self, data: bytes) -> None:
        """Parse what came (called by the loop)."""
        if self._deaf:
            return
        if self._coming is None:
            if not self._head_size and self._current is None:
                self._until = time.monotonic() + self._limits.head
            self._head_size += len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self._refuse(b"400 Bad Request")
            return
        if self._coming is None and self._head_size > self._limits.head_bytes:
            self._refuse(b"431 Request Header Fields Too Large")

    def eof_received(self) -> bool:
        """Let a caller that only listens from now on have its answer (called by the loop)."""
        self._deaf = True
        self.stopping = True
        return self._current is not None and self._current.whole

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's
        """End; what the app is at goes on and its answer goes nowhere (called by the loop)."""
        self._deaf = True
        self._open.discard(self)
        self._queue.clear()
        for exchange in (self._current, self._coming):
            if exchange is not None:
                exchange.lose()
        self.resume_writing()

    def pause_writing(self) -> None:
        """Hold the app back: the caller does not read (called by the transport)."""
        self._until = time.monotonic() + self._limits.write
        self.writable = self._loop.create_future()

    def resume_writing(self) -> None:
        """Let the app go on (called by the transport)."""
        waiting, self.writable = self.writable, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Begin a request (called by the parser)."""
        self._url = b""
        self._headers = []
        self._expects = False

    def on_url(self, url: bytes) -> None:
        """Take a part of the target (called by the parser)."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header (called by the parser)."""
        if self._coming is not None:
            return  # a trailer
        name = name.lower()
        if name == b"expect":
            self._expects = value.lower() == b"100-continue"
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Begin the request's exchange, or let it wait for its turn (called by the parser)."""
        if self._parser.should_upgrade():
            self._rest = self._without_upgrade()
            return
        self._head_size = 0
        exchange = Exchange(
            self,
            self._scope(),
            keep_alive=self._parser.should_keep_alive(),
            expects=self._expects,
        )
        self._coming = exchange
        if self._current is None:
            self._begin(exchange)
        else:
            self._queue.append(exchange)
            self._read(on=False)

    def on_body(self, body: bytes) -> None:
        """Take a part of the body (called by the parser)."""
        if self._coming is not None:
            self._coming.feed(body)
            if self._coming.buffered > HIGH_WATER:
                self._read(on=False)

    def on_message_complete(self) -> None:
        """Take the end of the request (called by the parser)."""
        if self._coming is not None:
            self._coming.end()
            self._coming = None

    # What the exchange calls.

    def write(self, head: bytes, body: bytes = b"") -> None:
        """Send, without waiting."""
        transport = cast("asyncio.Transport", self._transport)
        if transport.is_closing():
            return
        if len(body) < HIGH_WATER:
            transport.write(head + body)
        else:
            transport.writelines((head, body))

    def taken(self) -> None:
        """Read on: the app has taken what there was."""
        if not self._reading and not self._queue:
            self._read(on=True)

    def finished(self, exchange: Exchange) -> None:
        """Go on with the next request, or end the connection."""
        self._current = None
        if not exchange.keep_alive or self.stopping:
            self._end(whole=exchange.whole)
        elif self._queue:
            self._begin(self._queue.popleft())
        elif self._refusal:
            self._refuse(self._refusal)
        else:
            self._until = time.monotonic() + self._limits.idle
        if not self._reading and not self._queue:
            self._read(on=True)

    # What the server calls.

    def check(self, now: float) -> None:
        """End the connection where its time is over (called about once a second)."""
        if now < self._until or self._transport is None:
            return
        if self.writable is not None or self._deaf:
            self._transport.abort()
        elif self._current is None:
            self._transport.close()
        elif not self._current.whole:
            self._refuse(b"408 Request Timeout")

    def stop(self) -> None:
        """Answer what was begun and close."""
        self.stopping = True
        if self._current is None and self._transport is not None and not self._deaf:
            self._transport.close()

    def abort(self) -> None:
        """Close now; what the app is at is cancelled."""
        if self._task is not None and self._current is not None:
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

    def _scope(self) -> Scope:
        url = self._url
        if url[:1] != b"/" and url != b"*":
            parsed = httptools.parse_url(url)
            url = (parsed.path or b"/") + (b"?" + parsed.query if parsed.query else b"")
        raw, _, query = url.partition(b"?")
        path = raw.decode("latin-1")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": self._parser.get_http_version(),
            "method": self._parser.get_method().decode("ascii"),
            "scheme": "http",
            "path": unquote(path) if "%" in path else path,
            "raw_path": raw,
            "query_string": query,
            "root_path": "",
            "headers": self._headers,
            "client": self._client,
            "server": self._server,
        }

    def _begin(self, exchange: Exchange) -> None:
        self._current = exchange
        self._until = time.monotonic() + self._limits.body
        self._task = self._loop.create_task(self._run(exchange))

    async def _run(self, exchange: Exchange) -> None:
        try:
            await self._app(exchange.scope, exchange.receive, exchange.send)
        except Exception:  # noqa: BLE001 - whatever an app does, the caller gets an answer
            log.exception("the app failed at %s", exchange.scope["path"])
        if not exchange.finished and not exchange.lost:
            exchange.fail()

    def _read(self, *, on: bool) -> None:
        transport = self._transport
        if transport is None or transport.is_closing() or on == self._reading:
            return
        self._reading = on
        if on:
            transport.resume_reading()
        else:
            transport.pause_reading()

    def _refuse(self, status: bytes) -> None:
        self._refusal = status
        self._deaf = True
        if self._coming is not None and self._coming is self._current:
            self._coming.lose()  # its body cannot be read to its end
        elif self._current is not None:
            return  # its answer goes first
        self.write(_BAD % status)
        self._end(whole=False)

    def _end(self, *, whole: bool) -> None:
        transport = cast("asyncio.Transport", self._transport)
        self._queue.clear()
        if whole or transport.is_closing():
            transport.close()
            return
        self._deaf = True
        self._until = time.monotonic() + self._limits.linger
        self._read(on=True)
        transport.write_eof()
