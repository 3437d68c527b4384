"""What a lane counts of itself: outcomes, their rate, and when something last moved."""

from __future__ import annotations

import time
from collections import deque
from typing import Final, Literal

from ..model import Settlement
from ..telemetry import Counters

__all__ = ["Tally"]

Counted = Literal["received", "done", "retry", "parked", "dead", "unsettled"]

_SAMPLES: Final = 61


class Tally:
    """Counts one source's deliveries. Lives on one event loop."""

    def __init__(self, name: str, counters: Counters) -> None:
        self.counts: dict[str, int] = dict.fromkeys(
            ("received", "done", "retry", "parked", "dead", "unsettled"), 0
        )
        self.progress = time.monotonic()
        self._name, self._counters = name, counters
        self._samples: deque[tuple[float, int]] = deque([(self.progress, 0)], maxlen=_SAMPLES)

    def settled(self, settlement: Settlement, count: int = 1) -> None:
        """Count some that their source was told of, all alike."""
        outcome = settlement.outcome
        self.counts[outcome] += count
        self._counters.add("deliveries", self._name, outcome, by=count)
        self.progress = time.monotonic()
        if settlement.park:
            self.counts["parked"] += count

    def unsettled(self) -> None:
        """Count one that its source could not be told of."""
        self.counts["unsettled"] += 1
        self._counters.add("deliveries", self._name, "unsettled")

    def sample(self) -> None:
        """Note how much is settled by now. Called every second."""
        self._samples.append((time.monotonic(), self._total()))

    def per_second(self, seconds: float) -> float:
        """Give how many were settled a second over the last ``seconds`` (60 at most)."""
        now, total = time.monotonic(), self._total()
        since, before = next(
            (one for one in self._samples if now - one[0] <= seconds), self._samples[-1]
        )
        return (total - before) / max(now - since, 0.001)

    def _total(self) -> int:
        counts = self.counts
        return counts["done"] + counts["retry"] + counts["dead"]
