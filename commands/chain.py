"""The chain that an endpoint's requests go through: every bound and guard on it, with its figures.

What is said of errors is read from the tables that decide on them.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from .. import app
from ..answer_settings import Fallback, ShadowRules
from ..bridge.limits import Limits
from ..bridge.retry import RULES
from ..config import Endpoint, Workspace
from ..errors import ConfigError, StoreError
from ..model import Route
from ..routing.guards.retry import REPEATABLE
from ..settings import EndpointLimits, Guards
from ..store.store import Store

__all__ = ["Chain", "Stop", "chain", "route_of"]


class Stop(msgspec.Struct, frozen=True):
    """One thing on the way: what it is, in words, and its figures by the names of their keys."""

    name: str
    says: str
    figures: dict[str, float | str] = {}


class Chain(msgspec.Struct, frozen=True):
    """An endpoint's way. ``errors``: what is done about each class of them, first match first."""

    endpoint: str
    stops: tuple[Stop, ...]
    errors: tuple[Stop, ...]


def chain(workspace: Workspace, name: str, route: Route | None) -> Chain:
    """Give an endpoint's chain; ``route`` None where nobody knows it.

    Raises ``ConfigError`` where a part of it is written wrongly.
    """
    one = app.endpoint_of(workspace, name)
    entry = _source(workspace, one) if one.listen.source else _facade(workspace, one)
    return Chain(
        endpoint=name,
        stops=(*entry, _mapping(workspace, one), _route(route), *_replacement(workspace, one)),
        errors=tuple(_event_errors(workspace, one) if one.listen.source else _facade_errors(one)),
    )


def route_of(workspace: Workspace, name: str) -> Route | None:
    """Read an endpoint's route; None where the store cannot be read."""
    try:
        return Store(workspace.store_url).routes.get(name) or Route(endpoint=name)
    except (StoreError, ConfigError):
        return None


def _source(workspace: Workspace, one: Endpoint) -> Iterator[Stop]:
    name, bridge = one.listen.source, workspace.bridge
    limits = Limits.of(bridge, name, workspace.place("bridge"))
    adapter = workspace.legacy[name].adapter
    yield Stop(
        "source",
        f"legacy.{name}, {adapter}; in order for each key",
        {"in_flight": limits.in_flight, "at_once": limits.at_once, "share": limits.share},
    )
    yield Stop(
        "bridge",
        "what is new before history; what is in hand is finished at a stop",
        {
            "at_once": bridge.at_once,
            "endpoint_at_once": bridge.endpoint.get(one.name, EndpointLimits()).at_once,
            "drain": bridge.drain,
        },
    )
    yield Stop("inbox", "an id that was done is answered from its result; another body: dead")


def _facade(workspace: Workspace, one: Endpoint) -> Iterator[Stop]:
    facade = workspace.facade[one.listen.facade]
    yield Stop(
        "facade",
        f"{one.listen.facade} at {facade.listen}: {one.listen.operation} of {one.listen.system}",
        {"timeout": facade.timeout, "max_body": facade.max_body},
    )


def _mapping(workspace: Workspace, one: Endpoint) -> Stop:
    versions, mapping = app.contract(workspace, one)
    spoken = f"{one.mapping} to {versions.spoken.id} ({versions.spoken.effect})"
    newer = f", carried to {versions.latest.id}" if versions.steps else ""
    return Stop("mapping", spoken + newer, {"digest": mapping.digest[:8]})


def _route(route: Route | None) -> Stop:
    if route is None:
        return Stop("route", "unknown: the store cannot be read")
    latch = "killed" if route.killed else "paused" if route.paused else ""
    says = f"{route.stage.value}{f', {latch}' if latch else ''}"
    figures: dict[str, float | str] = {"revision": route.revision} if route.revision else {}
    if route.percent:
        figures["percent"] = route.percent
    return Stop("route", says, figures)


def _replacement(workspace: Workspace, one: Endpoint) -> Iterator[Stop]:
    if not one.replacement:
        yield Stop("replacement", "none: legacy decides")
        return
    replacement = workspace.replacement[one.replacement]
    if app.masked(workspace, one):
        yield Stop("masking", "what leaves for it is masked")
    effect = app.contract(workspace, one)[0].spoken.effect
    yield from _guards(replacement.guards, effect)
    kept = "for each attempt" if one.listen.source else "for all of it, waits included"
    yield Stop("time limit", kept, {"deadline": replacement.deadline})
    where = "in a process of its own" if replacement.process == "own" else "in this process"
    yield Stop("replacement", f"{one.replacement}: {replacement.provider}, {where}")
    if one.outcome is not None:
        says = f"legacy's own decision is awaited from legacy.{one.outcome.source}"
        yield Stop("outcome", says, {"within": one.outcome.within})
    yield from _beside(one, effect)
    if one.send:
        yield Stop("outbox", f"its decisions are sent to legacy.{one.send}")


def _beside(one: Endpoint, effect: str) -> Iterator[Stop]:
    """Tell who is asked beside whoever answers, and instead of it, where that is not the usual."""
    if one.blend is not None:
        rules = len(one.blend.fields) + len(one.blend.lists)
        says = f"both sides answer where the replacement may; {one.blend.prefer}'s is preferred"
        yield Stop("blend", says, {"rules": rules})
    if one.listen.facade and one.fallback != Fallback():
        reads = "reads" if effect == "read" else "only what is known not to have happened"
        figures: dict[str, float | str] = {"reserve": one.fallback.reserve}
        stale = ", also from a store that is behind" if one.fallback.stale else ""
        yield Stop("fallback", f"legacy answers instead: {reads}{stale}", figures)
    shadow: dict[str, float | str] = {"sample": one.shadow.sample, **one.shadow.budget}
    if one.listen.facade:
        shadow["queue"] = one.shadow.queue
    if one.shadow != ShadowRules():
        yield Stop("shadow", "the other side is asked too, and nobody waits for it", shadow)
    for name, rules_of in one.effects.items():
        seen = f", legacy's in legacy.{rules_of.source}" if rules_of.source else ""
        says = f"{name}: {rules_of.operation}, told and never done in shadow{seen}"
        yield Stop("effect", says, {"within": rules_of.within} if rules_of.source else {})


def _guards(guards: Guards, effect: str) -> Iterator[Stop]:
    rate, breaker, retry = guards.rate, guards.breaker, guards.retry
    if rate.calls > 0:
        yield Stop("rate", "the others wait", {"calls": rate.calls, "per": rate.per})
    if breaker.failures > 0:
        figures: dict[str, float | str] = {"failures": breaker.failures, "open": breaker.open}
        yield Stop("breaker", "after failures in a row nobody asks; then one tries", figures)
    if guards.at_once > 0:
        yield Stop("at_once", "the others wait", {"at_once": guards.at_once})
    if retry.attempts > 1:
        bounds: dict[str, float | str] = {
            "attempts": retry.attempts,
            "first": retry.first,
            "longest": retry.longest,
        }
        off = "" if effect in REPEATABLE else f"off: it is not asked twice, as it is {effect}"
        now = ", ".join(rule.error.__name__ for rule in RULES if rule.now)
        yield Stop("retry", off or f"at once, with full jitter: {now}", bounds)


def _event_errors(workspace: Workspace, one: Endpoint) -> Iterator[Stop]:
    limits = Limits.of(workspace.bridge, one.listen.source, workspace.place("bridge"))
    retries = limits.retries
    behind = "go on without it" if retries.park else "wait"
    spent = "its key stands still until somebody decides" if retries.blocks else "its key goes on"
    waits = {"first": retries.backoff.first, "longest": retries.backoff.longest}
    done = {
        "dead": f"dead letter at once; {spent}",
        "hold": "the source stands still and holds what it has; no attempt is counted",
        "doubt": "held likewise; where it fails alone while others come through, it is counted",
        "later": f"tried again later, those behind it {behind}; then dead letter: {spent}",
    }
    for rule in RULES:
        figures = {"attempts": retries.attempts, **waits} if rule.then == "later" else {}
        name = "any other" if rule.error is BaseException else rule.error.__name__
        yield Stop(name, f"{rule.says}: {done[rule.then]}", dict(figures))


def _facade_errors(one: Endpoint) -> Iterator[Stop]:
    yield Stop("any of the replacement's", "legacy answers, within what is left of the timeout")
    if one.legacy:
        yield Stop("any of legacy's", "the caller gets it as legacy sent it")
