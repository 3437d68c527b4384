"""``python -m stranglerfig.ai.worker FD PARENT``: runs one provider for the parent process.

Started by ``ai/link.py``. Ends when its socket ends or its parent is gone, whatever the provider
is doing.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, cast

from .. import registry
from ..errors import FigError, ReplacementError
from ..model import Reply, Request
from ..ports import Provider
from ..telemetry import start_logging
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
    decode_to_worker,
    encode,
    fault_of,
    read_frame,
)

__all__ = ["main"]

_PR_SET_PDEATHSIG: Final = 1
_CLOSING: Final = 1.0
"""Seconds a provider has to close in once the parent let go."""


def main(arguments: list[str]) -> None:
    """Serve until the socket ends. Never returns."""
    descriptor, parent = (int(argument) for argument in arguments)
    _tie_to(parent)
    start_logging(0)
    logging.captureWarnings(capture=True)
    status = asyncio.run(_run(descriptor))
    sys.stderr.flush()
    # Not sys.exit: a thread of the provider that hangs must not keep the process.
    os._exit(status)


def _tie_to(parent: int) -> None:
    """End with the parent: at once where Linux tells us, else within half a second."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to judge
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        with contextlib.suppress(OSError):  # where memory runs out, this goes, not the parent
            Path("/proc/self/oom_score_adj").write_text("500", "ascii")
    threading.Thread(target=_watch, args=(parent,), name="watch", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


async def _run(descriptor: int) -> int:
    connection = socket.socket(fileno=descriptor)
    reader, writer = await asyncio.open_unix_connection(sock=connection)
    say = _Voice(writer)
    try:
        start = decode_to_worker(await read_frame(reader))
    except asyncio.IncompleteReadError:
        return 0
    if not isinstance(start, Start):
        return 2
    try:
        provider = _build(start)
        await provider.open()
        say(Ready(provider.revision))
    except Exception as error:  # noqa: BLE001  whatever it is, the parent is told
        say(Failed(fault_of(error)))
        await say.flush()
        return 3
    try:
        await _serve(provider, reader, say)
    finally:
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_CLOSING):
                await provider.close()
    return 0


class _Voice:
    """The worker's side of the socket."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    def __call__(self, message: FromWorker) -> None:
        self._writer.write(encode(message))

    async def flush(self) -> None:
        with contextlib.suppress(OSError):
            await self._writer.drain()
            self._writer.close()
            await self._writer.wait_closed()


def _build(start: Start) -> Provider:
    part = registry.find("providers", start.provider, place=f"{start.place}.provider")
    build = cast("Callable[..., Provider]", part)
    return build(
        name=start.name,
        options=start.options,
        place=start.place,
        root=Path(start.root),
        revision=start.revision,
    )


async def _serve(provider: Provider, reader: asyncio.StreamReader, say: _Voice) -> None:
    tasks: set[asyncio.Task[None]] = set()
    while True:
        try:
            message = decode_to_worker(await read_frame(reader))
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        if isinstance(message, Ping):
            say(Pong())
        elif isinstance(message, Ask):
            task = asyncio.create_task(_answer(provider, message, say))
            tasks.add(task)
            task.add_done_callback(tasks.discard)


async def _answer(provider: Provider, ask: Ask, say: _Voice) -> None:
    try:
        reply = await provider.answer(ask.request)
        _check(ask.request, reply)
        say(Answer(ask.number, reply))
    except FigError as error:
        say(Fault(ask.number, fault_of(error)))
    except Exception as error:  # the provider's own: it costs one request, not the worker
        logging.getLogger("stranglerfig").exception("the provider raised")
        say(Fault(ask.number, fault_of(error)))


def _check(request: Request, reply: object) -> None:
    """Refuse what is no reply to this request. Raises ``ReplacementError``."""
    problem = ""
    if not isinstance(reply, Reply):
        problem = f"a {type(reply).__name__}"
    elif reply.request_id != request.id:
        problem = "a reply to another request"
    elif reply.status not in {"ok", "refused", "abstained", "error"}:
        problem = "a reply of a status that there is not"
    elif reply.status == "ok" and reply.payload is None:
        problem = "a reply without a payload"
    elif reply.confidence is not None and not 0 <= reply.confidence <= 1:
        problem = f"a confidence of {reply.confidence}"
    if problem:
        raise ReplacementError(
            f"the provider gave {problem}", expected="a Reply to the request it was asked"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
