"""One HTTP/1.1 connection to a legacy system, with at most one exchange on it at a time."""

from __future__ import annotations

import asyncio
import math
import select
from typing import cast

import httptools
import msgspec

from .headers import Fields

__all__ = ["Broken", "Connection", "Response"]

MAX_HEAD = 64 * 1024
"""Bytes of a response's first line and headers."""


class Response(msgspec.Struct, frozen=True):
    """A whole answer. ``headers`` are as they came, with the hop's own; ``body`` is unframed."""

    status: int
    reason: bytes
    headers: Fields
    body: bytes


class Broken(Exception):
    """The exchange ended without a whole answer. ``began``: a part of the answer had come."""

    def __init__(self, why: str, *, began: bool) -> None:
        super().__init__(why)
        self.why = why
        self.began = began


class Connection(asyncio.Protocol):
    """The protocol object of one connection; ``Upstream`` makes it, keeps it and drops it.

    ``max_body`` bounds an answer's body, in bytes. ``used`` counts finished exchanges.
    """

    def __init__(self, max_body: int) -> None:
        self.used = 0
        self.idle_since = 0.0
        self._loop = asyncio.get_running_loop()
        self._max_body = max_body
        self._parser = httptools.HttpResponseParser(self)
        self._poll: select.poll | None = None
        self._answer: asyncio.Future[Response] | None = None
        self._transport: asyncio.Transport | None = None
        self._bodiless = self._began = self._headed = self._until_close = False
        self._keep_alive = True
        self._status = self._head_size = self._size = 0
        self._reason = b""
        self._headers: Fields = []
        self._body: list[bytes] = []
        self._limit = self._until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf

    def exchange(
        self, head: bytes, body: bytes, *, bodiless: bool, limit: float
    ) -> asyncio.Future[Response]:
        """Send a request and give the future of its answer, which may raise ``Broken``.

        ``bodiless`` says that the answer has headers only (HEAD); it must be there within
        ``limit`` seconds. Call it only when ``alive``.
        """
        self._limit = limit
        self._until = until = self._loop.time() + limit
        if until < self._timer_at:
            self._set_timer(until)
        answer: asyncio.Future[Response] = self._loop.create_future()
        self._answer, self._bodiless = answer, bodiless
        self._began = self._headed = self._until_close = False
        self._head_size = self._size = 0
        self._reason = b""
        self._headers = []
        self._body = []
        transport = cast("asyncio.Transport", self._transport)
        if len(body) < MAX_HEAD:
            transport.write(head + body)
        else:
            transport.writelines((head, body))
        return answer

    @property
    def alive(self) -> bool:
        """Tell whether a request may be sent: open, idle, and nothing (no end either) has come.

        The socket itself is asked: the loop may not have told yet.
        """
        transport = self._transport
        if transport is None or transport.is_closing() or self._answer is not None:
            return False
        return self._poll is None or not self._poll.poll(0)

    @property
    def reusable(self) -> bool:
        """Tell whether the last exchange left the connection fit for another one."""
        transport = self._transport
        return (
            self._keep_alive
            and transport is not None
            and not transport.is_closing()
            and not transport.get_write_buffer_size()
        )

    def drop(self, why: str = "the connection was closed") -> None:
        """Close at once, without sending what is still buffered; a waiting exchange is broken."""
        self._fail(why)
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Close in good order; for a connection without an exchange."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (called by the loop)."""
        self._transport = cast("asyncio.Transport", transport)
        connected = transport.get_extra_info("socket")
        if connected is not None and transport.get_extra_info("sslcontext") is None:
            self._poll = select.poll()
            self._poll.register(connected.fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """Parse a part of the answer (called by the loop)."""
        if self._answer is None:
            self.drop()  # nobody asked: whatever it is, it must not become the next answer
            return
        self._began = True
        self._head_size += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.drop(f"the answer is not HTTP/1.1 ({error})")
            return
        if not self._headed and self._head_size > MAX_HEAD:
            self.drop(f"the answer's headers are over {MAX_HEAD} bytes")

    def eof_received(self) -> bool:
        """Take the other side's end, which completes an answer that has no length."""
        if self._headed and self._until_close:
            self._finish()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Break what is still waiting (called by the loop)."""
        self._poll = None
        self._keep_alive = False
        if self._timer is not None:
            self._timer.cancel()
        reason = f" ({exc})" if exc else ""
        self._fail(f"the connection was closed{reason}")

    def on_status(self, status: bytes) -> None:
        """Keep a part of the reason phrase (called by the parser)."""
        self._reason += status

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; trailers after the body are not headers (called by the parser)."""
        if not self._headed:
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Decide how the body ends (called by the parser)."""
        self._status = self._parser.get_status_code()
        if self._answer is None:
            self.drop()  # a second answer to one request
        if self._status < 200:
            self._reason, self._headers = b"", []
            return
        self._headed = True
        self._keep_alive = self._parser.should_keep_alive()
        if self._bodiless:
            self._parser = httptools.HttpResponseParser(self)  # this one waits for a body
            self._finish()
            return
        if not self._keep_alive:
            names = {name.lower() for name, _ in self._headers}
            self._until_close = not names & {b"content-length", b"transfer-encoding"}

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body (called by the parser)."""
        self._size += len(body)
        if self._size > self._max_body:
            self.drop(f"the answer is over {self._max_body} bytes")
            return
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Hand the answer over, unless it was a 1xx (called by the parser)."""
        if self._headed:
            self._finish()

    def _set_timer(self, at: float) -> None:
        """Keep one timer for many exchanges: setting one for each costs more than the rest."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        self._timer = self._loop.call_at(at, self._expire)

    def _expire(self) -> None:
        self._timer, self._timer_at = None, math.inf
        if self._answer is None:
            return
        if self._loop.time() < self._until:
            self._set_timer(self._until)
        else:
            self.drop(f"no whole answer within {self._limit:.3g} s")

    def _finish(self) -> None:
        answer, self._answer = self._answer, None
        self.used += 1
        if answer is not None and not answer.done():
            body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
            answer.set_result(Response(self._status, self._reason, self._headers, body))
        self._body = []

    def _fail(self, why: str) -> None:
        answer, self._answer = self._answer, None
        self._body = []
        if answer is not None and not answer.done():
            answer.set_exception(Broken(why, began=self._began))
