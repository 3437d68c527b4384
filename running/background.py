"""What runs beside the callers until the process ends."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

from ..telemetry import log

__all__ = ["Background"]


class Background:
    """Tasks that nobody awaits; one that fails is logged. Owned by one event loop."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, name: str, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Begin a task, and keep it."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def stop(self) -> None:
        """Cancel all, and wait until they have ended. May be called twice."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a part of the process ended: %s", task.get_name(), exc_info=task.exception())
