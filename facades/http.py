"""HTTP requests and answers as our facades see them: whole, and as bytes."""

from __future__ import annotations

import time
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Protocol

import msgspec

from ..model import Record
from ..transport.headers import Fields, end_to_end, first, joined, to_fields
from ..transport.http1 import Response

__all__ = ["Answer", "App", "HttpRequest"]

XML = b"text/xml; charset=utf-8"

_LINES = {s.value: b"HTTP/1.1 %d %s" % (s.value, s.phrase.encode()) for s in HTTPStatus}


class HttpRequest(msgspec.Struct):
    """A request. Names of ``headers`` are in lower case; ``target`` is path and query as they came.

    ``path`` is decoded; ``server`` is the address that was called, as ``host:port``. ``body`` is
    empty until all of it has come.
    """

    method: str
    path: str
    target: bytes
    headers: Fields
    server: str = ""
    scheme: str = "http"
    body: bytes = b""

    @property
    def query(self) -> bytes:
        """Give the query without its question mark."""
        return self.target.partition(b"?")[2]


class Answer(msgspec.Struct, frozen=True):
    """A whole answer. ``headers`` are without those that frame the body: the server adds them.

    ``length`` is what Content-Length says in the answer to HEAD, where that is known.
    """

    status: int
    headers: Fields
    body: bytes = b""
    length: int | None = None

    @classmethod
    def own(
        cls, status: int, body: bytes, *extra: tuple[bytes, bytes], kind: bytes = XML
    ) -> Answer:
        """Make an answer of our own: its type, the date and ``extra`` headers."""
        return cls(status, [(b"content-type", kind), _date(), *extra], body)

    @classmethod
    def passed(cls, response: Response, method: str) -> Answer:
        """Pass a legacy answer on: end-to-end headers and body as they came."""
        length = first(response.headers, b"content-length") if method == "HEAD" else None
        fields = end_to_end(response.headers)
        return cls(response.status, fields, response.body, None if length is None else int(length))

    @classmethod
    def of(cls, record: Record) -> Answer:
        """Make the answer that an endpoint's reply record holds; without a status it is 200."""
        fields = end_to_end(to_fields(record.headers))
        if first(fields, b"content-type") is None:
            fields.append((b"content-type", XML))
        if first(fields, b"date") is None:
            fields.append(_date())
        return cls(int(record.header(":status") or 200), fields, record.body)

    def head(self, *, bodiless: bool, connection: bytes = b"") -> bytes:
        """Write the first line and the headers.

        ``bodiless``: this answers HEAD. ``connection`` is what the Connection header says, where it
        must be there. Raises ``ValueError`` for a header with a line end in it.
        """
        block = joined(self.headers)
        ends = len(self.headers)
        if block.count(b"\n") != ends or block.count(b"\r") != ends:
            raise ValueError("a header has a line end in it")
        length = self.length if bodiless else len(self.body)
        frame = b"" if length is None or self.status in {204, 304} else _length(length)
        if connection:
            frame += b"\r\nconnection: " + connection
        line = _LINES.get(self.status) or b"HTTP/1.1 %d " % self.status
        return b"%s%s%s\r\n\r\n" % (line, block, frame)


class App(Protocol):
    """What ``Serving`` serves."""

    def limit(self, request: HttpRequest) -> int:
        """Say how many bytes the body of a request may have; asked when its headers are there."""

    def too_large(self, request: HttpRequest) -> Answer:
        """Refuse a request whose body is larger."""

    async def answer(self, request: HttpRequest) -> Answer:
        """Answer a whole request. It goes on when the caller leaves; its answer is then dropped."""


@lru_cache(maxsize=1024)
def _length(size: int) -> bytes:
    return b"\r\ncontent-length: %d" % size


def _date() -> tuple[bytes, bytes]:
    return b"date", formatdate(time.time(), usegmt=True).encode()
