"""``fig route explain``: which side answers a key, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import click
import msgspec
from rich.markup import escape

from .. import app
from ..acl.operations.operation import load_operation
from ..config import Workspace
from ..model import Route, Side
from ..routing.bucket import BUCKETS, bucket
from ..routing.fallback import why_not
from ..routing.pairs import plan_of
from ..routing.router import Decision, decide
from .screen import Screen, endpoint_argument, json_option

__all__ = ["explain"]


@click.command()
@endpoint_argument
@click.argument("key", required=False)
@json_option
@click.pass_obj
def explain(screen: Screen, endpoint: str, key: str | None, as_json: bool) -> None:
    """Say which side answers a KEY now, why, and from which percent on the canary takes it.

    With the KEY alone: at every endpoint.
    """
    workspace = screen.load()
    if key is None and endpoint in workspace.endpoint:
        raise click.UsageError(f"missing KEY: {endpoint} is an endpoint")
    names = sorted(workspace.endpoint) if key is None else [endpoint]
    asked = endpoint if key is None else key
    with app.store(workspace) as store:
        routes = [app.operator(workspace, store, name, who="").route() for name in names]
        outcomes = {name: app.outcomes(workspace, store, name) for name in names}
    for route in routes:
        counts = outcomes[route.endpoint]
        if as_json:
            counted = {} if counts is None else {"outcomes": msgspec.to_builtins(counts)}
            whole = _values(route, asked) | _instead(workspace, route, asked)
            screen.json({**whole, **counted})
            continue
        where = f"{escape(route.endpoint)}: " if key is None else ""
        for line in _lines(route, asked):
            screen.say(where + line)
        for line in _asides(_instead(workspace, route, asked)):
            screen.say(where + line)
        if counts is not None:
            screen.say(f"{where}legacy decides later; its outcomes: {counts.text()}")


def _values(route: Route, key: str) -> dict[str, object]:
    decision, place = decide(route, key), bucket(route.salt, key)
    return {
        "endpoint": route.endpoint,
        "key": key,
        "side": decision.side.value,
        "rule": decision.rule,
        "compared": decision.compare,
        "bucket": place if route.salt else None,
        "canary_from_percent": (place + 1) * 100 / BUCKETS if route.salt else None,
        "stage": route.stage.value,
        "percent": route.percent,
    }


def _instead(workspace: Workspace, route: Route, key: str) -> dict[str, object]:
    """Say whether both sides answer a key, and what is done where the replacement does not."""
    endpoint, plan = workspace.endpoint[route.endpoint], plan_of(route)
    decision = decide(route, key)
    if decision.side is Side.LEGACY:
        return {"blended": False, "falls_back": False}
    effect = load_operation(workspace.root, endpoint.operation).effect
    wrong = why_not(plan, effect, happened=False, left=1.0, stale=endpoint.fallback.stale)
    return {
        "blended": endpoint.blend is not None and plan.fallback,
        "falls_back": not wrong,
        **({"why_not": wrong} if wrong else {}),
    }


def _asides(found: Mapping[str, object]) -> Iterator[str]:
    if found["blended"]:
        yield "legacy answers it too, and one merged answer goes back"
    elif found["falls_back"]:
        yield "where the replacement does not answer, legacy does"
    elif "why_not" in found:
        yield f"where the replacement does not answer, nobody does: {found['why_not']}"


def _lines(route: Route, key: str) -> tuple[str, str]:
    decision, place = decide(route, key), bucket(route.salt, key)
    answer = (
        f"{escape(key)} is answered by [bold]{decision.side}[/]: {_why(route, decision, place)}"
    )
    if not route.salt:
        return answer, "which canary takes it is drawn at the first advance"
    return answer, f"a canary takes it from {(place + 1) * 100 / BUCKETS:.3f} % on"


def _why(route: Route, decision: Decision, place: int) -> str:
    if decision.rule == "killed":
        return "the route is killed"
    if decision.rule == "pin":
        return "an operator has pinned it"
    if decision.rule == "stage":
        return f"the stage is {route.stage.value}"
    under = "under" if decision.side == "replacement" else "not under"
    return f"its bucket, {place:,} of {BUCKETS:,}, is {under} {route.percent:g} %"
