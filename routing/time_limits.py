"""Time limits of many tasks of one event loop, all kept by one timer."""

from __future__ import annotations

import asyncio
from math import inf
from types import TracebackType

__all__ = ["TimeLimit", "TimeLimits"]


class TimeLimits:
    """Gives time limits. Owned by one event loop; an endpoint has one for all its requests.

    What ``asyncio.timeout`` does for each, setting and cancelling a timer of its own, costs more
    than all else that the router does for a request.
    """

    def __init__(self) -> None:
        self._running: dict[TimeLimit, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._due = inf

    def within(self, seconds: float) -> TimeLimit:
        """Give a limit, to be used once: ``with limits.within(2.0): await …``.

        The block is cancelled when its time is over, and ``TimeoutError`` leaves it then.
        """
        return TimeLimit(self, seconds)

    def add(self, limit: TimeLimit, loop: asyncio.AbstractEventLoop) -> None:
        """Keep a limit. Called by the limit as its block begins."""
        self._running[limit] = None
        if limit.at < self._due:
            self._set(limit.at, loop)

    def remove(self, limit: TimeLimit) -> None:
        """Let go of a limit. Called by the limit as its block ends."""
        self._running.pop(limit, None)

    def _set(self, at: float, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._due = at
        self._timer = loop.call_at(at, self._expire, loop)

    def _expire(self, loop: asyncio.AbstractEventLoop) -> None:
        """Cancel what is late and set the timer for the next; most have ended long before."""
        self._timer, self._due = None, inf
        now = loop.time()
        for limit in [one for one in self._running if one.at <= now]:
            del self._running[limit]
            limit.expire()
        if self._running:
            self._set(min(one.at for one in self._running), loop)


class TimeLimit:
    """A block's limit: a context manager, with the rules of cancellation of ``asyncio.Timeout``.

    ``expired`` says that its time was over before the block was.
    """

    __slots__ = ("_cancelling", "_limits", "_seconds", "_task", "at", "expired")

    def __init__(self, limits: TimeLimits, seconds: float) -> None:
        self.at = inf
        self._limits = limits
        self._seconds = seconds
        self.expired = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a time limit is for the block of a task")
        self._task = task
        self._cancelling = task.cancelling()
        loop = task.get_loop()
        self.at = loop.time() + self._seconds
        self._limits.add(self, loop)

    def expire(self) -> None:
        """Cancel the block. Called when its time is over."""
        self.expired = True
        self._task.cancel()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._limits.remove(self)
        if not self.expired:
            return
        # A cancellation that came from elsewhere as well must go on.
        ours = self._task.uncancel() <= self._cancelling
        if ours and kind is not None and issubclass(kind, asyncio.CancelledError):
            raise TimeoutError from error
