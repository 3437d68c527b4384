"""One connection to our HTTP/1.1 server: parsing, order, time limits, an end that is heard."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import cast

import httptools
import msgspec

from ..telemetry import log
from .http import Answer, App, HttpRequest
from .reading import Reading, Turn

__all__ = ["Limits", "ServerConnection"]

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


class ServerConnection(Reading):
    """The protocol object of one caller's connection; ``Serving`` makes and checks it.

    A request is handed to the app when all of it has come, and requests that come before the last
    one is answered wait their turn; reading waits with them. A caller that is answered before it
    has sent everything (a body that is too large) is still listened to for a while: closing at once
    would reset the connection, and the answer with it. An offer to upgrade is left unanswered, as
    RFC 9110 allows, and the request served.
    """

    def __init__(self, app: App, limits: Limits, open_ones: set[ServerConnection]) -> None:
        super().__init__()
        self._app = app
        self._limits = limits
        self._open = open_ones
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._until = time.monotonic() + limits.idle
        self._task: asyncio.Task[None] | None = None
        self._turns: deque[Turn] = deque()
        self._busy = False
        self._stopping = False
        self._choked = False
        self._reading = True

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin (called by the loop)."""
        self._transport = cast("asyncio.Transport", transport)
        host, port = transport.get_extra_info("sockname")[:2]
        self.server = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._open.add(self)

    def data_received(self, data: bytes) -> None:
        """Parse what came (called by the loop)."""
        if self.deaf:
            return
        if self.coming is None:
            if not self.head_size and not self._busy:
                self._until = time.monotonic() + self._limits.head
            self.head_size += len(data)
        try:
            self.feed(data)
        except httptools.HttpParserCallbackError:
            log.exception("a request could not be taken")
            self._refuse(500, b"")
            return
        except httptools.HttpParserError:
            self._refuse(400, b"this is not HTTP/1.1\n")
            return
        if self.coming is None and self.head_size > self._limits.head_bytes:
            self._refuse(431, b"the headers are too large\n")

    def eof_received(self) -> bool:
        """Let a caller that only listens from now on have its answer (called by the loop)."""
        self.deaf = self._stopping = True
        return self._busy

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's
        """End; what the app is at goes on and its answer goes nowhere (called by the loop)."""
        self._open.discard(self)
        self._turns.clear()
        self.hear_no_more()

    def pause_writing(self) -> None:
        """Take it that the caller does not read, and see how long (called by the transport)."""
        self._choked = True
        self._until = time.monotonic() + self._limits.write

    def resume_writing(self) -> None:
        """Take it that the caller reads again (called by the transport)."""
        self._choked = False
        self._until = time.monotonic() + self._limits.idle

    # What reading calls.

    def begun(self, turn: Turn) -> int:
        """Give a request its time, and its caller the word it may wait for."""
        limit = self._app.limit(turn.request)
        if not self._busy:
            self._until = time.monotonic() + self._limits.body
            if turn.expects and turn.length <= limit:
                self._write(_CONTINUE)
        return limit

    def arrived(self, turn: Turn) -> None:
        """Serve a request, or let it wait for its turn."""
        if self._busy:
            self._turns.append(turn)
            self._read(on=False)
        else:
            self._begin(turn)

    def too_large(self, turn: Turn) -> None:
        """Refuse a request when its turn comes, and hear no more of it."""
        self.hear_no_more()
        turn.refusal = self._app.too_large(turn.request)
        self.arrived(turn)

    # What the server calls.

    def check(self, now: float) -> None:
        """End the connection where its time is over (called about once a second)."""
        if now < self._until or self._transport is None:
            return
        if self._choked or (self.deaf and not self._busy):
            self._transport.abort()
        elif self.coming is not None and not self._busy:
            self._refuse(408, b"the request took too long\n")
        elif not self._busy:
            self._transport.close()

    def stop(self) -> None:
        """Answer what was begun and close."""
        self._stopping = True
        if not self._busy and self.coming is None and self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close now; what the app is at is cancelled."""
        if self._task is not None:
            self._task.cancel()
        if self._transport is not None:
            self._transport.abort()

    def _begin(self, turn: Turn) -> None:
        if turn.refusal is not None:
            self._reply(turn, turn.refusal)
            return
        self._busy = True
        self._task = self._loop.create_task(self._run(turn))

    async def _run(self, turn: Turn) -> None:
        try:
            answer = await self._app.answer(turn.request)
        except Exception:  # noqa: BLE001 - whatever an app does, the caller gets an answer
            log.exception("the app failed at %s", turn.request.path)
            answer = Answer.own(500, b"", kind=b"text/plain")
        self._reply(turn, answer)

    def _reply(self, turn: Turn, answer: Answer) -> None:
        self._busy = False
        self._task = None
        last = self._stopping and not self._turns
        closing = last or not turn.keep_alive or turn.refusal is not None
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
        elif self.coming is not None and self.coming.expects:
            self._write(_CONTINUE)
        if not self._reading and not self._turns:
            self._read(on=True)

    def _write(self, head: bytes, body: bytes = b"") -> None:
        transport = cast("asyncio.Transport", self._transport)
        if transport.is_closing():
            return
        if len(body) < _LARGE:
            transport.write(head + body)
        else:
            # Not writelines: before Python 3.13.1 asyncio's never says that a caller does not read.
            transport.write(head)
            transport.write(body)

    def _read(self, *, on: bool) -> None:
        transport = self._transport
        if transport is None or transport.is_closing() or on == self._reading:
            return
        self._reading = on
        if on:
            transport.resume_reading()
        else:
            transport.pause_reading()

    def _refuse(self, status: int, why: bytes) -> None:
        self.hear_no_more()
        nobody = HttpRequest("GET", "", b"", [])
        refusal = Answer.own(status, why, kind=b"text/plain")
        self.arrived(Turn(nobody, False, False, False, 0, refusal))

    def _end(self, *, heard: bool) -> None:
        """Close; where not all was ``heard``, say that we are done and listen for a while."""
        transport = cast("asyncio.Transport", self._transport)
        self._turns.clear()
        if heard or transport.is_closing():
            transport.close()
            return
        self.deaf = True
        self._until = time.monotonic() + self._limits.linger
        self._read(on=True)
        transport.write_eof()
