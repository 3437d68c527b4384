"""A sink in this process, for benchmarks and tests. It keeps every law that a real one keeps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..errors import LegacyUnavailable
from ..model import Outgoing

__all__ = ["MemorySink"]


class MemorySink:
    """Keeps messages in ``got``, each once where ``once`` is set.

    ``before`` and ``after`` are called with what is sent, before and after it is kept, and may
    raise.
    """

    def __init__(self, name: str, *, once: bool = True) -> None:
        self.name = name
        self.once = once
        self.got: list[Outgoing] = []
        self.before: Callable[[Sequence[Outgoing]], None] | None = None
        self.after: Callable[[Sequence[Outgoing]], None] | None = None
        self._is_open = False

    def __repr__(self) -> str:
        return f"MemorySink({self.name!r})"

    async def open(self) -> None:
        """Make ready."""
        self._is_open = True

    async def send(self, messages: Sequence[Outgoing]) -> None:
        """Keep all, or none where ``before`` raises."""
        if not self._is_open:
            raise LegacyUnavailable("the sink is not open", place=self.name, remedy="open it")
        if self.before is not None:
            self.before(messages)
        known = {one.message_id for one in self.got} if self.once else set()
        for one in messages:
            if one.message_id not in known:
                self.got.append(one)
                known |= {one.message_id} if self.once else set()
        if self.after is not None:
            self.after(messages)

    async def close(self) -> None:
        """Let go; what was sent stays."""
        self._is_open = False
