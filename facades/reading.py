"""HTTP requests read off a connection: the parser's half of a server connection."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from urllib.parse import unquote

import httptools
import msgspec

from ..transport.headers import Fields
from .http import Answer, HttpRequest

__all__ = ["Reading", "Turn"]

_UPGRADE = frozenset({b"upgrade", b"connection", b"http2-settings"})


class Turn(msgspec.Struct):
    """A request in its place in line. ``refusal`` is its answer where it needs no app.

    ``old`` says that the caller speaks HTTP/1.0, ``expects`` that it waits for a 100 before it
    sends its body, of ``length`` bytes where that is known, else 0.
    """

    request: HttpRequest
    keep_alive: bool
    old: bool
    expects: bool
    length: int
    refusal: Answer | None = None


class Reading(asyncio.Protocol):
    """Turns bytes into turns; ``ServerConnection`` decides what becomes of them.

    ``deaf`` means that what still comes is thrown away.
    """

    def __init__(self) -> None:
        self.deaf = False
        self.coming: Turn | None = None
        self.head_size = 0
        self.server = ""
        self._parser = httptools.HttpRequestParser(self)
        self._left = 0
        self._parts: list[bytes] = []
        self._rest = b""
        self._clear()

    @abstractmethod
    def begun(self, turn: Turn) -> int:
        """Hear that a request's headers are there; say how large its body may be."""

    @abstractmethod
    def arrived(self, turn: Turn) -> None:
        """Hear that all of a request is there."""

    @abstractmethod
    def too_large(self, turn: Turn) -> None:
        """Hear that a request's body is larger than it may be."""

    def feed(self, data: bytes) -> None:
        """Parse. Raises ``httptools.HttpParserError``.

        An offer to upgrade makes the parser stop at the headers: the request is parsed again as if
        it had not been made.
        """
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            rest, self._rest = self._rest, b""
            if not rest:
                raise httptools.HttpParserError("CONNECT is not served") from upgrade
            self._clear()
            self._parser = httptools.HttpRequestParser(self)
            self.feed(rest)
            self.feed(data[upgrade.args[0] :])

    def hear_no_more(self) -> None:
        """Throw away what still comes, and what came of a body."""
        self.deaf = True
        self._parts = []

    def on_url(self, url: bytes) -> None:
        """Take a part of the target (called by the parser)."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header (called by the parser)."""
        if self.coming is not None:
            return  # a trailer
        name = name.lower()
        if name == b"content-length":
            self._length = int(value)
        elif name == b"expect":
            self._expects = value.lower() == b"100-continue"
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Begin a request (called by the parser)."""
        parser = self._parser
        if self.deaf:
            return
        if parser.should_upgrade():
            self._rest = self._without_upgrade()
            return
        old = parser.get_http_version() == "1.0"
        keep_alive = parser.should_keep_alive()
        turn = Turn(self._request(), keep_alive, old, self._expects, self._length)
        self.coming = turn
        self._clear()
        self.head_size = 0
        self._left = self.begun(turn)
        if turn.length > self._left:
            self.too_large(turn)

    def on_body(self, body: bytes) -> None:
        """Take a part of the body (called by the parser)."""
        if self.deaf or self.coming is None:
            return
        self._left -= len(body)
        if self._left < 0:
            self.too_large(self.coming)
        else:
            self._parts.append(body)

    def on_message_complete(self) -> None:
        """Hand the request over (called by the parser)."""
        turn, self.coming = self.coming, None
        if turn is None or self.deaf:
            return
        parts, self._parts = self._parts, []
        turn.request.body = parts[0] if len(parts) == 1 else b"".join(parts)
        self.arrived(turn)

    def _clear(self) -> None:
        self._url = b""
        self._headers: Fields = []
        self._length = 0
        self._expects = False

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
            self.server,
        )
