"""What waits for the writer thread: bounded, in order, and recallable until it is taken."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Final

import msgspec

from ..errors import StoreError
from .group import Content, Outcome
from .line import Line
from .link import row

__all__ = ["LONGEST", "Backlog", "Item", "refuse"]

LONGEST: Final = 0.002  # seconds that a group waits for more at most
_FEW: Final = 16  # lines; so many that are there already do not wait for more
_QUIET: Final = 0.0003  # and how long nobody may come before it stops waiting


class _State(Enum):
    WAITING = 0
    TAKEN = 1
    WITHDRAWN = 2


_WAITING: Final = _State.WAITING
_TAKEN: Final = _State.TAKEN


class Item(msgspec.Struct, eq=False):
    """Writes on their way. A commit has a ``future``; a flush has ``done``; an append neither.

    Many that were handed over at once have ``outcomes`` in place of a ``future``: one of each.
    ``size`` is how many lines they count for. ``note``: it is the writer's own word on the store.
    """

    contents: tuple[Content, ...]
    loop: asyncio.AbstractEventLoop | None = None
    future: asyncio.Future[bool] | None = None
    outcomes: asyncio.Future[Sequence[Outcome]] | None = None
    done: threading.Event | None = None
    note: bool = False
    state: _State = _WAITING
    size: int = 0

    def __post_init__(self) -> None:
        """Count the lines, once."""
        contents = self.contents
        if len(contents) == 1:  # nearly always
            self.size = len(contents[0].rows) or 1
        else:
            self.size = sum([len(content.rows) or 1 for content in contents])

    @property
    def waiting(self) -> asyncio.Future[bool] | asyncio.Future[Sequence[Outcome]] | None:
        """Give what somebody waits for; None where nobody does."""
        return self.outcomes if self.future is None else self.future


def refuse(item: Item, error: StoreError) -> bool:
    """Fail what somebody waits for, on its own loop; False where nobody does any more."""
    waiting = item.waiting
    if waiting is None or waiting.done():
        return False
    waiting.set_exception(error)
    return True


class Backlog:
    """A queue between any threads and the one writer thread, bounded to ``capacity`` lines."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.closing = False
        self._items: deque[Item] = deque()
        self._lines = 0
        self._dropped: Counter[str] = Counter()
        self._wake_at = 1 << 60  # lines; nobody waits unless the writer says so
        self._nudged = False
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)

    def put(self, item: Item) -> bool:
        """Add an item at the end; False where there is no room, or the writer is going."""
        size = item.size
        with self._lock:
            lines = self._lines + size
            if self.closing or lines > self.capacity:
                return False
            self._items.append(item)
            self._lines = lines
            if lines >= self._wake_at:
                self._wake_at = 1 << 60
                self._changed.notify()
            return True

    def put_first(self, items: Iterable[Item]) -> None:
        """Put items back where they were, at the front; they keep their order and need no room."""
        with self._lock:
            for item in reversed(list(items)):
                item.state = _WAITING
                self._items.appendleft(item)
                self._lines += item.size

    def drop(self, content: Content) -> bool:
        """Count lines that found no room; True where they are the first since the last report."""
        with self._lock:
            first = not self._dropped
            self._dropped.update(line[1] for line in content.rows)
            return first

    def withdraw(self, item: Item) -> bool:
        """Take back an item; False where the writer has it already."""
        with self._lock:
            if item.state is not _WAITING:
                return False
            item.state = _State.WITHDRAWN
            self._lines -= item.size
            return True

    def take(self, limit: int) -> list[Item]:
        """Give the oldest items, up to ``limit`` lines, but at least one item."""
        with self._lock:
            taken: list[Item] = []
            room = limit
            if self._dropped:
                taken.append(self._report_dropped())
            items = self._items
            while items:
                size = items[0].size
                if room < size and room != limit:
                    break
                item = items.popleft()
                if item.state is _WAITING:
                    item.state = _TAKEN
                    room -= size
                    taken.append(item)
            self._lines -= limit - room
            return taken

    def take_commits(self) -> list[Item]:
        """Take out every item that somebody waits for; the others stay in order."""
        with self._lock:
            commits = [i for i in self._items if i.waiting and i.state is _WAITING]
            self._items = deque(i for i in self._items if not i.waiting)
            for item in commits:
                item.state = _TAKEN
                self._lines -= item.size
            return commits

    def wait(self, idle: float, target: int, linger: float = LONGEST) -> bool:
        """Wait for work, ``idle`` seconds at most; False where none came. The writer calls it.

        With the first item there, it waits a little for as many lines as the last group had
        (``target``): those who came together come again together. A lone caller waits for nobody.
        ``linger`` is the longest that it waits then, in seconds.
        """
        with self._lock:
            left = self._lines  # from before: they have waited for long enough
            if not left and not self.closing and not self._nudged:
                self._wake_at = 1
                self._changed.wait(idle)
            self._nudged = False
            until = time.monotonic() + min(linger, LONGEST)
            while 0 < self._lines < target and left < _FEW and not self.closing:
                before = self._lines
                self._wake_at = target
                self._changed.wait(min(_QUIET, linger))
                if self._lines == before or time.monotonic() > until:
                    break
            self._wake_at = 1 << 60
            return self._lines > 0 or bool(self._dropped)

    def pause(self, seconds: float) -> None:
        """Wait, but not when told to close. The writer calls it between two tries."""
        with self._lock:
            self._changed.wait_for(lambda: self.closing, seconds)

    def nudge(self) -> None:
        """Wake the writer, so that it looks at the store now."""
        with self._lock:
            self._nudged = True
            self._changed.notify()

    def close(self) -> None:
        """Take nothing more, and wake the writer to finish."""
        with self._lock:
            self.closing = True
            self._changed.notify_all()

    @property
    def lines(self) -> int:
        """Say how many lines wait."""
        return self._lines

    def _report_dropped(self) -> Item:
        kinds = dict(self._dropped)
        self._dropped.clear()
        data = {"lines": sum(kinds.values()), "kinds": kinds, "reason": "no room left in memory"}
        item = Item((Content(rows=(row(Line(kind="dropped", data=data)),)),))
        item.state = _TAKEN
        return item
