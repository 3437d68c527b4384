"""Who still uses what one workspace made: it is closed when the last of them has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

__all__ = ["Uses"]

_Given = TypeVar("_Given")
_Got = TypeVar("_Got")


class Uses:
    """Counts calls under way. Owned by one event loop."""

    def __init__(self) -> None:
        self._count = 0
        self._none = asyncio.Event()
        self._none.set()

    def counted(
        self, call: Callable[[_Given], Awaitable[_Got]]
    ) -> Callable[[_Given], Awaitable[_Got]]:
        """Give a call that counts as a use while it lasts."""

        async def use(given: _Given) -> _Got:
            if not self._count:
                self._none.clear()
            self._count += 1
            try:
                return await call(given)
            finally:
                self._count -= 1
                if not self._count:
                    self._none.set()

        return use

    async def ended(self, seconds: float) -> bool:
        """Wait until nobody uses it; False where that takes longer."""
        try:
            async with asyncio.timeout(seconds):
                await self._none.wait()
        except TimeoutError:
            return False
        return True
