"""The journal: the append-only record of every request, decision, comparison and change."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial

from ..errors import StoreError, StoreUnavailable
from ..telemetry import log
from .backlog import Backlog, Item, refuse
from .database import Database
from .doubt import in_doubt
from .group import Content, Outcome, prepare
from .line import Entry
from .patience import Patience
from .reading import Wanted, latest, lines
from .write import Write
from .writer import Writer

__all__ = ["Journal"]


class Journal:
    """Writes lines in groups, each group one durable transaction, and reads them back.

    Owned by ``Store``. ``patience``: seconds that a committer waits. ``capacity``: lines kept in
    memory while the store is lost. ``dropped`` counts the lines that found no room there.
    """

    def __init__(
        self, database: Database, *, patience: float = 0.25, capacity: int = 100_000
    ) -> None:
        self.patience = patience
        self.dropped = 0
        self._database = database
        self._backlog = Backlog(capacity)
        self._writer = Writer(database, self._backlog)
        self._waits: dict[float, Patience] = {}
        self._open = False

    @property
    def healthy(self) -> bool:
        """Say whether the last write, or look at the store, went well."""
        return self._open and self._writer.trouble is None

    @property
    def backlog(self) -> int:
        """Say how many lines wait to be written."""
        return self._backlog.lines

    @property
    def trouble(self) -> str:
        """Say what is wrong with the store, for people; empty where nothing is."""
        return "" if self.healthy else str(self._unavailable())

    def append(self, write: Write) -> None:
        """Take a write, to be durable soon. Any thread may call it; it never waits or raises.

        While the store is lost, it is kept in memory. Where there is no room, its lines are counted
        and a ``dropped`` line says so once the store is back.
        """
        try:
            content = prepare(write)
        except Exception as error:  # noqa: BLE001 a bad line must not end a request
            log.error("journal: a write cannot be stored: %s", type(error).__name__)
            self.dropped += len(write.lines)
            return
        if not self._backlog.put(Item((content,))):
            self.dropped += len(content.rows)
            if self._backlog.drop(content):
                log.warning("journal: no room for more lines while the store is lost: dropping")

    async def commit(self, write: Write) -> bool:
        """Write, and return once it is durable: True; or False where its inbox mark is known.

        Many in flight share one transaction. Raises ``StoreUnavailable`` at once where the store is
        known to be lost, or after ``patience`` seconds; then nothing of it is written, later
        either. Where the store went away, or hangs, in the moment of the commit, and nobody can be
        asked, the error says that it is not known yet; a note in the journal tells later. Raises
        ``StoreError`` where it cannot be stored, or its message came before with other bytes.
        """
        item, future = self._submit(write)
        try:
            return await future
        except asyncio.CancelledError:
            self._backlog.withdraw(item)
            raise

    def submit(self, write: Write, *, patience: float | None = None) -> asyncio.Future[bool]:
        """Do as ``commit``, for a caller that has many: the future is to be awaited.

        ``patience``: seconds that this one waits, for a caller whom nobody waits for in turn.
        Raises ``StoreUnavailable`` and ``StoreError`` that are known at once; the future raises the
        others. A write whose future is cancelled may be written all the same.
        """
        return self._submit(write, patience)[1]

    def prepare(self, write: Write) -> Content:
        """Make a write ready for ``submit_all``.

        Raises ``StoreError`` where it cannot be stored, ``StoreUnavailable`` where nothing can now.
        """
        if self._writer.trouble is not None or not self._open:
            raise self._unavailable()
        return _prepared(write)

    def submit_all(
        self, contents: Sequence[Content], *, patience: float | None = None
    ) -> asyncio.Future[Sequence[Outcome]]:
        """Do as ``submit``, for many writes at once: give what becomes of each, in their order.

        Each of them stands for itself: one that is refused keeps no other from being written. The
        future fails where nothing of all of them was written, or nobody knows.
        """
        if self._writer.trouble is not None or not self._open:
            raise self._unavailable()
        loop = asyncio.get_running_loop()
        outcomes: asyncio.Future[Sequence[Outcome]] = loop.create_future()
        self._put(Item(tuple(contents), loop, outcomes=outcomes), loop, patience)
        return outcomes

    def read(
        self,
        *,
        endpoint: str | None = None,
        kinds: Collection[str] | None = None,
        request_id: str | None = None,
        after: int = 0,
        limit: int | None = None,
    ) -> Iterator[Entry]:
        """Give the durable lines after the id ``after``, in order, as far as they go now.

        A request's lines are looked for in all of them: a second for each million or so. Raises
        ``StoreUnavailable``.
        """
        wanted = Wanted(endpoint=endpoint, kinds=kinds, request_id=request_id)
        return lines(self._database, wanted, after, limit)

    def latest(
        self, wanted: Wanted, count: int, fits: Callable[[Entry], bool] = lambda _: True
    ) -> list[Entry]:
        """Give the newest ``count`` lines that fit, oldest first. Raises ``StoreUnavailable``."""
        return latest(self._database, wanted, count, fits)

    def flush(self, timeout: float) -> bool:
        """Wait until all that was appended before is durable; False where ``timeout`` came first.

        Blocks: an event loop calls it in a thread.
        """
        done = threading.Event()
        item = Item((Content(),), done=done)
        if not self._backlog.put(item):
            return False
        if done.wait(timeout):
            return True
        return not self._backlog.withdraw(item) and done.is_set()

    def start(self) -> None:
        """Start the writer. Called by ``Store.open``."""
        self._writer.start()
        self._open = True

    def stop(self, timeout: float) -> None:
        """Write what is left and end the writer. Called by ``Store.close``; may be called twice."""
        if self._open:
            self._open = False
            self._writer.stop(timeout)

    def _submit(
        self, write: Write, patience: float | None = None
    ) -> tuple[Item, asyncio.Future[bool]]:
        if self._writer.trouble is not None or not self._open:
            raise self._unavailable()
        content = _prepared(write)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bool] = loop.create_future()
        item = Item((content,), loop, future)
        self._put(item, loop, patience)
        return item, future

    def _put(self, item: Item, loop: asyncio.AbstractEventLoop, patience: float | None) -> None:
        if not self._backlog.put(item):
            raise self._refused("no room for more writes")
        self._patience_of(loop, self.patience if patience is None else patience).watch(item)

    def _patience_of(self, loop: asyncio.AbstractEventLoop, seconds: float) -> Patience:
        waits = self._waits.get(seconds)
        if waits is None or waits.loop is not loop:
            # The one of another loop lives on by its timer while anybody waits there.
            give_up = partial(self._give_up, seconds)
            waits = self._waits[seconds] = Patience(loop, seconds, give_up, self._abandon)
        return waits

    def _give_up(self, seconds: float, item: Item) -> None:
        # What the writer holds already cannot be recalled: it is answered when that ends.
        if self._backlog.withdraw(item):
            refuse(item, self._refused(f"not written within {seconds} s"))

    def _abandon(self, item: Item) -> None:
        if refuse(item, in_doubt(self._refused("the store does not answer"))):
            self._writer.abandoned = True

    def _unavailable(self) -> StoreUnavailable:
        trouble = self._writer.trouble
        if trouble is None or not self._open:
            return self._refused("the store is not open")
        return StoreUnavailable(
            trouble.message, place=trouble.place, value=trouble.value, remedy=trouble.remedy
        )

    def _refused(self, message: str) -> StoreUnavailable:
        return StoreUnavailable(
            message,
            place=self._database.place,
            value=f"{self._backlog.lines} lines are waiting",
            remedy="try again; if it stays so, the disk is slow or somebody holds the store",
        )


def _prepared(write: Write) -> Content:
    try:
        return prepare(write)
    except Exception as error:
        name = type(error).__name__
        raise StoreError(
            f"a write cannot be stored: {name}", place="journal", value=str(error)
        ) from error
