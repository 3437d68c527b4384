"""What ``fig evidence`` says of an endpoint, before it is drawn."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

import msgspec

from .. import config
from ..errors import RouteError
from ..model import Comparison, Route, Step
from ..routing.expiry import expiry
from ..routing.guardrails.course import Point, course_of
from ..routing.guardrails.differences import Difference, differences
from ..routing.guardrails.evidence import Evidence, Gathering
from ..routing.guardrails.figures import Figures
from ..routing.guardrails.forecast import Forecast, forecast
from ..routing.guardrails.latency import interval
from ..routing.stages import ladder, next_step
from ..store.courses import Pace, course, pace, revisions
from ..store.reading import Wanted
from ..store.store import Store
from .shadow_view import ShadowToday, shadow_today

__all__ = ["LOOKED_AT", "Report", "make"]

LOOKED_AT: Final = 10_000
"""The newest comparisons that fields are tallied from."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is shown. Rates are a second; ``times`` bounds the latency ratio.

    ``expiry`` says how the migration stands against its day.
    """

    endpoint: str
    route: Route
    evidence: Evidence
    differences: list[Difference]
    looked_at: int
    course: list[Point]
    pairs_rate: float
    requests_rate: float
    last: float
    next: Step | None
    forecast: Forecast
    times: tuple[float, float] | None = None
    expiry: str = ""
    shadow: ShadowToday = ShadowToday()


def make(store: Store, endpoint: config.Endpoint, gathering: Gathering, revision: str) -> Report:
    """Read it all. Raises ``RouteError`` for a revision without evidence, and ``StoreError``."""
    name = endpoint.name
    route = store.routes.get(name) or Route(endpoint=name)
    current = route
    if revision:
        route = msgspec.structs.replace(route, revision=_revision(store, route, revision))
    figures = gathering.figures(route)
    evidence = gathering.judged(route, figures)
    found = list(course(store.database, name, route.revision))
    seen = list(_comparisons(store, route))
    paced = pace(store.database, name, route.revision)
    speed = _speed(paced, time.time())
    requests = figures.answered / figures.seconds if figures.seconds else 0.0
    return Report(
        endpoint=name,
        route=route,
        evidence=evidence,
        differences=differences(seen, {one.unit: one.winner for one in found}),
        looked_at=len(seen),
        course=course_of((one.winner for one in found), endpoint.guardrail),
        pairs_rate=speed,
        requests_rate=requests,
        last=paced.last,
        next=next_step(route, ladder(endpoint.ladder)) if route == current else None,
        forecast=forecast(evidence.verdicts, pairs=speed, requests=requests),
        times=_times(figures, endpoint),
        expiry=expiry(endpoint, current),
        shadow=shadow_today(store, endpoint),
    )


def _revision(store: Store, route: Route, given: str) -> str:
    known = revisions(store.database, route.endpoint)
    if route.revision and route.revision not in known:
        known.append(route.revision)
    found = [one for one in known if one == given] or [
        one for one in known if one.startswith(given)
    ]
    if len(found) == 1:
        return found[0]
    raise RouteError(
        "no such revision" if not found else "several revisions begin so",
        place=f"endpoint {route.endpoint}",
        value=given,
        expected="one of " + (", ".join(found or known) or "none yet"),
    )


def _comparisons(store: Store, route: Route) -> Iterator[Comparison]:
    wanted = Wanted(endpoint=route.endpoint, kinds=("comparison",))
    lines = store.journal.latest(
        wanted,
        LOOKED_AT,
        lambda entry: entry.line.revision == route.revision and not entry.compacted,
    )
    for entry in lines:
        yield msgspec.convert(entry.line.data, Comparison)


def _speed(found: Pace, now: float) -> float:
    """Give the distinct inputs a second; one that has stopped slows down with the time."""
    if found.inputs < 2:
        return 0.0
    silent = now - found.last
    usual = found.seconds / (found.inputs - 1)
    return (found.inputs - 1) / (found.seconds + max(0.0, silent - usual) or 1e-3)


def _times(figures: Figures, endpoint: config.Endpoint) -> tuple[float, float] | None:
    if not figures.steps:
        return None
    given = endpoint.guardrail.latency
    alpha = 0.01 if isinstance(given, bool) else given.alpha
    return interval(figures.steps, alpha)
