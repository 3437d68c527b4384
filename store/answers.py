"""What those who wait for the writer are told, on their own event loops."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from ..errors import Conflict, StoreError
from ..telemetry import log
from .backlog import Item, refuse
from .group import Outcome

__all__ = ["answer", "fail", "parted"]


def answer(items: Sequence[Item], outcomes: Sequence[Outcome]) -> None:
    """Tell the waiting what became of each content of theirs, in the order of all contents."""
    told: list[tuple[Item, Sequence[Outcome]]] = []
    at = 0
    for item in items:
        count = len(item.contents)
        mine = outcomes[at : at + count]
        at += count
        if item.waiting is not None:
            told.append((item, mine))
        elif item.done is not None:
            item.done.set()
        else:
            for outcome in mine:
                if isinstance(outcome, StoreError):
                    log.error("journal: not written: %s", outcome)
    _on_their_loops(told)


def fail(items: Sequence[Item], error: StoreError) -> None:
    """Tell the waiting that nothing of theirs was written, or that nobody knows."""
    told: list[tuple[Item, StoreError]] = []
    for item in items:
        if item.waiting is not None:
            told.append((item, error))
        elif item.done is not None:
            item.done.set()
        else:
            log.error("journal: not written: %s", error)
    _on_their_loops(told)


def parted(item: Item) -> list[Item]:
    """Give an item for each content of one, so that one that cannot be written fails alone.

    Called in the writer's thread, which has it in hand.
    """
    if item.outcomes is None or item.loop is None or len(item.contents) == 1:
        return [item]
    whole = _Whole(item.outcomes, len(item.contents))
    parts: list[Item] = []
    for at, content in enumerate(item.contents):
        future: asyncio.Future[bool] = item.loop.create_future()
        future.add_done_callback(partial(whole.tell, at))
        parts.append(Item((content,), item.loop, future))
    return parts


class _Whole:
    """Many contents that are written one by one: told when the last of them is answered."""

    def __init__(self, waiting: asyncio.Future[Sequence[Outcome]], count: int) -> None:
        self._waiting = waiting
        self._outcomes: list[Outcome | None] = [None] * count
        self._left = count

    def tell(self, at: int, done: asyncio.Future[bool]) -> None:
        error = done.exception()
        if error is not None and not isinstance(error, StoreError | Conflict):
            error = StoreError("was not written", place="journal", value=type(error).__name__)
        self._outcomes[at] = done.result() if error is None else error
        self._left -= 1
        if not self._left and not self._waiting.done():
            self._waiting.set_result([one for one in self._outcomes if one is not None])


def _on_their_loops(
    told: Sequence[tuple[Item, Sequence[Outcome]]] | Sequence[tuple[Item, StoreError]],
) -> None:
    """Wake each event loop once."""
    loops: dict[asyncio.AbstractEventLoop, list[tuple[Item, Sequence[Outcome] | StoreError]]] = {}
    for item, outcome in told:
        if item.loop is not None:
            loops.setdefault(item.loop, []).append((item, outcome))
    for loop, waiting in loops.items():
        try:
            loop.call_soon_threadsafe(_tell, waiting)
        except RuntimeError:
            continue  # the loop is closed: nobody waits there any more


def _tell(waiting: Sequence[tuple[Item, Sequence[Outcome] | StoreError]]) -> None:
    for item, outcome in waiting:
        if isinstance(outcome, StoreError):
            refuse(item, outcome)
        elif item.outcomes is not None:
            if not item.outcomes.done():
                item.outcomes.set_result(outcome)
        elif item.future is not None and not item.future.done():
            _tell_one(item.future, outcome[0])


def _tell_one(future: asyncio.Future[bool], outcome: Outcome) -> None:
    if outcome is True or outcome is False:
        future.set_result(outcome)
    else:
        future.set_exception(outcome)
