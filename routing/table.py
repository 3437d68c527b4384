"""The routes as this process knows them: read from the store, kept when the store is lost."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path

import msgspec

from ..errors import StoreError
from ..model import Data, Route, Side, Stage
from ..store.store import Store
from ..telemetry import log
from .kept import KeptRoutes
from .pairs import plan_of

__all__ = ["RouteTable"]

Prepare = Callable[[Route], Awaitable[bool]]
"""Make ready what a route needs (a new revision's model); False while it is not ready yet."""


class RouteTable:
    """Every endpoint's route, in memory. Looked up once a request, on the callers' path.

    A version is adopted whole or not at all: under one version, every process puts a key on the
    same side. One in which the replacement answers with another revision is adopted when its model
    is ready, or after ``patience`` seconds without it (callers are then answered by legacy); the
    version before stays until then. Whatever gives the requests to legacy is adopted at once.

    While the store is lost, the routes stay as they were last read, also by the process before this
    one (``kept``). ``kill_file`` names killed endpoints, one a line (``*``: all), and works without
    the store. ``adopted`` is told after every change. The first version that a process reads is
    adopted at once: it has none to stay at.
    """

    def __init__(
        self,
        store: Store,
        endpoints: Iterable[str],
        *,
        prepare: Prepare,
        kill_file: Path,
        patience: float = 30.0,
        kept: KeptRoutes | None = None,
        adopted: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._routes = {name: Route(endpoint=name) for name in endpoints}
        self._wanted: dict[str, Route] = {}
        self._since: dict[str, float] = {}
        self._prepare = prepare
        self._kill_file = kill_file
        self._patience = patience
        self._killed: frozenset[str] = frozenset()
        self._lost = False
        self._kept = kept
        self._told = adopted
        self._stamp: object = None
        self._changed = asyncio.Event()
        self._adopted: set[str] = set()

    def current(self, endpoint: str) -> Route:
        """Give the route to serve by now. Never raises for an endpoint of the workspace."""
        return self._routes[endpoint]

    @property
    def lost(self) -> bool:
        """Say whether the routes could not be read when they were last looked at."""
        return self._lost

    def wanted(self, endpoint: str) -> Route:
        """Give the route as the store last had it, adopted yet or not."""
        return self._wanted.get(endpoint) or self._routes[endpoint]

    def known(self, endpoint: str) -> Route:
        """Give the route as the store last had it; at legacy where there is no such endpoint."""
        return self._wanted.get(endpoint) or self._routes.get(endpoint) or Route(endpoint=endpoint)

    def follow(self, endpoints: Iterable[str]) -> None:
        """Know these endpoints from now on, and no others; new ones stand at legacy until read.

        Called when a process takes another ``fig.toml``; ``poll`` then reads their routes.
        """
        names = set(endpoints)
        self._routes = {name: self._routes.get(name) or Route(endpoint=name) for name in names}
        self._wanted = {name: route for name, route in self._wanted.items() if name in names}
        self._since = {name: since for name, since in self._since.items() if name in names}
        self._stamp = None

    @property
    def versions(self) -> Mapping[str, int]:
        """Give the version of each route that was adopted; 0 where none ever was."""
        return {name: route.version for name, route in self._routes.items()}

    def nudge(self) -> None:
        """Look soon: somebody says that a route has changed. Called on the event loop."""
        self._changed.set()

    async def watch(self, interval: float = 0.25) -> None:
        """Follow the store until cancelled; a change reaches this process within a second."""
        while True:
            await self.poll()
            # Not wait_for: before Python 3.12 it may lose a cancellation that comes with the event.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(interval):
                    await self._changed.wait()
            self._changed.clear()

    async def poll(self) -> None:
        """Look once. Never raises."""
        killed = self._read_kill_file()
        try:
            read = await asyncio.to_thread(self._read)
        except StoreError as error:
            if not self._lost:
                log.warning("store lost, routes stay as last read: %s", error)
            self._lost, read = True, self._as_kept()
        else:
            if self._lost:
                log.info("store is back, routes are read again")
            self._lost = False
        if read is not None:
            self._wanted = {name: read[name] for name in self._routes if name in read}
        if killed != self._killed:
            log.warning("kill file now names: %s", ", ".join(sorted(killed)) or "nothing")
            self._killed = killed
        before = self._routes
        for name in list(self._routes):
            await self._adopt(name, self._wanted.get(name) or Route(endpoint=name))
        if before != self._routes:
            self._told()
            if self._kept is not None:
                await asyncio.to_thread(self._kept.write, self._wanted)

    def _as_kept(self) -> Mapping[str, Route] | None:
        """Give what the process before this one had last read, where we never read anything."""
        if self._kept is None or self._stamp is not None or self._wanted:
            return None
        found = self._kept.read()
        if found:
            log.warning("routes are those that were last read here: %s", ", ".join(sorted(found)))
        return found or None

    def _read(self) -> Mapping[str, Route] | None:
        stamp = self._store.routes.stamp()
        if stamp == self._stamp:
            return None
        routes = self._store.routes.all()
        self._stamp = stamp
        return routes

    async def _adopt(self, name: str, wanted: Route) -> None:
        now = self._routes.get(name)
        if now is None:
            return  # it went while others were looked at
        if name in self._killed or "*" in self._killed:
            wanted = msgspec.structs.replace(wanted, killed=True)
        if wanted == now:
            return
        first = name not in self._adopted
        if _asks_anew(now, wanted) and not await self._ready(wanted) and not first:
            return
        self._since.pop(name, None)
        if name not in self._routes:
            return
        self._adopted.add(name)
        self._routes = {**self._routes, name: wanted}
        log.info("%s: %s (version %d)", name, _words(wanted), wanted.version)

    async def _ready(self, wanted: Route) -> bool:
        if await self._prepare(wanted):
            return True
        since = self._since.setdefault(wanted.endpoint, time.monotonic())
        if time.monotonic() - since < self._patience:
            return False
        log.warning(
            "%s: revision %s is not ready; adopted all the same, legacy answers meanwhile",
            wanted.endpoint,
            wanted.revision,
        )
        return True

    def _read_kill_file(self) -> frozenset[str]:
        try:
            lines = self._kill_file.read_text("utf-8").splitlines()
        except FileNotFoundError:
            return frozenset()
        except (OSError, UnicodeDecodeError):
            return self._killed  # it cannot be read just now: who was killed stays so
        names = (line.partition("#")[0].strip() for line in lines)
        return frozenset(name for name in names if name)


def _asks_anew(now: Route, wanted: Route) -> bool:
    """Say whether the replacement would answer callers, with a revision that did not before."""
    answers = plan_of(wanted).inside is Side.REPLACEMENT and not wanted.killed
    return answers and (wanted.revision != now.revision or plan_of(now).inside is Side.LEGACY)


def _words(route: Route) -> str:
    """Say where a route stands, its latches included: they are what somebody looks for at night."""
    stage = f"canary {route.percent:g} %" if route.stage is Stage.CANARY else route.stage.value
    held = (("paused", route.paused), ("frozen", route.frozen), ("killed", route.killed))
    latches = [name for name, on in held if on]
    owned = [] if route.data is Data.NONE else [f"data {route.data}"]
    return ", ".join([stage, *owned, *latches, f"revision {route.revision or 'none'}"])
