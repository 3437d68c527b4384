"""Look-ups of many tasks in one: what is asked while one is under way goes into the next."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Generic, TypeVar

__all__ = ["Lookup"]

K = TypeVar("K")
V = TypeVar("V")

_MOST: Final = 500


class Lookup(Generic[K, V]):
    """Reads by key, in a thread, for tasks of one event loop. ``read`` blocks.

    Whoever asks gets what was read after it asked, never from a look that was under way already.
    """

    def __init__(self, read: Callable[[Sequence[K]], Mapping[K, V]]) -> None:
        self._read = read
        self._asked: dict[K, asyncio.Future[V | None]] = {}
        self._working: asyncio.Task[None] | None = None

    async def get(self, key: K) -> V | None:
        """Give what stands under a key, None where nothing does. Raises what ``read`` raises."""
        future = self._asked.get(key)
        if future is None:
            future = self._asked[key] = asyncio.get_running_loop().create_future()
            if self._working is None or self._working.done():
                self._working = asyncio.create_task(self._work())
        # One who is cancelled must not take the answer from the others.
        return await asyncio.shield(future)

    async def _work(self) -> None:
        while self._asked:
            batch = dict(itertools.islice(self._asked.items(), _MOST))
            for key in batch:
                del self._asked[key]
            try:
                found = await asyncio.to_thread(self._read, list(batch))
            except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
                for future in batch.values():
                    future.set_exception(error)
                    future.exception()  # it is told to those who still wait
                continue
            for key, future in batch.items():
                future.set_result(found.get(key))
