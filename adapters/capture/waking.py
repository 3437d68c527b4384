"""A waker in its own thread: what it hears is told to the event loop; its loss is only slower."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from ...telemetry import log
from .dialect import Waker

__all__ = ["Waking"]

_WAIT: Final = 60.0
_AGAIN: Final = (0.1, 1.0, 5.0, 15.0)


class Waking:
    """Calls ``wake`` on the loop whenever there may be something new. Built on the loop."""

    def __init__(self, name: str, waker: Waker, wake: Callable[[], None]) -> None:
        self.hears = False
        """Whether it hears now: only then may its owner look rarely by itself."""
        self._name, self._waker, self._wake = name, waker, wake
        self._loop = asyncio.get_running_loop()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"fig-{name}-waker", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Let it end; it does so within half a second."""
        self._ended.set()
        self._waker.close()

    def _run(self) -> None:
        failures = 0
        while not self._ended.is_set():
            try:
                came = self._waker.wait(_WAIT if self.hears else 0.0)
            except SQLAlchemyError as error:
                self._lose(error, told=failures > 0)
                self._ended.wait(_AGAIN[min(failures, len(_AGAIN) - 1)])
                failures += 1
                continue
            # What came before it heard was not told: a look is due then too.
            if came or not self.hears:
                self._tell()
            self.hears, failures = True, 0
        self.hears = False
        with contextlib.suppress(SQLAlchemyError):
            self._waker.wait(0.0)  # it lets go in the thread that waited

    def _lose(self, error: SQLAlchemyError, *, told: bool) -> None:
        self.hears = False
        if not told and not self._ended.is_set():
            kind = type(getattr(error, "orig", None) or error).__name__
            log.warning("%s: not woken any longer, polling meanwhile (%s)", self._name, kind)
        self._tell()

    def _tell(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._wake)
