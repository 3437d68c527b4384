"""A pooled HTTP/1.1 client on raw protocols: what every call to a legacy HTTP system goes through.

It is small because each generic client measured was the bottleneck of the facade. It never follows
redirects, never decodes a body and never repeats a request, except where nothing can have happened
(see ``Upstream.request``).
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import deque

from ..errors import InDoubt, InputError, LegacyUnavailable
from .address import Address
from .connection import Broken, Connection, Response
from .headers import Fields, joined

__all__ = ["Response", "Upstream"]

IDLE = 4.0
"""Seconds an unused connection is kept: below the 5 s after which common servers close theirs."""


_OURS = frozenset({b"host", b"content-length"})
_BODILESS = frozenset({b"GET", b"HEAD", b"DELETE", b"OPTIONS"})


class Upstream:
    """Connections to one address; adapters and facades share it. Belongs to one event loop.

    ``timeout`` (seconds) bounds a whole request, ``connect_timeout`` its connecting; at most
    ``connections`` are open at a time, and requests beyond wait their turn. ``ca`` is a file of
    certificates to trust instead of the system's. ``max_response`` bounds an answer, in bytes.
    ``idle`` (seconds) must lie below the time after which the other side closes idle connections.
    """

    def __init__(
        self,
        address: str,
        *,
        timeout: float,
        connections: int = 64,
        connect_timeout: float = 5.0,
        ca: str = "",
        max_response: int = 64 * 1024 * 1024,
        idle: float = IDLE,
    ) -> None:
        self.address = Address.parse(address)
        self.timeout = timeout
        self._connect_timeout = connect_timeout
        self._max_response = max_response
        self._keep = idle
        self._free = connections
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False
        self._tls = ssl.create_default_context(cafile=ca or None) if self.address.secure else None
        self._common = f"Host: {self.address.authority}".encode("ascii")

    def __repr__(self) -> str:
        return f"Upstream({str(self.address)!r})"

    async def request(
        self,
        method: bytes,
        target: bytes,
        headers: Fields,
        body: bytes,
        *,
        timeout: float | None = None,
        repeatable: bool = False,
    ) -> Response:
        """Send a request and give the whole answer, whatever its status.

        ``headers`` are end-to-end ones; Host and Content-Length are ours. ``timeout`` in seconds
        shortens or lengthens the upstream's own. It is sent again in one case only: it is
        ``repeatable`` and a connection that had been used before died before answering at all.

        Raises ``LegacyUnavailable`` where nothing was sent, ``InDoubt`` where it was sent and no
        whole answer came, and ``InputError`` for headers that would break the request apart.
        """
        limit = self.timeout if timeout is None else timeout
        now = time.monotonic()
        until = now + limit
        head = self._head(method, target, headers, body)
        if self._free and not self._closed:
            self._free -= 1
        else:
            await self._wait_for_slot(limit)
            now = time.monotonic()
        try:
            connection = self._pooled(now) or await self._connect(until)
            fresh = not connection.used
            try:
                return await self._exchange(connection, method, head, body, until)
            except Broken as broken:
                if fresh or broken.began or not repeatable or time.monotonic() >= until:
                    raise self._in_doubt(broken.why) from broken
            connection = await self._connect(until)
            try:
                return await self._exchange(connection, method, head, body, until)
            except Broken as broken:
                raise self._in_doubt(broken.why) from broken
        finally:
            self._give_slot()

    async def close(self) -> None:
        """Close all connections; requests under way are broken. May be called twice."""
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        for turn in self._waiting:
            if not turn.done():
                turn.set_exception(self._gone())
        self._waiting.clear()
        for connection in (*self._idle, *self._busy):
            connection.drop("the upstream was closed")
        self._idle.clear()
        await asyncio.sleep(0)  # the loop closes sockets in its next turn

    def _head(self, method: bytes, target: bytes, headers: Fields, body: bytes) -> bytes:
        block = joined(headers)
        lowered = block.lower()
        if b"\nhost:" in lowered or b"\ncontent-length:" in lowered:
            headers = [field for field in headers if field[0].lower() not in _OURS]
            block = joined(headers)
        first_line = b"%s %s HTTP/1.1\r\n%s" % (method, target, self._common)
        length = b"\r\nContent-Length: %d" % len(body) if body or method not in _BODILESS else b""
        ends = len(headers)
        if block.count(b"\n") != ends or block.count(b"\r") != ends or b" " in target:
            raise InputError(
                "a line end in a header, or a blank in the path",
                place=f"{method.decode('latin-1')} to {self.address}",
                expected="headers of one line each",
            )
        return b"%s%s%s\r\n\r\n" % (first_line, block, length)

    async def _wait_for_slot(self, limit: float) -> None:
        if self._closed:
            raise self._gone()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(limit):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._give_slot()  # it was given while we gave up
            if not isinstance(error, TimeoutError):
                raise
            why = f"all connections were busy for {limit:g} s"
            remedy = "allow more connections, or find out why it is slow"
            raise self._unavailable(why, remedy) from error

    def _give_slot(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _pooled(self, now: float) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if now - connection.idle_since < self._keep and connection.alive:
                return connection
            connection.close()
        return None

    async def _connect(self, until: float) -> Connection:
        limit = min(until - time.monotonic(), self._connect_timeout)
        loop = asyncio.get_running_loop()
        where = self.address
        try:
            async with asyncio.timeout(limit):
                _, connection = await loop.create_connection(
                    lambda: Connection(self._max_response), where.host, where.port, ssl=self._tls
                )
        except TimeoutError as error:
            raise self._unavailable(f"no connection within {limit:.3g} s") from error
        except OSError as error:
            raise self._unavailable(str(error) or type(error).__name__) from error
        return connection

    async def _exchange(
        self, connection: Connection, method: bytes, head: bytes, body: bytes, until: float
    ) -> Response:
        limit = until - time.monotonic()
        if limit <= 0:
            connection.close()
            raise self._unavailable("the time was over before anything was sent")
        answer = connection.exchange(head, body, bodiless=method == b"HEAD", limit=limit)
        self._busy.add(connection)
        try:
            response = await answer
        except asyncio.CancelledError:
            connection.drop("the request was cancelled")
            raise
        finally:
            self._busy.discard(connection)
        self._put_back(connection)
        return response

    def _put_back(self, connection: Connection) -> None:
        if self._closed or not connection.reusable:
            connection.close()
            return
        connection.idle_since = time.monotonic()
        self._idle.append(connection)
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().call_later(self._keep, self._sweep)

    def _sweep(self) -> None:
        oldest = time.monotonic() - self._keep
        kept = [connection for connection in self._idle if connection.idle_since > oldest]
        for connection in self._idle[: len(self._idle) - len(kept)]:
            connection.close()
        self._idle = kept
        self._sweeper = (
            asyncio.get_running_loop().call_later(self._keep, self._sweep) if kept else None
        )

    def _unavailable(self, why: str, remedy: str = "") -> LegacyUnavailable:
        return LegacyUnavailable(
            f"cannot be reached: {why}",
            place=str(self.address),
            expected="a server that answers there",
            remedy=remedy or "see that it runs; nothing was sent, so trying again is safe",
        )

    def _gone(self) -> LegacyUnavailable:
        return self._unavailable("its connections were closed here", "this process is stopping")

    def _in_doubt(self, why: str) -> InDoubt:
        return InDoubt(
            f"the request was sent, and {why}",
            place=str(self.address),
            expected="a whole answer",
            remedy="find out whether it had its effect before it is sent again",
        )
