"""Apps on sockets, inside our own event loop, on a small HTTP/1.1 server.

uvicorn was measured first: with it the facade passed on 1.4 times what an aiohttp forwarder does,
and the goal is twice. What it costs is a second write for each answer, and an event, regular
expressions and three messages for each request. Where TLS is to end in this process, the facade
runs under an ASGI server all the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from types import TracebackType
from typing import Self

from ..errors import ConfigError
from .connection import Limits, ServerConnection
from .http import App

__all__ = ["Limits", "Serving"]

TICK = 1.0
"""Seconds between two looks at the connections' time limits."""


class Serving:
    """One app on one address, served while the ``async with`` lasts; several may run side by side.

    Port 0 takes a free one; ``port`` and ``address`` tell which. ``grace`` is how many seconds
    requests under way may take at the end; ``place`` is where the address is written, for the
    error. It handles no signals and keeps no access log: the process does.
    """

    def __init__(
        self,
        app: App,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        grace: float = 10.0,
        limits: Limits | None = None,
        place: str = "",
    ) -> None:
        self.host = host
        self.port = port
        self._app = app
        self._grace = grace
        self._limits = limits or Limits()
        self._place = place
        self.connections: set[ServerConnection] = set()
        self._server: asyncio.Server | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """Give the base address, such as ``http://127.0.0.1:8080``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    async def __aenter__(self) -> Self:
        """Bind and serve. Raises ``ConfigError`` where the address cannot be had."""
        listener = self._bind()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: ServerConnection(self._app, self._limits, self.connections),
            sock=listener,
            backlog=1024,
        )
        self.port = listener.getsockname()[1]
        self._watch = loop.create_task(self._check())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take no more, finish what is under way within ``grace`` seconds, then end it."""
        if self._server is None or self._watch is None:
            return
        self._server.close()
        for connection in list(self.connections):
            connection.stop()
        until = time.monotonic() + self._grace
        while self.connections and time.monotonic() < until:  # noqa: ASYNC110 - at the end only
            await asyncio.sleep(0.01)
        for connection in list(self.connections):
            connection.abort()
        while self.connections:  # noqa: ASYNC110 - the loop's next turn closes them
            await asyncio.sleep(0)
        self._watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._watch
        await self._server.wait_closed()

    async def _check(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            now = time.monotonic()
            for connection in list(self.connections):
                connection.check(now)

    def _bind(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self.host, self.port))
            listener.setblocking(False)
        except OSError as error:
            listener.close()
            raise ConfigError(
                f"cannot listen there: {error.strerror or error}",
                place=self._place,
                value=f"{self.host}:{self.port}",
                expected="an address of this machine with a port that nobody uses",
                remedy="choose another port, or stop what uses it",
            ) from error
        return listener
