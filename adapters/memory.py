"""A source in this process, for benchmarks and tests. It keeps every law that a real one keeps."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Iterable, Sequence

from ..errors import FigError, LegacyUnavailable
from ..model import Delivery, Record, Settlement

__all__ = ["MemorySource"]


class _Entry:
    """A record that is not settled yet."""

    __slots__ = ("attempts", "record")

    def __init__(self, record: Record) -> None:
        self.record, self.attempts = record, 0


class _Hold:
    """An entry in somebody's hands."""

    __slots__ = ("_entry", "_source")

    def __init__(self, source: MemorySource, entry: _Entry) -> None:
        self._source: MemorySource | None = source
        self._entry = entry

    async def __call__(self, settlement: Settlement) -> None:
        self.end(settlement)

    def end(self, settlement: Settlement) -> None:
        source, self._source = self._source, None
        if source is None or source._held.pop(id(self), None) is not self._entry:  # noqa: SLF001 - one part
            raise FigError(
                "settled already, or the source was closed meanwhile",
                place=f"{self._entry.record.source}: {self._entry.record.position}",
                expected="one settlement a delivery",
            )
        source._settle(self._entry, settlement)  # noqa: SLF001


class MemorySource:
    """Deliveries from an iterable of records, read as they are asked for (it may be endless).

    Of a key only the oldest unsettled record is handed out; records without a key have no order.
    ``dead`` holds the dead ones with their reasons, ``done`` counts the others that were settled.
    """

    def __init__(self, name: str, records: Iterable[Record] = ()) -> None:
        self.name = name
        self.done = 0
        self.dead: list[tuple[Record, str]] = []
        self._records = iter(records)
        self._put: deque[Record] = deque()
        self._heads: deque[_Entry] = deque()  # of keys that are taken already
        self._behind: dict[str, deque[_Entry] | None] = {}  # by every key that is taken
        self._later: list[tuple[float, int, _Entry]] = []
        self._held: dict[int, _Entry] = {}
        self._moved = asyncio.Event()
        self._count = 0
        self._is_open = False

    def __repr__(self) -> str:
        return f"MemorySource({self.name!r})"

    def put(self, record: Record) -> None:
        """Add a record, as if legacy had just sent it. Call it on the event loop."""
        self._put.append(record)
        self._moved.set()

    async def open(self) -> None:
        """Make ready; what was not settled comes again."""
        await self.close()
        self._is_open = True

    async def close(self) -> None:
        """Take back what is not settled, in its old order."""
        self._is_open = False
        self._heads.extendleft(reversed(self._held.values()))
        self._held.clear()

    async def receive(self, limit: int, timeout: float) -> Sequence[Delivery]:
        """Give up to ``limit``; where there is nothing, wait ``timeout`` seconds for something."""
        if not self._is_open:
            raise LegacyUnavailable("the source is not open", place=self.name, remedy="open it")
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        while True:
            self._moved.clear()
            entries = self._take(limit, loop.time())
            if entries:
                return [self._hand_out(entry) for entry in entries]
            due = min(end, self._later[0][0]) if self._later else end
            if loop.time() >= end:
                return []
            try:
                async with asyncio.timeout(max(0.0, due - loop.time())):
                    await self._moved.wait()
            except TimeoutError:
                continue

    async def settle_all(
        self, ends: Sequence[tuple[Delivery, Settlement]]
    ) -> Sequence[Exception | None]:
        """Settle many; give what settling each raised, None where nothing."""
        return [await _ended(delivery, settlement) for delivery, settlement in ends]

    def _take(self, limit: int, now: float) -> list[_Entry]:
        taken: list[_Entry] = []
        while len(taken) < limit:
            if self._later and self._later[0][0] <= now:
                taken.append(heapq.heappop(self._later)[2])
            elif self._heads:
                taken.append(self._heads.popleft())
            else:
                fresh = self._fresh()
                if fresh is None:
                    break
                key = fresh.record.key
                if key and key in self._behind:
                    self._wait_behind(fresh)
                    continue
                if key:
                    self._behind[key] = None
                taken.append(fresh)
        return taken

    def _fresh(self) -> _Entry | None:
        record = next(self._records, None)
        if record is None and self._put:
            record = self._put.popleft()
        return None if record is None else _Entry(record)

    def _wait_behind(self, entry: _Entry) -> None:
        waiting = self._behind[entry.record.key]
        if waiting is None:
            waiting = self._behind[entry.record.key] = deque()
        waiting.append(entry)

    def _hand_out(self, entry: _Entry) -> Delivery:
        entry.attempts += 1
        hold = _Hold(self, entry)
        self._held[id(hold)] = entry
        attempt = entry.attempts
        return Delivery(record=entry.record, settle=hold, attempt=attempt, fresh=attempt == 1)

    def _settle(self, entry: _Entry, settlement: Settlement) -> None:
        if settlement.outcome == "retry":
            self._count += 1
            due = asyncio.get_running_loop().time() + settlement.delay
            heapq.heappush(self._later, (due, self._count, entry))
        else:
            if settlement.outcome == "dead":
                self.dead.append((entry.record, settlement.reason))
            else:
                self.done += 1
            key = entry.record.key
            if not key:
                return
            waiting = self._behind[key]
            if not waiting:
                del self._behind[key]
                return
            self._heads.append(waiting.popleft())
        self._moved.set()


async def _ended(delivery: Delivery, settlement: Settlement) -> Exception | None:
    hold = delivery.settle
    try:
        if isinstance(hold, _Hold):
            hold.end(settlement)
        else:  # somebody stands around it
            await hold(settlement)
    except Exception as error:  # noqa: BLE001 - it is told to whoever asked
        return error
    return None
