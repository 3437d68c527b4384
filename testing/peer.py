"""A legacy HTTP server in a test's hands: it says on the wire exactly what the test says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

__all__ = ["Peer", "Says", "plain"]

Says = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]
"""Given a whole request (headers and body), writes whatever it likes, or closes, or waits."""


def plain(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    """Write an ordinary answer."""
    lines = [b"HTTP/1.1 " + status, *headers, b"Content-Length: %d" % len(body)]
    return b"\r\n".join([*lines, b"", body])


class Peer:
    """Serves on a free port of the loopback while the ``async with`` lasts.

    ``requests`` holds every request that came whole; ``connections`` counts those ever accepted,
    ``open`` those that are open, and ``most`` the most that were at a time.
    """

    def __init__(self, says: Says) -> None:
        self.says = says
        self.requests: list[bytes] = []
        self.connections = 0
        self.open = 0
        self.most = 0
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """Give the base address."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the door and every connection."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # the loop closes sockets in its next turn

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self.connections += 1
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            while not writer.is_closing():
                request = await _request(reader)
                self.requests.append(request)
                await self.says(request, writer)
                await writer.drain()
            await writer.wait_closed()
        except (asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
            pass
        finally:
            self.open -= 1
            writer.transport.abort()


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return head + await reader.readexactly(length)
