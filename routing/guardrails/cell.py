"""What was measured of one endpoint on one rung since it was last written."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Final, NamedTuple

import msgspec

from ...model import Payload, Route
from ...store.measures import USED, Failure, Place, Sampled, Sum
from .budget import CALLS
from .rung import Rung

__all__ = ["ASKED", "MS", "STEP", "Cell", "Failing", "Taken", "rows_of"]

ASKED: Final = "asked"
STEP: Final = "step:"
MS: Final = "ms"
_ENCODER: Final = msgspec.json.Encoder(order="deterministic", enc_hook=str)


class Failing(NamedTuple):
    """An answer that went wrong, as it was told: the input whole, digested when it is written."""

    side: str
    reason: str
    key: str
    given: Payload | str
    at: float


class Taken(NamedTuple):
    """What a cell held: to be made into rows in another thread."""

    place: Place
    sums: list[tuple[str, str, list[float]]]
    failed: list[Failing]
    fresh: list[tuple[str, str]]


class Cell:
    """Added to on the path of requests; ``known`` are the keys that were drawn on this rung."""

    __slots__ = (
        "asked",
        "calls",
        "failed",
        "fresh",
        "known",
        "legacy",
        "place",
        "replacement",
        "rest",
        "route",
        "steps",
    )

    def __init__(self, route: Route, place: Place) -> None:
        self.route = route
        self.place = place
        self.known: set[str] = set()
        self._empty()

    @staticmethod
    def place_of(route: Route) -> Place:
        """Say what a route's requests are counted under."""
        return Place(route.endpoint, route.revision, Rung.of(route).label)

    def add(self, name: str, side: str, value: float) -> None:
        """Add one value to a sum that few requests have."""
        sums = self.rest.setdefault((name, side), [0, 0.0, 0.0])
        sums[0] += 1
        sums[1] += value
        sums[2] += value * value

    def take(self) -> Taken | None:
        """Give what there is and begin anew; None where there is nothing."""
        served = (("legacy", self.legacy), ("replacement", self.replacement))
        sums = [(MS, side, values) for side, values in served if values[0]]
        if self.calls:
            sums.append((f"{USED}{CALLS}", "replacement", [self.calls, self.calls, self.calls]))
        if self.asked:
            sums.append((ASKED, "replacement", [self.asked, 0.0, 0.0]))
        sums += [(f"{STEP}{step}", "", [n, 0.0, 0.0]) for step, n in self.steps.items()]
        sums += [(name, side, values) for (name, side), values in self.rest.items()]
        taken = Taken(self.place, sums, self.failed, self.fresh)
        if not (sums or self.failed or self.fresh):
            return None
        self._empty()
        return taken

    def _empty(self) -> None:
        self.legacy: list[float] = [0, 0.0, 0.0]
        self.replacement: list[float] = [0, 0.0, 0.0]
        self.asked = 0
        self.calls = 0
        self.rest: dict[tuple[str, str], list[float]] = {}
        self.steps: dict[int, int] = {}
        self.failed: list[Failing] = []
        self.fresh: list[tuple[str, str]] = []


def rows_of(taken: Taken, window: float) -> Iterator[Sum | Failure | Sampled]:
    """Make rows of what was taken; ``window`` is the endpoint's, in seconds."""
    place = taken.place
    for name, side, (count, total, squares) in taken.sums:
        yield Sum(place, name, side, int(count), total, squares)
    for one in taken.failed:
        at = int(one.at // window)
        keyed = _digest("key", at, one.key) if one.key else ""
        yield Failure(place, _digest("input", at, one.given), one.side, keyed, one.reason)
    for key, side in taken.fresh:
        yield Sampled(place, _digest("key", 0, key), side)


def _digest(kind: str, window: int, value: object) -> str:
    return sha256(_ENCODER.encode((kind, window, value))).hexdigest()[:32]
