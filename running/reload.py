"""Taking a changed ``fig.toml`` while everything runs: whole, or not at all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from ..config import Workspace, load
from ..errors import ConfigError, FigError
from ..facades.soap import SoapFacade
from ..model import Stage
from ..routing.replacements import Replacements
from ..telemetry import log
from .loading import part
from .plan import Plan, make
from .status import Reloaded

if TYPE_CHECKING:
    from .running import Running

__all__ = ["Reload"]

_LOADED: Final = 20.0
"""Seconds that a new replacement may take to load; the old one answers meanwhile."""
_LOOK: Final = 0.05
_OLD: Final = 60.0
"""Seconds after which what the plan before did without is closed, used still or not."""


class Reload:
    """Reloads one running process, one reload at a time. Owned by its event loop.

    ``ask`` is called by SIGHUP. What a plan made is swapped between two requests and between two
    deliveries; what nobody needs any more is closed when its last use has ended.
    """

    def __init__(self, running: Running) -> None:
        self._running = running
        self._asked = asyncio.Event()
        self.alive: list[Plan] = [running.plan]

    def ask(self) -> None:
        """Have it reload soon; asking while one is under way has another follow."""
        self._asked.set()

    async def run(self) -> None:
        """Reload whenever asked, until cancelled."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            await self._once()

    async def _once(self) -> None:
        running = self._running
        running.state = "reloading"
        running.notify.reloading()
        number = running.reloaded.number + 1
        try:
            changes = await self._reload()
        except FigError as error:
            log.error("reload refused, nothing is changed: %s", error)
            running.reloaded = _refused(number, error)
        except Exception as error:  # noqa: BLE001 - a reload must not end what runs
            log.exception("reload failed")
            running.reloaded = _refused(number, FigError(f"failed: {type(error).__name__}"))
        else:
            log.info("reloaded: %s", "; ".join(changes))
            running.reloaded = Reloaded(number=number, at=time.time(), changes=tuple(changes))
        running.state = "running"
        running.notify.ready("reloaded" if running.reloaded.ok else "reload refused")
        running.announce(_event(running.reloaded))
        await running.presence.beat()

    async def _reload(self) -> list[str]:
        running, before = self._running, self._running.plan
        after = await asyncio.to_thread(self._made, before)
        unfit = await running.fitting.look(after) if running.sources else {}
        for error in unfit.values():
            raise error
        taking = running.taking(after)
        facades = await self._opened(before, after)
        # From here on nothing fails, and until the next await nobody sees one without the other.
        self.alive.append(after)
        self._follow()
        running.plan, running.takers = after, taking
        running.fitting.hold({})
        running.gates.adjust(after.workspace.bridge)
        replaced = running.listening.swap(facades)
        running.watch(after)
        changes = [*_changes(before, after)]
        await running.table.poll()
        if running.sources:
            await self._intake()
        running.background.start("retire", self._retire(before, after, replaced))
        return changes or ["nothing has changed"]

    def _made(self, before: Plan) -> Plan:
        running = self._running
        workspace = running.own(load(before.workspace.file))
        _check_same(before.workspace, workspace, facades=running.facades, sources=running.sources)
        return make(workspace, running.store, running.counters, running.announce, before)

    async def _opened(self, before: Plan, after: Plan) -> dict[str, SoapFacade]:
        """Open what is new, and give the facades; where one fails, close those again."""
        callers = [
            one for name, one in after.callers.items() if before.callers.get(name) is not one
        ]
        pools = {
            name: one for name, one in after.pools.items() if before.pools.get(name) is not one
        }
        listening = self._running.listening
        try:
            for caller in callers:
                await caller.open()
            await self._load(after, pools)
            facades = listening.made(after) if self._running.facades else {}
            listening.check_same(facades)
            for facade in facades.values():
                await facade.open()
        except BaseException:
            await asyncio.gather(
                *(caller.close() for caller in callers), *(pool.close() for pool in pools.values())
            )
            raise
        return facades

    async def _load(self, plan: Plan, pools: Mapping[str, Replacements]) -> None:
        """Load what the routes ask new replacements for, while the old ones go on answering.

        Raises ``ConfigError`` where one is not ready in time.
        """
        until = time.monotonic() + _LOADED
        for name, endpoint in plan.endpoints.items():
            pool = pools.get(endpoint.config.replacement)
            route = self._running.table.known(name)
            if pool is None or route.stage is Stage.LEGACY or route.killed:
                continue
            revision = part(route)
            while not pool.start(revision):
                if time.monotonic() > until:
                    raise ConfigError(
                        f"the revision that the route of {name} asks for cannot be loaded",
                        place=plan.workspace.place("replacement", endpoint.config.replacement),
                        value=revision,
                        remedy=f"look at the log for why; fig route deploy {name}, or take it back",
                    )
                await asyncio.sleep(_LOOK)

    async def _intake(self) -> None:
        """Turn unchanged sources to the new plan; drain the others, and open what is new."""
        running = self._running
        going = []
        for name in running.intake.names():
            source = running.wanted().get(name)
            if source is None or not running.intake.turn(name, source, running.way(name)):
                going.append(name)
        running.take()
        await asyncio.gather(*(self._renew(name) for name in going))
        running.senders.adjust(running.plan.sinks)

    async def _renew(self, name: str) -> None:
        """Drain a source, and take from what has its name now, where anything has."""
        await self._running.intake.close(name)
        self._running.take()

    async def _retire(self, before: Plan, after: Plan, facades: Sequence[SoapFacade]) -> None:
        """Close what the new plan does without, when its last use has ended."""
        if not await before.uses.ended(_OLD):
            log.warning("calls of before the reload are under way still, and are ended now")
        self.alive.remove(before)
        self._follow()
        for facade in facades:
            await facade.close()
        for name, pool in before.pools.items():
            if after.pools.get(name) is not pool:
                await pool.close()
        for name, caller in before.callers.items():
            if after.callers.get(name) is not caller:
                await caller.close()

    def _follow(self) -> None:
        self._running.table.follow(name for plan in self.alive for name in plan.endpoints)


def _check_same(before: Workspace, after: Workspace, *, facades: bool, sources: bool) -> None:
    """Raise ``ConfigError`` for what a running process cannot take."""
    pairs: list[tuple[tuple[str, ...], str, str]] = [
        (("workspace", "store"), before.store, after.store),
        (("workspace", "store_password"), before.store_password, after.store_password),
    ]
    if sources:
        pairs.append((("bridge", "health"), before.bridge.health, after.bridge.health))
    if facades:
        for name in before.facade.keys() & after.facade.keys():
            listen = before.facade[name].listen, after.facade[name].listen
            pairs.append((("facade", name, "listen"), *listen))
    for keys, was, now in pairs:
        if was != now:
            raise ConfigError(
                "cannot be changed while the process runs",
                place=after.place(*keys),
                value=repr(now),
                expected=repr(was),
                remedy="put it back and reload, or restart the process",
            )


def _changes(before: Plan, after: Plan) -> list[str]:
    """Say what a reload changed, for people."""
    return [
        *_differences("source", before.sources, after.sources),
        *_differences("destination", before.sinks, after.sinks),
        *_differences("replacement", before.pools, after.pools),
        *_differences("guards of", _guards(before), _guards(after)),
        *_differences("system", before.callers, after.callers),
        *_differences("endpoint", _marks(before), _marks(after)),
        *(["settings of the bridge"] if before.workspace.bridge != after.workspace.bridge else []),
        *(["what is loaded from files"] if _only_files(before, after) else []),
    ]


def _guards(plan: Plan) -> dict[str, object]:
    return {name: one.guards for name, one in plan.workspace.replacement.items()}


def _marks(plan: Plan) -> dict[str, object]:
    return {
        name: (one.config, one.mapping.digest, one.versions.digest if one.versions else "")
        for name, one in plan.endpoints.items()
    }


def _only_files(before: Plan, after: Plan) -> bool:
    same = before.workspace == after.workspace and _marks(before) == _marks(after)
    return same and before.digest != after.digest


def _differences(kind: str, before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    found = [f"{kind} {name}: new" for name in after.keys() - before.keys()]
    found += [f"{kind} {name}: gone" for name in before.keys() - after.keys()]
    found += [
        f"{kind} {name}: changed"
        for name in after.keys() & before.keys()
        if before[name] is not after[name] and before[name] != after[name]
    ]
    return sorted(found)


def _refused(number: int, error: FigError) -> Reloaded:
    return Reloaded(
        number=number,
        at=time.time(),
        ok=False,
        error=error.as_dict(),
        exit_status=error.exit_status,
    )


def _event(reloaded: Reloaded) -> dict[str, object]:
    if reloaded.ok:
        return {"event": "reloaded", "changes": list(reloaded.changes)}
    return {"event": "refused", **reloaded.error}
