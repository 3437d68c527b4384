"""One HTTP request at our server and the answer to it, as an ASGI app sees them."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from http import HTTPStatus
from typing import Any, Protocol

from ..transport.headers import Fields, joined
from .asgi import Scope

__all__ = ["Carrier", "Exchange"]

_LINES = {s.value: b"HTTP/1.1 %d %s" % (s.value, s.phrase.encode()) for s in HTTPStatus}
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Carrier(Protocol):
    """What an exchange needs of its connection."""

    @property
    def stopping(self) -> bool:
        """Tell whether this answer is to be the connection's last."""

    def write(self, head: bytes, body: bytes = b"") -> None:
        """Send, without waiting."""

    writable: asyncio.Future[None] | None
    """Set while the other side does not take what was sent."""

    def taken(self) -> None:
        """Hear that the app has taken what was buffered of the request's body."""

    def finished(self, exchange: Exchange) -> None:
        """Hear that the answer was sent whole."""


class Exchange:
    """The request's body comes in by ``feed`` and ``end``; ``receive`` and ``send`` are ASGI's.

    ``keep_alive`` is what the caller asked for and, once the answer began, what it was told.
    ``lost``: the caller is gone, and what is still sent goes nowhere. ``whole``: all of the request
    has come. ``finished``: all of the answer is sent.
    """

    def __init__(self, carrier: Carrier, scope: Scope, *, keep_alive: bool, expects: bool) -> None:
        self.scope = scope
        self.keep_alive = keep_alive
        self.whole = False
        self.lost = False
        self.begun = False
        self.finished = False
        self.buffered = 0
        self._carrier = carrier
        self._expects = expects
        self._parts: list[bytes] = []
        self._told = False
        self._wake: asyncio.Future[None] | None = None
        self._start: MutableMapping[str, Any] | None = None
        self._chunked = False
        self._left: int | None = None

    def feed(self, data: bytes) -> None:
        """Take a part of the request's body."""
        if not self.finished:
            self._parts.append(data)
            self.buffered += len(data)
            self._awake()

    def end(self) -> None:
        """Take the end of the request."""
        self.whole = True
        self._awake()

    def lose(self) -> None:
        """Take it that the caller is gone."""
        self.lost = True
        self._awake()

    async def receive(self) -> MutableMapping[str, Any]:
        """Give what has come of the body, or wait for more of it."""
        while not (self._parts or self.lost or self.finished) and (not self.whole or self._told):
            if self._expects and not self.whole:
                self._expects = False
                self._carrier.write(_CONTINUE)
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake
        if self.lost or self.finished:
            return {"type": "http.disconnect"}
        parts, self._parts, self.buffered = self._parts, [], 0
        self._expects = False
        self._told = self.whole
        self._carrier.taken()
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        return {"type": "http.request", "body": body, "more_body": not self.whole}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Send a part of the answer. Raises ``RuntimeError`` where the app breaks the protocol."""
        kind = message["type"]
        if kind == "http.response.start":
            if self._start is not None:
                raise RuntimeError("the answer was begun twice")
            self._start = message
            return
        if kind != "http.response.body" or self._start is None or self.finished:
            raise RuntimeError(f"unexpected {kind}")
        if self.lost:
            return
        body: bytes = message.get("body", b"")
        more: bool = message.get("more_body", False)
        head = b"" if self.begun else self._head(self._start, None if more else len(body))
        self._write(head, body, more=more)
        if self._carrier.writable is not None:
            await self._carrier.writable

    def fail(self) -> None:
        """Answer for an app that did not: HTTP 500 where nothing was sent yet, else cut it off."""
        self.keep_alive = False
        if not self.begun and not self.lost:
            self._chunked, self._left = False, None
            head = _LINES[500] + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            self._carrier.write(head)
        self._finish()

    def _awake(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def _head(self, start: MutableMapping[str, Any], size: int | None) -> bytes:
        status: int = start["status"]
        fields: Fields = start.get("headers", [])
        closing = not (self.keep_alive and self.whole) or self._carrier.stopping
        length: bytes | None = None
        for name, value in fields:
            if name == b"content-length":
                length = value
            elif name == b"connection":
                closing = closing or value.lower() == b"close"
        bodiless = self.scope["method"] == "HEAD" or status in {204, 304}
        frame = self._frame(length, size, bodiless=bodiless)
        closing = closing or (self._left is None and not self._chunked and not bodiless)
        self.keep_alive = not closing
        kept = [field for field in fields if field[0] != b"connection"]
        block = joined(kept)
        if block.count(b"\n") != len(kept) or block.count(b"\r") != len(kept):
            raise RuntimeError("a header has a line end in it")
        if closing:
            frame += b"\r\nconnection: close"
        elif self.scope["http_version"] == "1.0":
            frame += b"\r\nconnection: keep-alive"
        line = _LINES.get(status) or b"HTTP/1.1 %d " % status
        return b"%s%s%s\r\n\r\n" % (line, block, frame)

    def _frame(self, length: bytes | None, size: int | None, *, bodiless: bool) -> bytes:
        if bodiless:
            self._left = 0
            return b""
        if length is not None:
            self._left = int(length)
            return b""
        if size is not None:
            self._left = size
            return b"\r\ncontent-length: %d" % size
        if self.scope["http_version"] == "1.0":
            return b""
        self._chunked = True
        return b"\r\ntransfer-encoding: chunked"

    def _write(self, head: bytes, body: bytes, *, more: bool) -> None:
        if self.scope["method"] == "HEAD":
            body = b""
        if self._left is not None:
            left = self._left - len(body)
            if left < 0 or (left and not more):
                raise RuntimeError("the answer's body is not as long as its content-length")
            self._left = left
        elif self._chunked:
            body = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
            body += b"" if more else b"0\r\n\r\n"
        self.begun = True
        self._carrier.write(head, body)
        if not more:
            self._finish()

    def _finish(self) -> None:
        self.finished = True
        self._parts = []
        self._awake()
        self._carrier.finished(self)
