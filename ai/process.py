"""A provider in a process of its own: a crash, a hang or a swollen memory there stays there."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ..errors import DeadlineExceeded, FigError, NotAsked, ReplacementUnavailable
from ..model import Reply, Request
from ..telemetry import log
from .link import Link
from .wire import Start

__all__ = ["ProviderProcess"]

FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 10.0
STEADY: Final = 10.0
"""A worker that ran so many seconds is restarted quickly again."""

CLOSING: Final = 3.0


class ProviderProcess:
    """Runs a registered provider in a worker process, and starts it anew whenever it fails.

    ``provider`` is its registered name; ``name``, ``options``, ``place``, ``root`` and ``revision``
    are handed to it. ``deadline`` is the most seconds an answer may take; a worker that answers
    nothing for ``stall`` seconds (0: twice the deadline) while requests wait, or gives no sign of
    life, is killed. While there is no worker every ``answer`` fails at once. Once it was ready, it
    only ever serves that revision. Owned by one event loop; start it from a thread that lasts, as
    Linux ends the worker with the thread that started it.
    """

    def __init__(
        self,
        *,
        provider: str,
        name: str,
        options: Mapping[str, object],
        place: str = "",
        root: Path = Path(),
        revision: str = "",
        deadline: float = 2.0,
        stall: float = 0.0,
        start_timeout: float = 30.0,
    ) -> None:
        self._provider = provider
        self._name = name
        self._options = options
        self._place = place or f"replacement.{name}"
        self._root = root
        self._revision = revision
        self._deadline = deadline
        self._stall = stall or 2 * deadline
        self._start_timeout = start_timeout
        self._link: Link | None = None
        self._trouble: FigError = ReplacementUnavailable("is not open", place=self._place)
        self._logged = ""
        self._tried = asyncio.Event()
        self._supervisor: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        """Name it and say how it is; the options stay out."""
        state = "ready" if self.ready else self._trouble.message
        return f"ProviderProcess({self._provider!r}, {self._name!r}, {state})"

    @property
    def revision(self) -> str:
        """Give the revision that is served, else the one asked for; "" while none is known."""
        return self._revision

    @property
    def ready(self) -> bool:
        """Tell whether a worker answers now."""
        return self._link is not None and self._link.alive

    @property
    def trouble(self) -> str:
        """Say why there is no worker; "" while there is one."""
        return "" if self.ready else str(self._trouble)

    @property
    def pid(self) -> int | None:
        """Give the worker's process, while there is one."""
        return self._link.pid if self._link is not None and self._link.alive else None

    async def open(self) -> None:
        """Start the worker and wait until it is ready or its first start failed.

        Raises ``ReplacementUnavailable`` with the provider's own reason; it goes on being tried in
        the background then, until ``close``.
        """
        if self._supervisor is None:
            self._supervisor = asyncio.create_task(self._supervise())
        await self._tried.wait()
        if not self.ready:
            raise self._unavailable()

    async def answer(self, request: Request) -> Reply:
        """Let the worker answer. Raises ``ReplacementError``, at once where there is no worker."""
        link = self._link
        if link is None or not link.alive:
            raise self._unavailable()
        timeout = self._deadline
        if request.deadline is not None:
            timeout = min(timeout, request.deadline - time.time())
        if timeout <= 0:
            raise DeadlineExceeded("no time was left for an answer", place=self._place)
        return await link.ask(request, timeout)

    async def close(self) -> None:
        """End the worker and stop trying. May be called twice."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is not None:
            supervisor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await supervisor
        self._trouble = ReplacementUnavailable("is closed", place=self._place)

    async def _supervise(self) -> None:
        pause = FIRST_PAUSE
        while True:
            started = time.monotonic()
            trouble = await self._run_once()
            if time.monotonic() - started > STEADY:
                pause = FIRST_PAUSE
            self._down(trouble, pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _run_once(self) -> FigError:
        """Run one worker from its start to its end, and give the reason of the end."""
        start = Start(
            provider=self._provider,
            name=self._name,
            options=self._options,
            place=self._place,
            root=str(self._root),
            revision=self._revision,
        )
        try:
            link = await Link.connect(start, self._start_timeout)
        except FigError as error:
            return error
        except OSError as error:
            return ReplacementUnavailable(
                f"its process cannot be reached: {error}", place=self._place
            )
        self._up(link)
        try:
            reason = await self._watch(link)
            return ReplacementUnavailable(reason, place=self._place)
        finally:
            await link.finish("was closed", CLOSING)
            self._link = None

    async def _watch(self, link: Link) -> str:
        """Wait until the worker ends, or kill it where it hangs; give the reason."""
        round_ = min(self._stall / 4, 0.5)
        last = time.monotonic()
        while not link.ended.done():
            await asyncio.wait([link.ended], timeout=round_)
            late = time.monotonic() - last > 4 * round_
            last = time.monotonic()
            # Where we ourselves were held up, its answers may lie unread: look again first.
            hanging = "" if late else link.stalled(self._stall)
            if hanging and link.alive:
                await link.finish(hanging, 0.0)
            link.ping()
        return link.ended.result()

    def _up(self, link: Link) -> None:
        self._link = link
        self._revision = link.revision
        self._logged = ""
        # A recovery is as loud as the failure before it was.
        tell = log.warning if self._tried.is_set() else log.info
        tell("%s: ready, revision %s, process %d", self._place, link.revision, link.pid)
        self._tried.set()

    def _down(self, trouble: FigError, pause: float) -> None:
        self._trouble = trouble
        self._tried.set()
        if str(trouble) != self._logged:  # the same again and again is said once
            self._logged = str(trouble)
            log.warning("%s: down, trying again in %.1f s: %s", self._place, pause, trouble)

    def _unavailable(self) -> NotAsked:
        was = self._trouble
        link = self._link
        if link is not None and not link.alive:
            return NotAsked("its worker has just ended", place=self._place)
        return NotAsked(
            was.message,
            place=was.place or self._place,
            value=was.value,
            expected=was.expected,
            remedy=was.remedy,
        )
