"""A running process: its parts, in the order in which they are started and, backwards, ended."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Final

import msgspec

from .. import app
from ..bridge.limits import Limits
from ..bridge.outbox import SenderLimits
from ..bridge.replays import NAME as REPLAYS
from ..bridge.replays import Replays, buried_by_source, by_source, released
from ..bridge.senders import Senders
from ..bridge.taking import Bury
from ..config import Workspace
from ..facades.server import Serving
from ..ports import Source
from ..routing.deciding import Deciding, takers
from ..routing.dual.doubling import Doubling
from ..routing.guardrails.watch import Watch
from ..routing.kept import KeptRoutes
from ..routing.operator import Operator
from ..routing.shadow import Shadow
from ..routing.table import RouteTable
from ..store.captured import capture_effects
from ..store.outbox import Outbox
from ..store.store import Store
from ..store.waiting import Waiting
from ..telemetry import Counters, log
from .alone import alone
from .background import Background
from .changes import Changes
from .fitting import Fitting
from .gates import Gates
from .health import Health
from .intake import Intake, Way
from .listening import Listening
from .loading import Loading
from .notify import Notify
from .opening import open_later, open_now
from .plan import Plan, host_port, make
from .presence import Presence
from .pulse import count, pulse
from .readiness import readiness
from .recent import Recent
from .reload import Reload
from .report import about, report
from .singleton import Singleton
from .status import LastTrouble, ProcessStatus, Reloaded, State, builtins

__all__ = ["Running"]

_MODELS: Final = 5.0
"""Seconds that sources wait at a start for what their endpoints are to ask."""


class Running:
    """Facades, sources or both of one workspace. Built by ``process.run``, on its event loop.

    Raises ``ConfigError`` where the workspace is wrong; nothing is begun then.
    """

    state: State = "starting"
    waiting: Waiting | None = None
    health = ""
    unopened = ""
    _watch: asyncio.Task[None] | None = None
    _reloading: asyncio.Task[None] | None = None
    _probes: Serving | None = None

    def __init__(
        self,
        workspace: Workspace,
        *,
        facades: bool,
        sources: bool,
        announce: app.Announce,
        health: str | None = None,
    ) -> None:
        self.facades, self.sources = facades, sources
        self.announce = announce
        self._probed = health
        workspace = self.own(workspace)
        self.reloaded = Reloaded()
        self.store = Store(workspace.store_url)
        self.counters = Counters()
        self.plan = make(workspace, self.store, self.counters, announce)
        self.changes = Changes(workspace.store_url, self._look_at_routes)
        self.loading = Loading(lambda: self.plan, lambda: self.table)
        self.table = RouteTable(
            self.store,
            self.plan.endpoints,
            prepare=self.loading.prepare,
            kill_file=workspace.root / app.KILL_FILE,
            kept=KeptRoutes(workspace.root / app.KEPT_ROUTES),
            adopted=self._tell_of_routes,
        )
        self.shadow = Shadow.on(self.store, self.counters)
        self.doubling = Doubling(self.store, self.table, self.shadow, self.counters)
        self.listening = Listening(self.doubling, announce=announce)
        self.intake = Intake(self.counters, lambda: self.store.journal.healthy)
        self.gates = Gates(self.plan.workspace.bridge)
        lease = self.plan.workspace.bridge.lease
        outbox = Outbox(self.store.database)
        self.senders = Senders(outbox, self.counters, limits=SenderLimits(lease=lease))
        self.takers = self.taking(self.plan)
        self.replays = Replays(self.store.database, released(self.intake.source), lease=lease)
        self.recent, self.notify = Recent(), Notify()
        self.presence = Presence(
            self.store.database,
            kind="up" if facades and sources else "serve" if facades else "bridge",
            lease=lambda: self.plan.workspace.bridge.lease,
            status=lambda: builtins(self.status()),
        )
        self.trouble = LastTrouble()
        self.background = Background()
        self.singletons: list[Singleton] = []
        self.fitting = Fitting(self)
        self.reload = Reload(self)

    def _look_at_routes(self) -> None:
        self.table.nudge()

    def _tell_of_routes(self) -> None:
        self.presence.nudge()

    def own(self, workspace: Workspace) -> Workspace:
        """Give a workspace as this process takes it: with the probes' address that it was given."""
        if self._probed is None:
            return workspace
        bridge = msgspec.structs.replace(workspace.bridge, health=self._probed)
        return msgspec.structs.replace(workspace, bridge=bridge)

    def status(self) -> ProcessStatus:
        """Say how the process is. Call it on the event loop."""
        return report(self)

    async def start(self, stop: asyncio.Event) -> None:
        """Open the store, read the routes, load what they ask for, then serve and take.

        Raises ``ConfigError`` where an address cannot be had. ``stop`` ends the waiting.
        """
        log.addHandler(self.trouble)
        await self._open_probes()
        self.unopened = await open_now(self.store)
        if self.unopened:
            self.background.start("store", open_later(self.store, self._opened))
        else:
            await self.presence.beat()
        for one in self.plan.callers.values():
            await one.open()
        await self.table.poll()
        self._begin()
        if self.facades:
            await self.listening.open(self.plan)
        self.singletons = alone(self)
        for single in self.singletons:
            self.background.start(single.name, single.run())
        if self.sources:
            await self.loading.wait(_MODELS, stop)
            self.fitting.hold(await self.fitting.look(self.plan))
        if not stop.is_set():
            if self.sources:
                self.take()
                self.background.start("columns", self.fitting.watch())
                self.senders.adjust(self.plan.sinks)
            self.state = "running"
            self._reloading = self.background.start("reload", self.reload.run())
            self.background.start("readiness", readiness(self))
            await self.presence.beat()

    def taking(self, plan: Plan) -> Mapping[str, Deciding]:
        """Give who takes each source's deliveries in a plan. Raises ``ConfigError``."""
        return takers(
            plan.endpoints.values(),
            self.table,
            self.store,
            self.counters,
            also=capture_effects,
            sent=self.senders.nudge,
            observations=self.shadow.observations,
        )

    def wanted(self) -> dict[str, Source]:
        """Give the sources to take from: those of the plan, and what is to be replayed."""
        return {**self.plan.sources, REPLAYS: self.replays}

    def take(self) -> None:
        """Begin to take the deliveries of every source that is not being taken from.

        One that is being drained is left to whoever drains it: a source has one taker at a time.
        """
        wanted = self.wanted()
        for name in self.intake.free(wanted.keys() - self.fitting.wrong.keys()):
            self.intake.open(name, wanted[name], self.way(name))
            if name != REPLAYS:
                self.announce({"event": "source", "source": name})

    def way(self, source: str) -> Way:
        """Give the way of a source's deliveries through the plan that is in force."""
        uses, bridge = self.plan.uses, self.plan.workspace.bridge
        if source == REPLAYS:
            takes = {name: uses.counted(one.begin) for name, one in self.takers.items()}
            buries: dict[str, Bury] = {name: one.bury for name, one in self.takers.items()}
            return Way(
                take=by_source(takes.get),
                bury=buried_by_source(buries.get),
                limits=Limits.of(bridge, source),
                gates=self.gates.of(()),
            )
        deciding = self.takers[source]
        return Way(
            take=uses.counted(deciding.begin),
            bury=deciding.bury,
            limits=self.plan.limits[source],
            gates=self.gates.of(deciding.endpoints),
        )

    def watch(self, plan: Plan) -> None:
        """Have the guardrails of a plan's endpoints looked at, and no others."""
        self.shadow.observations.follow(plan.workspace.endpoint.values())
        if self._watch is not None:
            self._watch.cancel()
        self._watch = self.background.start("watch", Watch(plan.operators, self.counters).run())

    async def stop(self) -> None:
        """Take no more, finish what is in hand, and end all. May be called half-way."""
        if self._reloading is not None:
            # First of all: it would open what is closed here.
            self._reloading.cancel()
            await asyncio.wait([self._reloading])
        self.state = "draining"
        self.notify.stopping("finishing what is in hand")
        leaving = asyncio.create_task(self.presence.beat())
        await asyncio.gather(self.intake.stop(), self.listening.close())
        await asyncio.gather(self.senders.stop(), self.doubling.drain(5.0))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5.0):
                await self.shadow.drain()
        await self.background.stop()
        await leaving
        await self.presence.leave()
        for plan in self.reload.alive:
            for pool in plan.pools.values():
                await pool.close()
            for caller in plan.callers.values():
                await caller.close()
        await asyncio.to_thread(self.store.close)
        if self._probes is not None:
            await self._probes.__aexit__(None, None, None)
        self.notify.close()
        log.removeHandler(self.trouble)

    def _begin(self) -> None:
        self.background.start("presence", self.presence.run())
        self.background.start("routes", self.table.watch())
        self.background.start("route changes", self.changes.run())
        self.background.start("replacements", self.loading.tidy())
        self.background.start("shadow", self.shadow.run())
        self.background.start("observations", self.shadow.observations.run())
        self.background.start("pulse", pulse(self))
        self.background.start("waiting", count(self))
        self.watch(self.plan)

    async def _open_probes(self) -> None:
        # What stands in [bridge] is the bridge's, which may run on this very machine.
        listen = self.plan.workspace.bridge.health if self.sources else self._probed
        if not listen:
            return
        place = self.plan.workspace.place("bridge", "health")
        health = Health(
            status=self.status,
            counts=self.counters.snapshot,
            waiting=lambda: self.waiting,
            about=about(self),
        )
        probes = Serving(health, *host_port(listen, place), grace=1.0, place=place)
        self._probes = await probes.__aenter__()
        self.health = probes.address
        self.announce({"event": "health", "address": probes.address})

    def _opened(self) -> None:
        self.unopened = ""

    def operators(self, source: str) -> list[Operator]:
        """Give the operators of the endpoints that a source feeds."""
        workspace = self.plan.workspace
        names = self.plan.fed_by(source)
        return [app.operator(workspace, self.store, name, who="bridge") for name in names]
