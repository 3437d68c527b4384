"""One worker process, and the talk with it: many requests in flight, each with its number."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from itertools import count
from typing import Final

import msgspec

from ..errors import DeadlineExceeded, FigError, NotAsked, ReplacementUnavailable
from ..model import Reply, Request
from ..telemetry import log
from .spawn import end, spawn, status
from .wire import (
    Answer,
    Ask,
    Failed,
    Fault,
    FromWorker,
    Ping,
    Pong,
    Ready,
    Start,
    ToWorker,
    decode_from_worker,
    encode,
    error_of,
    read_frame,
)

__all__ = ["Link"]

WAITING: Final = 1000
"""So many requests may wait for a worker; more are refused at once."""

UNREAD: Final = 64 * 1024 * 1024
"""So many bytes may wait for a worker to read them."""

LINE: Final = 2000
"""A worker's line in our log is cut after so many characters."""


class Link:
    """A worker that is ready: made by ``connect``, used from one event loop.

    ``alive`` turns False the moment it is known to be gone; ``ended`` is done, with the reason,
    when it is reaped. ``revision`` is its provider's, ``pid`` its process.
    """

    def __init__(
        self,
        place: str,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        loop = asyncio.get_running_loop()
        self._place = place
        self._process = process
        self._writer = writer
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._unanswered: dict[int, float] = {}
        self._numbers = count(1)
        self._heard = time.monotonic()
        self._pinged: float | None = None
        self._opened: asyncio.Future[str | FigError] = loop.create_future()
        self._finishing: asyncio.Task[None] | None = None
        self._words = ""
        self.alive = True
        self.revision = ""
        self.pid = process.pid
        self.ended: asyncio.Future[str] = loop.create_future()
        self._listening = loop.create_task(self._listen(reader))
        self._hearing = loop.create_task(self._pass_on())

    @classmethod
    async def connect(cls, start: Start, timeout: float) -> Link:
        """Start a worker and wait, ``timeout`` seconds at most, until its provider is open.

        Raises ``FigError`` with what the provider said; the worker is gone then.
        """
        frame = encode(start)
        ours, theirs = socket.socketpair()
        try:
            process = await spawn(theirs.fileno())
        except (OSError, asyncio.CancelledError) as error:
            ours.close()
            if isinstance(error, OSError):
                raise ReplacementUnavailable(
                    f"its process cannot be started: {error}", place=start.place
                ) from error
            raise
        finally:
            theirs.close()
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        link = cls(start.place, process, reader, writer)
        try:
            writer.write(frame)
            await link._open(timeout)
        except BaseException:
            await link.finish("was not ready", 0.0)
            raise
        return link

    async def ask(self, request: Request, timeout: float) -> Reply:
        """Hand a request over and wait for its reply, ``timeout`` seconds at most.

        Raises ``ReplacementError``: at once where the worker is gone or too much waits for it.
        """
        if not self.alive:
            raise NotAsked("its worker is gone", place=self._place)
        self._refuse_too_many()
        number = next(self._numbers)
        self._say(Ask(number, request))
        self._unanswered[number] = time.monotonic()
        waiting: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiting
        try:
            async with asyncio.timeout(timeout):
                return await waiting
        except TimeoutError:
            raise DeadlineExceeded(
                f"no answer within {timeout:.3g} s",
                place=self._place,
                remedy="raise its deadline, or see why its worker is slow",
            ) from None
        finally:
            del self._waiting[number]

    def ping(self) -> None:
        """Ask for a sign of life, where none is asked for already."""
        if self.alive and self._pinged is None:
            self._pinged = time.monotonic()
            self._say(Ping())

    def stalled(self, stall: float) -> str:
        """Say why the worker must count as hanging, or "".

        It does when it left a ping, or all the requests that wait, unanswered for ``stall``
        seconds. A request that its caller gave up still waits: a late answer is a sign of life.
        """
        now = time.monotonic()
        if self._pinged is not None and now - self._pinged > stall:
            return f"it gave no sign of life for {stall:.3g} s"
        oldest = next(iter(self._unanswered.values()), now)
        if now - max(oldest, self._heard) > stall:
            waiting = len(self._unanswered)
            return f"it answered nothing for {stall:.3g} s while {waiting} requests waited"
        return ""

    async def finish(self, why: str, grace: float) -> None:
        """End the worker: ``grace`` seconds to close, then it is killed. May be called twice."""
        if self._finishing is None:
            self._finishing = asyncio.get_running_loop().create_task(self._finish(why, grace))
        await asyncio.shield(self._finishing)

    async def _open(self, timeout: float) -> None:
        try:
            async with asyncio.timeout(timeout):
                outcome = await self._opened
        except TimeoutError:
            raise ReplacementUnavailable(
                f"was not ready within {timeout:.3g} s", place=self._place
            ) from None
        if isinstance(outcome, FigError):
            raise outcome
        self.revision = outcome

    def _refuse_too_many(self) -> None:
        unread = self._writer.transport.get_write_buffer_size()
        if len(self._unanswered) >= WAITING or unread >= UNREAD:
            raise NotAsked(
                "its worker is too busy",
                place=self._place,
                value=f"{len(self._unanswered)} requests wait, {unread} bytes are not read",
            )

    def _say(self, message: ToWorker) -> None:
        self._writer.write(encode(message))

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        why = "its worker is gone"
        try:
            while True:
                self._take(decode_from_worker(await read_frame(reader)))
        except (asyncio.IncompleteReadError, OSError):
            grace = 1.0
        except (msgspec.DecodeError, ValueError, ArithmeticError) as error:
            why, grace = f"its worker speaks nonsense ({error})", 0.0
        if self._finishing is None:
            self._finishing = asyncio.get_running_loop().create_task(self._finish(why, grace))

    def _take(self, message: FromWorker) -> None:
        match message:
            case Ready(revision):
                self._settle_open(revision)
            case Failed(error):
                self._settle_open(error_of(error))
            case Pong():
                self._pinged = None
            case Answer(number) | Fault(number):
                self._heard = time.monotonic()
                self._unanswered.pop(number, None)
                waiting = self._waiting.get(number)
                if waiting is None or waiting.done():
                    return
                if isinstance(message, Answer):
                    waiting.set_result(message.reply)
                else:
                    waiting.set_exception(error_of(message.error))

    def _settle_open(self, outcome: str | FigError) -> None:
        if not self._opened.done():
            self._opened.set_result(outcome)

    async def _pass_on(self) -> None:
        """Put what the worker prints into our log; keep the last line, to say why it ended."""
        stream = self._process.stdout
        rest = b""
        while stream is not None and (chunk := await stream.read(8192)):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > LINE:
                lines, rest = [*lines, rest], b""
            for line in lines:
                text = line.decode("utf-8", "backslashreplace").strip()[:LINE]
                if text:
                    self._words = text
                    log.warning("%s: worker %d: %s", self._place, self.pid, text)

    async def _finish(self, why: str, grace: float) -> None:
        self.alive = False
        self._writer.close()
        gone = ReplacementUnavailable(f"{why} with the request in hand", place=self._place)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(gone)
        await end(self._process, grace)
        await asyncio.wait([self._hearing], timeout=1.0)
        self._hearing.cancel()
        self._listening.cancel()
        words = f"; its last words: {self._words}" if self._words else ""
        reason = f"{why}: {status(self._process)}{words}"
        self._settle_open(ReplacementUnavailable(reason, place=self._place))
        self.ended.set_result(reason)
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
