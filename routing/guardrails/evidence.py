"""The evidence on a route as it stands: what was counted and measured, and the verdicts on it."""

from __future__ import annotations

import time
from collections.abc import Mapping

import msgspec

from ...config import Endpoint
from ...guardrail_settings import Breaker, bounds_of
from ...model import Route, Side, Stage, Verdict
from ...store.evidence import Counts
from ...store.measures import Measured, Place
from ...store.store import Store
from .cell import ASKED, MS, STEP
from .combine import combined, judge_all
from .errors import Went
from .figures import Figures
from .meters import Meters
from .rung import MOVED, Rung

__all__ = ["Evidence", "Gathering", "gather"]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about one revision at one moment.

    ``verdict`` is what all guardrails come to, ``verdicts`` what each says, in their order.
    """

    revision: str
    counts: Counts
    verdict: Verdict
    verdicts: tuple[Verdict, ...] = ()

    def of(self, guardrail: str) -> Verdict | None:
        """Give one guardrail's verdict; None where it says nothing on this rung."""
        return next((one for one in self.verdicts if one.guardrail == guardrail), None)

    def snapshot(self) -> Mapping[str, object]:
        """Give it as plain values, for the history of a route."""
        values: dict[str, object] = msgspec.to_builtins(self)
        return values


class Gathering:
    """Gathers the evidence on one endpoint, again and again. Built by its ``Operator``.

    It keeps what its metrics gave when they were last asked. Blocks: an event loop calls it in a
    thread.
    """

    def __init__(self, store: Store, endpoint: Endpoint) -> None:
        self._store = store
        self._endpoint = endpoint
        self._meters = Meters(endpoint.guardrail.metrics, endpoint.sources)
        self._climb: tuple[int, int] = (-1, 0)

    def __call__(self, route: Route, *, wait: bool = True) -> Evidence:
        """Read what there is on the route's revision and rung, and judge it.

        ``wait`` for metrics that were never read; else they are a hold until they answer. Raises
        ``StoreError``.
        """
        return self.judged(route, self.figures(route, wait=wait))

    def judged(self, route: Route, figures: Figures) -> Evidence:
        """Judge what was read of a route."""
        verdicts = judge_all(figures, self._endpoint.guardrail)
        return Evidence(
            revision=route.revision,
            counts=figures.counts,
            verdict=combined(verdicts, figures.counts.total),
            verdicts=verdicts,
        )

    def figures(self, route: Route, *, wait: bool = True) -> Figures:
        """Read what there is, unjudged. Raises ``StoreError``."""
        endpoint, rung, now = self._endpoint, Rung.of(route), time.time()
        counts = self._store.evidence.counts(endpoint.name, route.revision)
        if route.stage is Stage.LEGACY:
            # Nothing is measured there: a store with hundreds of such routes is not read for it.
            return Figures(rung=rung, killed=route.killed, counts=counts)
        bounds = bounds_of(endpoint.guardrail.breaker, Breaker) or Breaker()
        place = Place(endpoint.name, route.revision, rung.label)
        measured = self._store.measures.read(
            place, since=route.since, now=now, seconds=bounds.seconds
        )
        asks = not route.killed
        return Figures(
            rung=rung,
            killed=route.killed,
            counts=counts,
            went=self._went(measured, route),
            failures=measured.recent,
            keys=(measured.keys.get(Side.REPLACEMENT, 0), measured.keys.get(Side.LEGACY, 0)),
            answered=_answered(measured, rung),
            steps=_steps(measured),
            spent=measured.spent,
            seconds=0.0 if measured.since is None else max(0.0, now - measured.since),
            readings=self._meters.read(wait=wait) if asks else {},
        )

    def _went(self, measured: Measured, route: Route) -> list[Went]:
        begin = self._begin(route)
        rungs = {Rung.read(label) for label, _ in measured.failed}
        return [
            Went(
                share=rung.share,
                replacement=measured.failed.get((rung.label, Side.REPLACEMENT), 0),
                legacy=measured.failed.get((rung.label, Side.LEGACY), 0),
            )
            for rung in sorted(rungs, key=lambda rung: rung.since)
            if rung.since >= begin and rung.stage in MOVED
        ]

    def _begin(self, route: Route) -> int:
        """Give the version at which the climb began that goes on: errors before it are past."""
        if self._climb[0] != route.since:
            begin = route.since
            for change in reversed(self._store.routes.history(route.endpoint)):
                after = change.after
                if after.version > route.version:
                    continue
                if after.stage not in MOVED or after.revision != route.revision:
                    break
                begin = after.since
            self._climb = (route.since, begin)
        return self._climb[1]


def gather(store: Store, endpoint: Endpoint, route: Route) -> Evidence:
    """Gather the evidence once. Raises ``StoreError``."""
    return Gathering(store, endpoint)(route)


def _answered(measured: Measured, rung: Rung) -> int:
    """Count what the replacement answered: for callers, or in shadow where it is only asked."""
    served = measured.sums.get((MS, Side.REPLACEMENT), (0, 0.0))[0]
    if rung.stage in MOVED:
        return served
    return served + measured.sums.get((ASKED, Side.REPLACEMENT), (0, 0.0))[0]


def _steps(measured: Measured) -> dict[int, int]:
    return {
        int(name.removeprefix(STEP)): count
        for (name, _), (count, _) in measured.sums.items()
        if name.startswith(STEP)
    }
