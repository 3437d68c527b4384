"""The one thread that owns a model: it embeds together what is asked for at the same time."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from ..errors import DeadlineExceeded, FigError, ReplacementError, ReplacementUnavailable

__all__ = ["Owner", "Work"]

TOGETHER: Final = 16
_PATIENCE: Final = 5.0
"""Seconds that ``close`` waits for a run to end; a thread that hangs is left behind."""

T = TypeVar("T")
Work = Callable[[Sequence[str]], Sequence[T]]


class _Asked(Generic[T]):
    def __init__(self, text: str, deadline: float | None) -> None:
        self.text = text
        self.deadline = deadline
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[T] = self.loop.create_future()

    def give(self, value: T | FigError) -> None:
        try:
            self.loop.call_soon_threadsafe(self._settle, value)
        except RuntimeError:  # the loop is closed: nobody waits any more
            return

    def _settle(self, value: T | FigError) -> None:
        if self.future.done():
            return
        if isinstance(value, FigError):
            self.future.set_exception(value)
        else:
            self.future.set_result(value)


class Owner(Generic[T]):
    """Runs a blocking model in its own thread, up to ``TOGETHER`` texts at a time.

    ``load`` runs in that thread and gives the function that answers a batch; what it raises comes
    out of ``open``. Used from one event loop.
    """

    def __init__(self, name: str, load: Callable[[], Work[T]]) -> None:
        self._name = name
        self._load = load
        self._queue: queue.SimpleQueue[_Asked[T] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    async def open(self) -> None:
        """Start the thread and load. Raises what ``load`` raises."""
        loop = asyncio.get_running_loop()
        loaded: asyncio.Future[FigError | None] = loop.create_future()

        def tell(outcome: FigError | None) -> None:
            if not loaded.done():
                loaded.set_result(outcome)

        def run() -> None:
            work, trouble = self._try_load()
            try:
                loop.call_soon_threadsafe(tell, trouble)
            except RuntimeError:  # the loop is closed: nobody waits any more
                return
            if work is not None:
                self._serve(work)

        self._thread = threading.Thread(target=run, name=self._name, daemon=True)
        self._thread.start()
        trouble = await loaded
        if trouble is not None:
            await self.close()
            raise trouble

    async def ask(self, text: str, deadline: float | None) -> T:
        """Give the model's answer to one text. ``deadline`` is in seconds since the epoch.

        Raises ``ReplacementError``; ``DeadlineExceeded`` where its turn came too late.
        """
        if self._thread is None:
            raise ReplacementUnavailable("is not open", place=self._name)
        asked = _Asked[T](text, deadline)
        self._queue.put(asked)
        return await asked.future

    async def close(self) -> None:
        """Let the thread end after what it has taken. May be called twice."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            await asyncio.to_thread(thread.join, _PATIENCE)

    def _try_load(self) -> tuple[Work[T] | None, FigError | None]:
        try:
            return self._load(), None
        except FigError as error:
            return None, error
        except Exception as error:  # noqa: BLE001  a library's own: only ours may come out
            return None, ReplacementUnavailable(
                f"cannot be loaded: {type(error).__name__}: {error}", place=self._name
            )

    def _serve(self, work: Work[T]) -> None:
        while True:
            batch, last = self._take()
            self._answer(work, batch)
            if last:
                return

    def _take(self) -> tuple[list[_Asked[T]], bool]:
        """Wait for one, then take what is there; True when it is the last."""
        batch: list[_Asked[T]] = []
        while len(batch) < TOGETHER:
            try:
                asked = self._queue.get(block=not batch)
            except queue.Empty:
                break
            if asked is None:
                return batch, True
            batch.append(asked)
        return batch, False

    def _answer(self, work: Work[T], batch: Sequence[_Asked[T]]) -> None:
        now = time.time()
        live = []
        for asked in batch:
            if asked.deadline is not None and asked.deadline <= now:
                asked.give(DeadlineExceeded("its turn came too late", place=self._name))
            else:
                live.append(asked)
        if not live:
            return
        try:
            answers = work([asked.text for asked in live])
        except Exception as error:  # noqa: BLE001  a library's own: only ours may come out
            failed = ReplacementError(f"{type(error).__name__}: {error}", place=self._name)
            for asked in live:
                asked.give(failed)
            return
        for asked, answer in zip(live, answers, strict=True):
            asked.give(answer)
