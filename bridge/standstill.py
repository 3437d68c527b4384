"""A lane that stands still while what all of its deliveries need is gone, and begins again slowly.

An outage must not cost deliveries their attempts: what failed in it stays in hand. One is tried
again at a time, ever more slowly; the first that comes through lets the others follow, one more at
once for each that came through (as TCP begins: V. Jacobson, "Congestion Avoidance and Control",
1988). One that fails alone although others came through since it first failed is to blame itself.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from ..errors import StoreUnavailable
from ..model import Delivery
from ..telemetry import log
from .relay import Relay
from .retry import Backoff, describe, rule_of

__all__ = ["Standstill"]

_STREAK: Final = 16
"""So many different deliveries that fail with none between that is done are an outage too."""

_LOOK: Final = 0.1


class Standstill:
    """Says which failures are no delivery's own, and holds those back. Used by ``Hand``.

    ``relay`` begins the deliveries; ``writable`` says whether the store takes writes. ``slow`` says
    that it stands still, or has not come up to speed again.
    """

    def __init__(
        self, name: str, relay: Relay[Delivery], backoff: Backoff, writable: Callable[[], bool]
    ) -> None:
        self._held: deque[Delivery] = deque()
        self.error: BaseException | None = None
        self._name, self._relay, self._backoff, self._writable = name, relay, backoff, writable
        self._full = relay.most
        self.slow = False
        self._alone = 0  # the id of the one that was begun with no other in progress
        self._passed = 0
        self._seen: dict[int, int] = {}  # how many had passed when it failed first
        self._failing: set[str] = set()
        self._failures = 0
        self._told = ""
        self._turn = False
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        """Say how many deliveries are held back."""
        return 0 if self.error is None else len(self._held) + len(self._relay)

    @property
    def trouble(self) -> str:
        """Say what it waits for; empty where it does not stand still."""
        if self.error is None:
            return ""
        what = "the store" if isinstance(self.error, StoreUnavailable) else "the replacement"
        return f"waiting for {what}: {describe(self.error)}"

    def passed(self, count: int = 1) -> None:
        """Count some that are done."""
        self._passed += count
        if self._failing:
            self._failing.clear()
        while self.slow and count:
            self._quicken()
            count -= 1

    def begins(self, delivery: Delivery) -> None:
        """Note which one is tried alone. Called while ``slow``."""
        self._alone = id(delivery) if self._relay.most == 1 else 0

    def forget(self, deliveries: Iterable[Delivery]) -> None:
        """Forget some that are settled, or no longer in hand."""
        if self._seen:
            for delivery in deliveries:
                self._seen.pop(id(delivery), None)

    def is_outage(self, delivery: Delivery, error: BaseException) -> bool:
        """Say whether a failure is no delivery's own; where it is its own, it counts."""
        then = rule_of(error).then
        if then in ("dead", "hold"):
            return then == "hold"
        if len(self._failing) < _STREAK:
            self._failing.add(delivery.record.position)
        seen = self._seen.get(id(delivery))
        if seen is not None and self._passed > seen and self._alone == id(delivery):
            del self._seen[id(delivery)]
            return False
        return then == "doubt" or self.error is not None or len(self._failing) >= _STREAK

    def hold(self, delivery: Delivery, error: BaseException) -> None:
        """Hold one back, and stand still."""
        self._seen.setdefault(id(delivery), self._passed)
        self._held.append(delivery)
        self._stand_still(error)

    def adjust(self, most: int, backoff: Backoff) -> None:
        """Keep to other bounds; a lane that stands still, or is slow, comes up to the new ones."""
        self._full, self._backoff = most, backoff
        if not self.slow:
            self._relay.most = most
        elif self.error is None:
            self._relay.most = min(most, self._relay.most)
            self._end_slow()

    def give_up(self) -> list[Delivery]:
        """Give what is held back and not begun, and hold nothing any more: the lane ends."""
        left: list[Delivery] = []
        if self.error is not None:
            left = [*self._held, *self._relay.take_back()]
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._held.clear()
        self.slow, self.error, self._failures = False, None, 0
        self._relay.most = self._full
        return left

    def clear(self) -> None:
        """Forget everything."""
        self.give_up()
        self._seen.clear()
        self._failing.clear()

    def _stand_still(self, error: BaseException) -> None:
        self.error = error
        self._relay.most = 0
        self.slow = True
        if self._timer is not None:
            return
        if self.trouble != self._told:
            self._told = self.trouble
            log.warning("%s: %s; what is in hand stays there", self._name, self.trouble)
        self._failures += 1
        self._wait(self._backoff.delay(self._failures))

    def _wait(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._try_one)

    def _try_one(self) -> None:
        self._timer = None
        if isinstance(self.error, StoreUnavailable) and not self._writable():
            self._wait(_LOOK)
            return
        # One that failed and one that was not begun yet take turns: else one that fails whenever it
        # is tried would keep all others from being tried.
        self._turn = not self._turn
        if self._held and (self._turn or not len(self._relay)):
            first = self._held.popleft()
            self._relay.put_first(first, history=first.backfill)
        self._relay.most = 1

    def _quicken(self) -> None:
        if self._relay.most == 0:
            return  # it was begun before
        self._failures = self._alone = 0
        if self.error is not None:
            log.info("%s: flows again", self._name)
            self.error = None
        while self._held:
            last = self._held.pop()
            self._relay.put_first(last, history=last.backfill)
        self._relay.most = min(self._full, self._relay.most + 1)
        self._end_slow()

    def _end_slow(self) -> None:
        if self._relay.most >= self._full:
            self.slow, self._told = False, ""
