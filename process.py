"""A running process: facades, bridge, or both, from one workspace, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
from collections.abc import Awaitable, Mapping
from contextlib import AsyncExitStack

from . import app
from .adapters.soap import SoapCaller
from .bridge.bridge import Bridge
from .config import Workspace
from .errors import ConfigError, FigError, StoreError
from .facades.server import Serving
from .facades.soap import Serve, SoapFacade, SoapSystem
from .facades.wsdl import PublishedWsdl
from .model import Route
from .ports import Caller, Source
from .routing.deciding import takers
from .routing.dispatch import Dispatcher
from .routing.endpoint import AskLegacy
from .routing.operator import Operator
from .routing.replacements import Replacements
from .routing.shadow import Shadow
from .routing.table import RouteTable
from .routing.watch import Watch
from .store.store import Store
from .telemetry import Counters, log

__all__ = ["run"]


async def run(
    workspace: Workspace, *, facades: bool, sources: bool, announce: app.Announce
) -> None:
    """Serve until SIGTERM or SIGINT; what is under way is finished first.

    Raises ``ConfigError`` before anything is served. A store that is not there at the start does
    not keep callers from legacy: it is tried again and again.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, stop, number)
    async with AsyncExitStack() as stack:
        parts = _Parts(workspace, stack, announce)
        await parts.start()
        if facades:
            await parts.serve()
        if sources:
            parts.bridge(stop)
        gc.collect()
        gc.freeze()  # what was made until now stays: looking at it again and again is in vain
        announce({"event": "ready", "endpoints": sorted(workspace.endpoint)})
        await stop.wait()
        log.info("stopping: what is under way is finished first")


def _stop(stop: asyncio.Event, number: int) -> None:
    if stop.is_set():
        # Asked twice: what is under way is not waited for.
        os._exit(128 + number)
    stop.set()


class _Parts:
    """What one process is made of, in the order in which it is started and, backwards, ended."""

    def __init__(self, workspace: Workspace, stack: AsyncExitStack, announce: app.Announce) -> None:
        self._workspace = workspace
        self._stack = stack
        self._announce = announce
        self._store = Store(workspace.store_url)
        self._counters = Counters()
        self._pools = app.replacements(workspace, announce)
        self._callers = _callers(workspace)
        self._endpoints = app.endpoints(workspace, _asking(self._callers), self._pools)
        self._table = RouteTable(
            self._store,
            self._endpoints,
            prepare=self._prepare,
            kill_file=workspace.root / app.KILL_FILE,
        )
        self._shadow = Shadow(self._store.journal, self._counters)

    async def start(self) -> None:
        """Open the store, read the routes, start what watches them."""
        self._stack.push_async_callback(asyncio.to_thread, self._store.close)
        for pool in self._pools.values():
            self._stack.push_async_callback(pool.close)
        for one in self._callers.values():
            await one.open()
            self._stack.push_async_callback(one.close)
        if not await self._open_store():
            self._background(self._open_later())
        await self._table.poll()
        self._background(self._table.watch())
        self._background(self._tidy())
        self._background(self._shadow.run())
        self._stack.push_async_callback(self._drain_shadow)
        self._background(Watch(self._operators()).run())

    async def serve(self) -> None:
        """Open the facades."""
        for name, facade in self._workspace.facade.items():
            systems = self._systems(name)
            if not systems:
                continue
            served = SoapFacade(systems, self._counters)
            await served.open()
            self._stack.push_async_callback(served.close)
            place = self._workspace.place("facade", name, "listen")
            host, port = _host_port(facade.listen, place)
            serving = await self._stack.enter_async_context(
                Serving(served, host, port, place=place)
            )
            for system in systems.values():
                address = f"{serving.address}{system.path}"
                self._announce({"event": "listening", "facade": name, "address": address})

    def bridge(self, stop: asyncio.Event) -> None:
        """Start taking deliveries."""
        taking = takers(self._endpoints.values(), self._table, self._store, self._counters)
        sources: dict[str, Source] = {name: app.source(self._workspace, name) for name in taking}
        for name, source in sources.items():
            bridge = Bridge(
                {name: source},
                {name: taking[name].begin},
                bury=taking[name].bury,
                counters=self._counters,
            )
            task = asyncio.create_task(bridge.run(stop))
            self._stack.push_async_callback(_finished, stop, task)
            self._announce({"event": "source", "source": name})

    def _background(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        task.add_done_callback(_report)
        self._stack.push_async_callback(_cancelled, task)

    async def _open_store(self) -> bool:
        try:
            await asyncio.to_thread(self._store.open)
        except StoreError as error:
            log.warning("store lost, legacy answers everybody: %s", error)
            return False
        return True

    async def _open_later(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            with contextlib.suppress(StoreError):
                await asyncio.to_thread(self._store.open)
                log.info("the store is there now")
                return

    async def _prepare(self, route: Route) -> bool:
        pool = self._pool(route.endpoint)
        return pool is None or pool.start(route.revision.partition(".")[0])

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(5.0)
            for name, pool in self._pools.items():
                wanted: set[str] = set()
                for endpoint in self._endpoints.values():
                    if endpoint.config.replacement == name:
                        route = self._table.current(endpoint.name)
                        wanted |= {
                            route.revision,
                            route.good_revision,
                            self._table.wanted(endpoint.name).revision,
                        }
                await pool.keep_only({one.partition(".")[0] for one in wanted})

    def _pool(self, endpoint: str) -> Replacements | None:
        return self._pools.get(self._workspace.endpoint[endpoint].replacement)

    async def _drain_shadow(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._shadow.drain(), 5.0)

    def _operators(self) -> list[Operator]:
        return [
            app.operator(self._workspace, self._store, name, who="guardrail")
            for name, endpoint in self._workspace.endpoint.items()
            if endpoint.replacement
        ]

    def _systems(self, facade: str) -> dict[str, SoapSystem]:
        settings = self._workspace.facade[facade]
        found: dict[str, SoapSystem] = {}
        for name, one in self._callers.items():
            if isinstance(one, SoapCaller) and (not settings.systems or name in settings.systems):
                found[name] = SoapSystem(
                    path=one.path,
                    upstream=one.upstream,
                    wsdl=PublishedWsdl(one.wsdl),
                    endpoints=self._serves(facade, name),
                    max_body=settings.max_body,
                    public=settings.public,
                    timeout=settings.timeout,
                )
        return found

    def _serves(self, facade: str, system: str) -> dict[str, Serve]:
        return {
            endpoint.mapping.root: Dispatcher(
                endpoint, self._table, self._store.journal, self._shadow, self._counters
            ).serve
            for endpoint in self._endpoints.values()
            if (endpoint.config.listen.facade, endpoint.config.listen.system) == (facade, system)
        }


def _callers(workspace: Workspace) -> dict[str, Caller]:
    wanted = {one.legacy for one in workspace.endpoint.values() if one.legacy}
    wanted |= {one.listen.system for one in workspace.endpoint.values() if one.listen.system}
    wanted |= {name for facade in workspace.facade.values() for name in facade.systems}
    return {name: app.caller(workspace, name) for name in sorted(wanted)}


def _asking(callers: Mapping[str, Caller]) -> dict[str, AskLegacy]:
    return {name: one.call for name, one in callers.items()}


def _host_port(listen: str, place: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        expected = "host:port, such as 127.0.0.1:8700"
        raise ConfigError("not an address", place=place, value=listen, expected=expected)
    return host.strip("[]"), int(port)


async def _cancelled(task: asyncio.Future[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await task


async def _finished(stop: asyncio.Event, task: asyncio.Task[None]) -> None:
    stop.set()
    with contextlib.suppress(asyncio.CancelledError, FigError):
        await task


def _report(task: asyncio.Future[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("a part of the process ended: %r", task.exception())
