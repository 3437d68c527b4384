"""The facades of a process, each on its address; what they serve can be swapped at any time."""

from __future__ import annotations

from contextlib import AsyncExitStack

from .. import serving
from ..adapters.soap import SoapCaller
from ..app import Announce
from ..errors import ConfigError
from ..facades.http import Answer, App, HttpRequest
from ..facades.server import Serving
from ..facades.soap import Serve, SoapFacade, SoapSystem
from ..routing.dispatch import Dispatcher
from ..routing.dual.doubling import Doubling
from ..routing.dual.writing import Writing
from .plan import Plan, host_port

__all__ = ["Listening"]


class Listening:
    """Serves the facades of a plan, and then those of the next. Owned by one event loop."""

    def __init__(self, doubling: Doubling, *, announce: Announce) -> None:
        self._doubling, self._announce = doubling, announce
        self._table, self._journal = doubling.table, doubling.journal
        self._shadow, self._counters = doubling.shadow, doubling.counters
        self._stack = AsyncExitStack()
        self._served: dict[str, _Served] = {}

    def made(self, plan: Plan) -> dict[str, SoapFacade]:
        """Make a plan's facades, unopened. Raises ``ConfigError``."""
        found: dict[str, SoapFacade] = {}
        for name in plan.workspace.facade:
            systems = self._systems(plan, name)
            if systems:
                found[name] = SoapFacade(systems, self._counters)
        return found

    async def open(self, plan: Plan) -> None:
        """Serve, each facade on its address. Raises ``ConfigError`` where one cannot be had."""
        for name, facade in self.made(plan).items():
            place = plan.workspace.place("facade", name, "listen")
            host, port = host_port(plan.workspace.facade[name].listen, place)
            await facade.open()
            served = self._served[name] = _Served(facade)
            serving = Serving(served, host, port, place=place)
            await self._stack.enter_async_context(serving)
            for system in self._systems(plan, name).values():
                address = f"{serving.address}{system.path}"
                self._announce({"event": "listening", "facade": name, "address": address})

    def swap(self, facades: dict[str, SoapFacade]) -> list[SoapFacade]:
        """Serve these from the next request on; give those that were served until now.

        They are on the same addresses, and are open: see ``same_addresses``.
        """
        before = []
        for name, facade in facades.items():
            before.append(self._served[name].app)
            self._served[name].app = facade
        return before

    def check_same(self, facades: dict[str, SoapFacade]) -> None:
        """Raise ``ConfigError`` where facades come or go: their addresses are had at a start."""
        if facades.keys() != self._served.keys():
            raise ConfigError(
                "a facade comes or goes, and addresses are had at a start only",
                place="facade",
                value=", ".join(sorted(facades)) or "none",
                expected=", ".join(sorted(self._served)) or "none",
                remedy="restart the process",
            )

    async def close(self) -> None:
        """Take no more requests, and finish those under way."""
        await self._stack.aclose()
        for served in self._served.values():
            await served.app.close()

    def _systems(self, plan: Plan, facade: str) -> dict[str, SoapSystem]:
        settings = plan.workspace.facade[facade]
        override = serving.override(plan.workspace)
        found: dict[str, SoapSystem] = {}
        for name, one in plan.callers.items():
            if isinstance(one, SoapCaller) and (not settings.systems or name in settings.systems):
                found[name] = SoapSystem(
                    path=one.path,
                    upstream=one.upstream,
                    wsdl=plan.wsdls[name],
                    endpoints=self._serves(plan, facade, name),
                    max_body=settings.max_body,
                    public=settings.public,
                    timeout=settings.timeout,
                    override=override,
                )
        return found

    def _serves(self, plan: Plan, facade: str, system: str) -> dict[str, Serve]:
        return {
            endpoint.mapping.root: plan.uses.counted(
                Dispatcher(
                    endpoint,
                    self._table,
                    self._journal,
                    self._shadow,
                    self._counters,
                    self._shadow.observations,
                    Writing(endpoint, self._doubling),
                ).serve
            )
            for endpoint in plan.endpoints.values()
            if (endpoint.config.listen.facade, endpoint.config.listen.system) == (facade, system)
        }


class _Served(App):
    """What stands on an address: the facade of the last plan."""

    def __init__(self, app: SoapFacade) -> None:
        self.app = app

    def limit(self, request: HttpRequest) -> int:
        return self.app.limit(request)

    def too_large(self, request: HttpRequest) -> Answer:
        return self.app.too_large(request)

    async def answer(self, request: HttpRequest) -> Answer:
        return await self.app.answer(request)
