"""What answers in place of legacy: every replacement's providers, its guards and its door."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

from .ai.process import ProviderProcess
from .config import Workspace
from .doors import Door
from .model import Reply, Request
from .parts import provider
from .ports import Handler, Provider
from .routing.guards import Guarding
from .routing.replacements import Replacements
from .telemetry import Counters

__all__ = ["Announce", "Answering", "guards", "replacements"]

Announce = Callable[[Mapping[str, object]], None]
"""Is told what a person or a program waits for: where we listen, that a model is ready."""


class _Guard(Protocol):
    def __call__(self, handler: Handler, *, revision: str) -> Handler: ...


def replacements(workspace: Workspace, announce: Announce) -> dict[str, Replacements]:
    """Give every replacement, each revision to be started when a route asks for it."""
    return {name: _replacement(workspace, name, announce) for name in workspace.replacement}


def _replacement(workspace: Workspace, name: str, announce: Announce) -> Replacements:
    one = workspace.replacement[name]

    def build(revision: str) -> Provider:
        if one.process == "shared":
            return provider(workspace, name, revision)
        return ProviderProcess(
            name=name,
            provider=one.provider,
            options=one.options,
            place=workspace.place("replacement", name),
            root=workspace.root,
            revision=revision,
            deadline=one.deadline,
        )

    def ready(revision: str, part: Provider) -> None:
        process = part.pid if isinstance(part, ProviderProcess) else None
        announce({"event": "replacement", "name": name, "revision": revision, "pid": process})

    return Replacements(name, build, ready)


def guards(workspace: Workspace, counters: Counters) -> dict[str, Guarding]:
    """Give what stands around every replacement, by ``[replacement.NAME]``."""
    return {
        name: Guarding(one.guards, name=f"replacement.{name}", counters=counters)
        for name, one in workspace.replacement.items()
    }


class Answering:
    """An endpoint's replacement, asked by the route's whole revision: door, guards, provider.

    The guards stand behind the door: what is asked twice was masked once.
    """

    def __init__(self, pool: Replacements, door: Door, guard: _Guard) -> None:
        self._pool = pool
        self._door = door
        self._guard = guard
        self._asks: dict[str, Handler] = {}

    async def answer(self, request: Request, revision: str) -> Reply:
        """Answer with that revision. Raises ``ReplacementError``."""
        part = revision.partition(".")[0]
        ask = self._asks.get(part)
        if ask is None:
            guarded = self._guard(partial(self._pool.answer, revision=part), revision=part)
            ask = self._asks[part] = self._door(guarded)
        return await ask(request)
