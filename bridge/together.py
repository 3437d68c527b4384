"""Deliveries whose outcomes become durable together: nobody waits for each of them alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from ..errors import FigError
from ..model import Delivery, Settlement
from ..routing.bundle import Bundle, Share
from ..store.group import Outcome

__all__ = ["End", "Together", "failure"]

End = tuple[Delivery, Settlement]
"""A delivery, and how it is to be settled."""


class Together:
    """Waits for bundles of the journal. Used by ``Hand``; lives on one event loop.

    ``end`` is given those of a bundle that are durable, ``fail`` each of the others.
    """

    def __init__(
        self,
        end: Callable[[Sequence[End]], None],
        fail: Callable[[Delivery, BaseException], None],
    ) -> None:
        self._end, self._fail = end, fail
        self._waiting: dict[Bundle, list[tuple[Delivery, Settlement, int]]] = {}

    def add(self, delivery: Delivery, settlement: Settlement, share: Share) -> None:
        """Keep one until its share is durable."""
        bundle = share.bundle
        waiting = self._waiting.get(bundle)
        if waiting is None:
            waiting = self._waiting[bundle] = []
            bundle.outcomes.add_done_callback(partial(self._tell, bundle))
        waiting.append((delivery, settlement, share.at))

    def clear(self) -> None:
        """Forget all: what becomes of them is told to nobody."""
        self._waiting.clear()

    def _tell(self, bundle: Bundle, done: asyncio.Future[Sequence[Outcome]]) -> None:
        waiting = self._waiting.pop(bundle, [])
        error = failure(done)
        if error is not None:
            for delivery, _, _ in waiting:
                self._fail(delivery, error)
            return
        outcomes = done.result()
        durable: list[End] = []
        for delivery, settlement, at in waiting:
            outcome = outcomes[at]
            if isinstance(outcome, BaseException):
                self._fail(delivery, outcome)
            else:
                durable.append((delivery, settlement))
        if durable:
            self._end(durable)


def failure(done: asyncio.Future[bool] | asyncio.Future[Sequence[Outcome]]) -> BaseException | None:
    """Give why something did not become durable; None where it did."""
    return FigError("was given up") if done.cancelled() else done.exception()
