"""How a running process is, put together from its parts at this moment."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from .. import __version__
from ..bridge.outbox import SenderStatus
from ..bridge.status import SourceStatus
from .status import JournalView, ProcessStatus, SinkView, SourceView

if TYPE_CHECKING:
    from .running import Running

__all__ = ["about", "report", "words"]


def report(running: Running) -> ProcessStatus:
    """Say how it is. Called on its event loop, by probes and once a second for the store."""
    status = running.intake.status()
    sources = status.sources
    missing = _missing(running, sources)
    bridge = running.plan.workspace.bridge
    stuck = [
        f"source {name}: {sources[name].in_flight} in hand, nothing settled for"
        f" {time.monotonic() - sources[name].progress:.0f} s"
        for name in status.stuck(time.monotonic(), bridge.stuck)
    ]
    ended = running.state in {"starting", "draining"}
    return ProcessStatus(
        workspace=str(running.plan.workspace.root),
        digest=running.plan.digest,
        version=__version__,
        state=running.state,
        live=not stuck,
        # Callers of a facade are answered from legacy whatever is missing here; records of a source
        # are not, so a process that takes any is ready only when nothing is missing.
        ready=not ended and not (missing and running.sources),
        missing=((running.state,) if ended else ()) + missing,
        stuck=tuple(stuck),
        sources={name: _source(running, name, one) for name, one in sources.items()},
        sinks={name: _sink(one) for name, one in running.senders.status().items()},
        journal=JournalView(
            backlog=running.store.journal.backlog,
            dropped=running.store.journal.dropped,
            trouble=running.store.journal.trouble,
        ),
        routes=running.table.versions,
        paused=_paused(running),
        leases=tuple(one.name for one in running.singletons if one.held),
        health=running.health,
        lease=bridge.lease,
        reload=running.reloaded,
        trouble=running.trouble.text,
        trouble_at=running.trouble.at,
    )


def about(running: Running) -> dict[str, str]:
    """Give the labels of ``fig_info``."""
    return {"version": __version__, "incarnation": running.presence.incarnation}


def words(status: ProcessStatus) -> str:
    """Say in a line how a process is that misses nothing, for systemd."""
    in_hand = sum(one.status.in_flight for one in status.sources.values())
    rate = sum(one.status.per_second_10 for one in status.sources.values())
    return f"{len(status.sources)} sources flow, {in_hand} in hand, {rate:.1f} a second"


def _missing(running: Running, sources: Mapping[str, SourceStatus]) -> tuple[str, ...]:
    found = []
    trouble = running.unopened or running.store.journal.trouble
    if trouble:
        found.append(f"store: {trouble}")
    elif running.table.lost:
        found.append("store: the routes cannot be read")
    for name, source in sources.items():
        if source.state != "flowing":
            waits = source.state == "waiting" and source.trouble
            why = f": {source.trouble}" if source.trouble else ""
            found.append(f"source {name}: {waits or source.state + why}")
    found += [
        f"destination {name}: {one.state}: {one.trouble}"
        for name, one in running.senders.status().items()
        if one.state == "broken"
    ]
    if running.sources:
        found += [
            f"source {name}: {running.fitting.wrong.get(name, 'not begun')}"
            for name in sorted(running.wanted().keys() - sources.keys())
        ]
    return (*found, *running.loading.missing())


def _source(running: Running, name: str, status: SourceStatus) -> SourceView:
    return SourceView(
        status=status,
        recent=tuple(running.recent.of(name)),
        endpoints=tuple(running.plan.fed_by(name)),
    )


def _sink(one: SenderStatus) -> SinkView:
    return SinkView(
        state=one.state,
        sent=one.sent,
        retried=one.retried,
        held=one.held,
        in_flight=one.in_flight,
        trouble=one.trouble,
    )


def _paused(running: Running) -> tuple[str, ...]:
    names = sorted(running.plan.endpoints)
    return tuple(name for name in names if running.table.wanted(name).paused)
