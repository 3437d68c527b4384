"""What happened, counted from the journal and from nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from ..store.line import Entry

__all__ = ["Point", "StageCount", "Tally"]


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One compared request, for the plot: who was right, and who had served it."""

    number: int
    legacy_right: bool
    replacement_right: bool
    by_replacement: bool


@dataclass
class StageCount:
    """The requests of one stretch of the story: one version of the route."""

    version: int
    stage: str
    percent: float
    revision: str
    requests: int = 0
    by_replacement: int = 0
    faults: int = 0
    errors: int = 0
    fallbacks: Counter[str] = field(default_factory=Counter)
    compared: int = 0
    legacy_right: int = 0
    replacement_right: int = 0
    milliseconds: list[float] = field(default_factory=list)


class Tally:
    """Counts for one endpoint. ``take`` is given the journal's new entries, again and again.

    ``served`` says of every request, in order, whether the replacement answered it.
    """

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.last = 0
        self.stretches: list[StageCount] = []
        self.points: list[Point] = []
        self.served: list[bool] = []
        self.routes: list[Mapping[str, object]] = []
        self._served: dict[str, tuple[StageCount, int, bool]] = {}
        self._early: dict[str, Mapping[str, object]] = {}
        self._units: dict[tuple[str, str], str] = {}
        self.abstained: Counter[str] = Counter()

    @property
    def requests(self) -> int:
        """Count the requests that have a line."""
        return sum(one.requests for one in self.stretches)

    @property
    def answered(self) -> int:
        """Count those whose caller got an answer, a fault of legacy's own included."""
        return self.requests - self.errors

    @property
    def errors(self) -> int:
        """Count those that nobody answered."""
        return sum(one.errors for one in self.stretches)

    def at(self, stage: str, percent: float = 0.0, revision: str = "") -> int:
        """Count the requests at a stage (and, where named, with a revision)."""
        return sum(
            one.requests
            for one in self.stretches
            if one.stage == stage
            and (stage != "canary" or one.percent == percent)
            and (not revision or one.revision == revision)
        )

    def accuracy(self, side: str, revision: str) -> tuple[int, int]:
        """Give (right, judged) over distinct messages with a golden label."""
        winners = [winner for (rev, _), winner in self._units.items() if rev == revision]
        return sum(winner in ("both", side) for winner in winners), len(winners)

    def take(self, entries: Iterable[Entry]) -> None:
        """Count new entries, each once."""
        for entry in entries:
            self.last = entry.id
            line = entry.line
            if line.endpoint != self.endpoint:
                continue
            if line.kind == "request":
                self._request(line.request_id, line.revision, line.data)
            elif line.kind == "comparison":
                self._comparison(line.request_id, line.revision, line.data)
            elif line.kind == "shadow" and line.data.get("reason") == "abstained":
                self.abstained[line.revision] += 1
            elif line.kind == "route":
                self.routes.append({"at": entry.at, **line.data})

    def _request(self, request: str, revision: str, data: Mapping[str, object]) -> None:
        stretch = self._stretch(revision, data)
        stretch.requests += 1
        by_replacement = data["served_by"] == "replacement"
        stretch.by_replacement += by_replacement
        self.served.append(by_replacement)
        stretch.faults += data["status"] == "fault"
        stretch.errors += data["status"] == "error"
        stretch.milliseconds.append(_number(data["ms"]))
        if "fallback" in data:
            stretch.fallbacks[str(data["fallback"])] += 1
            if data["fallback"] == "abstained":
                self.abstained[revision] += 1
        self._served[request] = (stretch, self.requests, by_replacement)
        if request in self._early:
            self._comparison(request, revision, self._early.pop(request))

    def _comparison(self, request: str, revision: str, data: Mapping[str, object]) -> None:
        if request not in self._served:
            # The comparison may be durable before the request's own line.
            self._early[request] = data
            return
        if data["by"] != "golden":
            return
        stretch, number, by_replacement = self._served.pop(request)
        winner = str(data["winner"])
        self._units.setdefault((revision, str(data["unit"])), winner)
        point = Point(
            number=number,
            legacy_right=winner in ("both", "legacy"),
            replacement_right=winner in ("both", "replacement"),
            by_replacement=by_replacement,
        )
        stretch.compared += 1
        stretch.legacy_right += point.legacy_right
        stretch.replacement_right += point.replacement_right
        self.points.append(point)

    def _stretch(self, revision: str, data: Mapping[str, object]) -> StageCount:
        version, stage = int(_number(data["version"])), str(data["stage"])
        for one in reversed(self.stretches):
            if (one.version, one.revision) == (version, revision):
                return one
        percent = _number(data["percent"]) if stage == "canary" else 0.0
        self.stretches.append(StageCount(version, stage, percent, revision))
        return self.stretches[-1]


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0
