"""The figures of a process, as ``/metrics`` gives them, under the names of ``telemetry``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..model import Side
from ..store.dual_work import Lag
from ..store.waiting import Waiting
from ..telemetry import GAUGE_LABELS, GAUGES, LABELS, METRICS
from .exposition import Family
from .status import ProcessStatus, SourceView

__all__ = ["families"]


def families(
    counts: Mapping[tuple[str, ...], float],
    status: ProcessStatus,
    waiting: Waiting | None,
    about: Mapping[str, str],
) -> list[Family]:
    """Give every metric that has a sample.

    ``counts`` are those of ``Counters``, its gauges included; ``waiting`` is None where the store
    could not be asked; ``about`` are the labels of ``fig_info``.
    """
    counted = {**counts, ("journal_dropped",): status.journal.dropped}
    gauges = dict(_gauges(status, waiting), info=[(about, 1.0)], **_shown(counts))
    return [
        *(_counter(name, counted) for name in METRICS if any(key[0] == name for key in counted)),
        *(
            Family(name=f"fig_{name}", help=text, samples=tuple(gauges[name]))
            for name, text in GAUGES.items()
            if gauges.get(name)
        ),
    ]


_Samples = list[tuple[Mapping[str, str], float]]


def _shown(counts: Mapping[tuple[str, ...], float]) -> dict[str, _Samples]:
    found: dict[str, _Samples] = {}
    for (name, *values), value in counts.items():
        if name in GAUGE_LABELS:
            labels = dict(zip(GAUGE_LABELS[name], values, strict=True))
            found.setdefault(name, []).append((labels, value))
    return found


def _counter(name: str, counts: Mapping[tuple[str, ...], float]) -> Family:
    samples = tuple(
        (_labels(name, key[1:]), float(count)) for key, count in counts.items() if key[0] == name
    )
    return Family(name=f"fig_{name}_total", help=METRICS[name], samples=samples, counter=True)


def _labels(name: str, values: tuple[str, ...]) -> dict[str, str]:
    names = LABELS[name]
    further = [f"label_{number}" for number in range(len(names), len(values))]
    return dict(zip((*names, *further), values, strict=False))


def _gauges(status: ProcessStatus, waiting: Waiting | None) -> Iterator[tuple[str, _Samples]]:
    yield "ready", [({}, float(status.ready))]
    versions = status.routes.items()
    yield "plan_version", [({"endpoint": name}, float(version)) for name, version in versions]
    yield "journal_backlog", [({}, float(status.journal.backlog))]
    by_source = [(name, _of_source(view)) for name, view in status.sources.items()]
    for gauge in GAUGES:
        found = [({"source": name}, values[gauge]) for name, values in by_source if gauge in values]
        if found:
            yield gauge, [(dict(labels), value) for labels, value in found]
    if waiting is not None:
        yield "dead_letters", [({}, float(waiting.dead))]
        yield "replays", [({}, float(waiting.replays))]
        yield "outbox_unsent", [({}, float(waiting.outgoing))]
        yield "outbox_oldest_seconds", [({}, waiting.outgoing_age)]
        yield "outcomes_awaited", [({}, float(waiting.outcomes))]
        yield from _of_dual_writes(waiting.dual)


def _of_dual_writes(
    lags: Mapping[str, Lag],
) -> Iterator[tuple[str, list[tuple[Mapping[str, str], float]]]]:
    """Give how far the sides of each endpoint are apart."""
    of = [({"endpoint": name}, lag) for name, lag in lags.items()]
    yield "dual_write_lag", [(labels, lag.oldest) for labels, lag in of]
    yield "dual_writes_in_doubt", [(labels, float(lag.doubts)) for labels, lag in of]
    yield (
        "dual_writes_uncopied",
        [({**labels, "side": side}, float(lag.to(side))) for labels, lag in of for side in Side],
    )


def _of_source(view: SourceView) -> dict[str, float]:
    one, lag = view.status, view.status.lag
    found = {
        "source_flowing": float(one.state == "flowing"),
        "source_in_flight": float(one.in_flight),
        "source_oldest_seconds": one.oldest,
        "source_rate": one.per_second_10,
    }
    if lag is not None:
        found["source_pending"] = float(lag.pending)
        found["source_lag_seconds"] = lag.oldest
        found["source_backfill"] = float(lag.backfill)
    return found
