"""What a workspace asks of a process: every part of it made and checked, and nothing opened yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from .. import app, config
from ..adapters.soap import SoapCaller
from ..bridge.limits import Limits
from ..config import Workspace
from ..doors import Masking
from ..errors import ConfigError
from ..facades.wsdl import PublishedWsdl
from ..ports import Caller, Sink, Source
from ..routing.endpoint import Endpoint
from ..routing.guards import Guarding
from ..routing.operator import Operator
from ..routing.replacements import Replacements
from ..store.store import Store
from ..telemetry import Counters
from .columns import unfit
from .digest import digest
from .uses import Uses

__all__ = ["Plan", "host_port", "make"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The parts of a workspace. Those that did not change are the very objects of the plan before.

    ``uses`` counts the calls under way in its endpoints: what the next plan does without is closed
    when they have ended.
    """

    workspace: Workspace
    digest: str
    pools: Mapping[str, Replacements]
    guards: Mapping[str, Guarding]
    callers: Mapping[str, Caller]
    wsdls: Mapping[str, PublishedWsdl]
    sources: Mapping[str, Source]
    sinks: Mapping[str, Sink]
    endpoints: Mapping[str, Endpoint]
    operators: tuple[Operator, ...]
    limits: Mapping[str, Limits]
    uses: Uses = field(default_factory=Uses)

    def fed_by(self, source: str) -> list[str]:
        """Give the endpoints that a source feeds, with requests or with outcomes, by name."""
        found = self.workspace.endpoint.values()
        return [endpoint.name for endpoint in found if source in _feeding(endpoint)]


def make(
    workspace: Workspace,
    store: Store,
    counters: Counters,
    announce: app.Announce,
    before: Plan | None = None,
) -> Plan:
    """Make everything of a workspace, or nothing. Blocks; opens nothing.

    With a plan ``before``, what did not change is taken from there, and what did is looked at more
    closely than at a start. Raises ``ConfigError``, and ``MissingExtra``, for the first part that
    is wrong.
    """
    marked = digest(workspace)
    kept = _Kept(workspace, before)
    pools, guards = _replacements(kept, announce, counters)
    callers = {name: _caller(kept, name) for name in _called(workspace)}
    sources = {name: _source(kept, name) for name in _listened(workspace)}
    sinks = {name: _sink(kept, name) for name in _sent(workspace)}
    for name in workspace.legacy.keys() - callers.keys() - sources.keys() - sinks.keys():
        app.adapter(workspace, name)
    for name, source in sources.items():
        wrong = unfit(workspace, name, source, ask=False, compared=False)
        if wrong is not None:
            raise wrong
    Masking(workspace).needed_keys()
    asking = {name: caller.call for name, caller in callers.items()}
    return Plan(
        workspace=workspace,
        digest=marked,
        pools=pools,
        guards=guards,
        callers=callers,
        wsdls={
            name: _wsdl(kept, name, caller)
            for name, caller in callers.items()
            if isinstance(caller, SoapCaller)
        },
        sources=sources,
        sinks=sinks,
        endpoints=app.endpoints(workspace, asking, pools, guards),
        operators=tuple(
            app.operator(workspace, store, name, who="guardrail")
            for name, endpoint in workspace.endpoint.items()
            if endpoint.replacement
        ),
        limits={name: Limits.of(workspace.bridge, name) for name in sources},
    )


def host_port(listen: str, place: str) -> tuple[str, int]:
    """Part an address. Raises ``ConfigError`` with the place where it is written."""
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        expected = "host:port, such as 127.0.0.1:8700"
        raise ConfigError("not an address", place=place, value=listen, expected=expected)
    return host.strip("[]"), int(port)


class _Kept:
    """What of the plan before is as it was."""

    def __init__(self, workspace: Workspace, before: Plan | None) -> None:
        self.workspace = workspace
        self._before = before

    @property
    def plan(self) -> Plan:
        if self._before is None:
            raise ValueError("there was no plan before")
        return self._before

    @property
    def reloads(self) -> bool:
        return self._before is not None

    def legacy(self, name: str) -> bool:
        if self._before is None:
            return False
        return self._before.workspace.legacy.get(name) == self.workspace.legacy[name]

    def replacement(self, name: str) -> bool:
        return self._replacement(name) is not None

    def guards(self, name: str) -> bool:
        """Say whether both a replacement and what stands around it are as they were."""
        before = self._replacement(name)
        return before is not None and before.guards == self.workspace.replacement[name].guards

    def _replacement(self, name: str) -> config.Replacement | None:
        before = self._before and self._before.workspace.replacement.get(name)
        if not before:
            return None
        now = self.workspace.replacement[name]
        same = msgspec.structs.replace(now, guards=before.guards) == before
        return before if same else None


def _replacements(
    kept: _Kept, announce: app.Announce, counters: Counters
) -> tuple[dict[str, Replacements], dict[str, Guarding]]:
    pools = dict(app.replacements(kept.workspace, announce))
    guards = app.guards(kept.workspace, counters)
    for name in pools:
        if kept.replacement(name):
            pools[name] = kept.plan.pools[name]
        elif kept.reloads:
            app.provider(kept.workspace, name)
        if kept.guards(name):
            guards[name] = kept.plan.guards[name]
    return pools, guards


def _called(workspace: Workspace) -> list[str]:
    wanted = {one.legacy for one in workspace.endpoint.values() if one.legacy}
    wanted |= {one.listen.system for one in workspace.endpoint.values() if one.listen.system}
    wanted |= {name for facade in workspace.facade.values() for name in facade.systems}
    return sorted(wanted)


def _listened(workspace: Workspace) -> list[str]:
    return sorted(set().union(*(_feeding(one) for one in workspace.endpoint.values())))


def _feeding(endpoint: config.Endpoint) -> set[str]:
    outcome = endpoint.outcome
    both = {endpoint.listen.source, outcome.source if outcome is not None else ""}
    return (both | {one.source for one in endpoint.effects.values()}) - {""}


def _caller(kept: _Kept, name: str) -> Caller:
    if kept.legacy(name) and name in kept.plan.callers:
        return kept.plan.callers[name]
    return app.caller(kept.workspace, name)


def _source(kept: _Kept, name: str) -> Source:
    if kept.legacy(name) and name in kept.plan.sources:
        return kept.plan.sources[name]
    return app.source(kept.workspace, name)


def _sent(workspace: Workspace) -> list[str]:
    return sorted({one.send for one in workspace.endpoint.values() if one.send})


def _sink(kept: _Kept, name: str) -> Sink:
    if kept.legacy(name) and name in kept.plan.sinks:
        return kept.plan.sinks[name]
    return app.sink(kept.workspace, name)


def _wsdl(kept: _Kept, name: str, caller: SoapCaller) -> PublishedWsdl:
    if kept.legacy(name) and name in kept.plan.wsdls:
        return kept.plan.wsdls[name]
    return PublishedWsdl(caller.wsdl)
