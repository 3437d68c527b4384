"""What of ASGI 3 the facades use, and an HTTP answer given through it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from email.utils import formatdate
from typing import Any

import msgspec

from ..model import Record
from ..transport.headers import Fields, end_to_end, first, to_fields
from ..transport.http1 import Response

__all__ = ["Answer", "App", "Receive", "Scope", "Send"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

XML = b"text/xml; charset=utf-8"


class Answer(msgspec.Struct, frozen=True):
    """A whole HTTP answer, ready to be sent."""

    status: int
    headers: Fields
    body: bytes

    @classmethod
    def own(
        cls, status: int, body: bytes, *extra: tuple[bytes, bytes], kind: bytes = XML
    ) -> Answer:
        """Make an answer of our own: its type, its length, the date and ``extra`` headers."""
        fields = [(b"content-type", kind), (b"content-length", b"%d" % len(body)), _date(), *extra]
        return cls(status, fields, body)

    @classmethod
    def passed(cls, response: Response, method: str) -> Answer:
        """Pass a legacy answer on: end-to-end headers and body as they came."""
        fields = end_to_end(response.headers)
        if method == "HEAD":
            length = first(response.headers, b"content-length")
            if length is not None:
                fields.append((b"content-length", length))
        elif response.status not in {204, 304}:
            fields.append((b"content-length", b"%d" % len(response.body)))
        return cls(response.status, fields, response.body)

    @classmethod
    def of(cls, record: Record) -> Answer:
        """Make the answer that an endpoint's reply record holds; without a status it is 200."""
        fields = end_to_end(to_fields(record.headers))
        if first(fields, b"content-type") is None:
            fields.append((b"content-type", XML))
        if first(fields, b"date") is None:
            fields.append(_date())
        fields.append((b"content-length", b"%d" % len(record.body)))
        return cls(int(record.header(":status") or 200), fields, record.body)

    async def send(self, send: Send) -> None:
        """Send it whole."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


def _date() -> tuple[bytes, bytes]:
    return b"date", formatdate(time.time(), usegmt=True).encode()
