"""The one table of metric and span names, and the log every process writes to.

Names of the GenAI conventions are pinned here, as they still move upstream.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Final

__all__ = ["GAUGES", "GAUGE_LABELS", "LABELS", "METRICS", "Counters", "log", "start_logging"]

METRICS: Final = {
    "route_requests": "requests by endpoint, side, stage and outcome",
    "shadow_pairs": "requests whose two answers were compared, by endpoint and who was right",
    "passed_through": "calls of operations that are not endpoints",
    "refused_messages": "messages refused at a facade, by reason",
    "fallbacks": "answers from legacy in place of the replacement, by reason",
    "fallbacks_refused": "answers of the replacement that were missing, and legacy's not allowed",
    "shadow_dropped": "shadow calls that were not made, by reason",
    "effects": "effects that answers would have, by kind, held against legacy's",
    "comparison_errors": "comparisons whose own function failed, by endpoint",
    "journal_dropped": "journal lines dropped because the store was gone for too long",
    "deliveries": "deliveries of a source by outcome",
    "duplicates": "deliveries whose id was done before, by endpoint",
    "quarantined": "deliveries whose id came with another body, by endpoint",
    "guards": "requests that a guard of a replacement stopped or repeated, by guard",
    "outcomes": "outcomes that legacy decided, by endpoint: joined, late, missing or duplicate",
    "outgoing": "messages of the outbox by destination and outcome",
    "lease_lost": "settlements refused because the lease was lost, by source",
    "dual_writes": "writes to both sides by endpoint, the side that was asked, and what came of it",
}

LABELS: Final = {
    "route_requests": ("endpoint", "side", "stage", "outcome"),
    "shadow_pairs": ("endpoint", "winner"),
    "passed_through": ("system", "operation"),
    "refused_messages": ("system", "reason"),
    "fallbacks": ("endpoint", "reason"),
    "fallbacks_refused": ("endpoint", "reason"),
    "shadow_dropped": ("endpoint", "reason"),
    "effects": ("endpoint", "kind", "state"),
    "comparison_errors": ("endpoint",),
    "journal_dropped": (),
    "deliveries": ("source", "outcome"),
    "duplicates": ("endpoint",),
    "quarantined": ("endpoint",),
    "guards": ("replacement", "guard"),
    "outcomes": ("endpoint", "outcome"),
    "outgoing": ("destination", "outcome"),
    "lease_lost": ("source",),
    "dual_writes": ("endpoint", "side", "outcome"),
}
"""The names of each metric's labels, in the order in which they are counted."""

GAUGES: Final = {
    "info": "this process: always 1",
    "ready": "whether work can flow: 1 or 0",
    "plan_version": "version of an endpoint's route that this process has adopted",
    "e_value": "evidence against an endpoint's replacement, by guardrail",
    "e_value_needed": "the e-value at which a guardrail of an endpoint fails",
    "source_flowing": "whether a source flows: 1 or 0",
    "source_in_flight": "deliveries of a source in hand",
    "source_oldest_seconds": "age of the oldest delivery of a source in hand",
    "source_pending": "deliveries that wait in a source, those in hand included",
    "source_lag_seconds": "age of the oldest delivery of a source that is not settled",
    "source_backfill": "pending deliveries of a source that are history",
    "source_rate": "deliveries of a source settled a second, over ten seconds",
    "journal_backlog": "journal lines that wait for the store",
    "dead_letters": "dead letters that nobody has decided on",
    "replays": "dead letters to be replayed, and not yet",
    "outbox_unsent": "messages of the outbox that are not sent",
    "outbox_oldest_seconds": "age of the oldest message that is not sent",
    "outcomes_awaited": "requests whose outcome legacy has not decided",
    "dual_write_lag": "age in seconds of the oldest write that one side has and the other not",
    "dual_writes_uncopied": "writes that wait to be copied, by endpoint and the side they go to",
    "dual_writes_in_doubt": "writes of which nobody knows whether a side has them",
}

GAUGE_LABELS: Final = {
    "e_value": ("endpoint", "guardrail"),
    "e_value_needed": ("endpoint", "guardrail"),
}
"""The names of the labels of the gauges that are set in ``Counters``, in their order."""

log: Final = logging.getLogger("stranglerfig")


class Counters:
    """Counts by metric name and labels, in this process. Not locked: owned by one event loop.

    It keeps the gauges of ``GAUGE_LABELS`` as well.
    """

    def __init__(self) -> None:
        self._counts: dict[tuple[str, ...], int] = {}
        self._gauges: dict[tuple[str, ...], float] = {}

    def add(self, metric: str, *labels: str, by: int = 1) -> None:
        """Count. ``metric`` must stand in ``METRICS``."""
        if metric not in METRICS:
            raise KeyError(metric)
        key = (metric, *labels)
        self._counts[key] = self._counts.get(key, 0) + by

    def show(self, of: str, gauges: Mapping[tuple[str, ...], float]) -> None:
        """Set gauges, each by its name and labels; what was set before ``of`` the same one goes.

        ``of`` is their first label.
        """
        for name, *_ in gauges:
            if name not in GAUGE_LABELS:
                raise KeyError(name)
        others = {key: value for key, value in self._gauges.items() if key[1] != of}
        self._gauges = {**others, **gauges}

    def snapshot(self) -> dict[tuple[str, ...], float]:
        """Give a copy of all counts, and of the gauges that are set here."""
        return {**self._counts, **self._gauges}


def start_logging(verbosity: int) -> None:
    """Send the log to standard error: warnings, with ``-v`` information, with ``-vv`` all."""
    level = (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbosity, 2)]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.handlers[:] = [handler]
    log.setLevel(level)
    log.propagate = False
