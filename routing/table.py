"""The routes as this process knows them: read from the store, kept when the store is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path

import msgspec

from ..errors import StoreError
from ..model import Data, Route, Stage
from ..store.store import Store
from ..telemetry import log

__all__ = ["RouteTable"]

Prepare = Callable[[Route], Awaitable[bool]]
"""Make ready what a route needs (a new revision's model); False while it is not ready yet."""


class RouteTable:
    """Every endpoint's route, in memory. Looked up once a request, on the callers' path.

    A new revision is adopted when its model is ready, or after ``patience`` seconds without it
    (callers are then answered by legacy). Latches and stages are adopted at once. While the store
    is lost, the routes stay as they were last read. ``kill_file`` names killed endpoints, one a
    line (``*``: all), and works without the store.
    """

    def __init__(
        self,
        store: Store,
        endpoints: Iterable[str],
        *,
        prepare: Prepare,
        kill_file: Path,
        patience: float = 30.0,
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
        self._stamp: object = None

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

    async def watch(self, interval: float = 0.25) -> None:
        """Follow the store until cancelled; a change reaches this process within a second."""
        while True:
            await self.poll()
            await asyncio.sleep(interval)

    async def poll(self) -> None:
        """Look once. Never raises."""
        killed = self._read_kill_file()
        try:
            read = await asyncio.to_thread(self._read)
        except StoreError as error:
            if not self._lost:
                log.warning("store lost, routes stay as last read: %s", error)
            self._lost, read = True, None
        else:
            if self._lost:
                log.info("store is back, routes are read again")
            self._lost = False
        if read is not None:
            self._wanted = {name: read[name] for name in self._routes if name in read}
        if killed != self._killed:
            log.warning("kill file now names: %s", ", ".join(sorted(killed)) or "nothing")
            self._killed = killed
        for name in list(self._routes):
            await self._adopt(name, self._wanted.get(name) or Route(endpoint=name))

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
        fresh = wanted.revision != now.revision and wanted.stage is not Stage.LEGACY
        if fresh and not await self._ready(wanted):
            if now.revision:
                wanted = msgspec.structs.replace(wanted, revision=now.revision, version=now.version)
            if wanted == now:
                return
        else:
            self._since.pop(name, None)
        if name not in self._routes:
            return
        self._routes[name] = wanted
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


def _words(route: Route) -> str:
    """Say where a route stands, its latches included: they are what somebody looks for at night."""
    stage = f"canary {route.percent:g} %" if route.stage is Stage.CANARY else route.stage.value
    held = (("paused", route.paused), ("frozen", route.frozen), ("killed", route.killed))
    latches = [name for name, on in held if on]
    owned = [] if route.data is Data.NONE else [f"data {route.data}"]
    return ", ".join([stage, *owned, *latches, f"revision {route.revision or 'none'}"])
