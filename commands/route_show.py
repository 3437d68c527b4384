"""What ``fig route`` shows: where endpoints stand, how they came there, and who answers a key."""

from __future__ import annotations

from datetime import UTC, datetime

import click
import msgspec
from rich.markup import escape

from .. import app
from ..model import Route
from ..routing.bucket import BUCKETS, bucket
from ..routing.router import decide
from .screen import Screen, coloured, endpoint_argument, json_option, stage_text

__all__ = ["arrow", "explain", "history", "list_", "show"]


@click.command("list")
@json_option
@click.pass_obj
def list_(screen: Screen, as_json: bool) -> None:
    """List every endpoint with its stage, its evidence and the verdict."""
    workspace = screen.load()
    with app.store(workspace) as store:
        stands = [
            app.operator(workspace, store, name, who="") for name in sorted(workspace.endpoint)
        ]
        found = [(operator.route(), operator.evidence()) for operator in stands]
    if as_json:
        for one, evidence in found:
            screen.json({**msgspec.to_builtins(one), "evidence": evidence.snapshot()})
        return
    rows = [
        [
            one.endpoint,
            stage_text(one.stage, one.percent),
            _latches(one),
            one.revision or "-",
            str(evidence.counts.total),
            coloured(evidence.verdict.outcome),
            escape(evidence.verdict.missing),
        ]
        for one, evidence in found
    ]
    columns = ["endpoint", "stage", "latches", "revision", ">pairs", "verdict", "missing"]
    screen.table(columns, rows)


@click.command()
@endpoint_argument
@json_option
@click.pass_obj
def show(screen: Screen, endpoint: str, as_json: bool) -> None:
    """Show one endpoint: stage, latches, revision, evidence, verdict and what is missing."""
    workspace = screen.load()
    with app.store(workspace) as store:
        operator = app.operator(workspace, store, endpoint, who="")
        one, evidence = operator.route(), operator.evidence()
    if as_json:
        screen.json({**msgspec.to_builtins(one), "evidence": evidence.snapshot()})
        return
    verdict, counts = evidence.verdict, evidence.counts
    rows = [
        ["stage", stage_text(one.stage, one.percent)],
        ["latches", _latches(one)],
        ["revision", one.revision or "-"],
        ["goes back to", one.good_revision or "legacy, in shadow"],
        ["version", str(one.version)],
        ["both right", str(counts.both)],
        ["only legacy right", str(counts.legacy)],
        ["only replacement right", str(counts.replacement)],
        ["neither right", str(counts.neither)],
        ["not adjudicated", str(counts.open)],
        ["e-value: worse", f"{verdict.figures['e_worse']:.3g} (fails at 100)"],
        ["e-value: not worse", f"{verdict.figures['e_not_worse']:.3g} (passes at 100)"],
        ["verdict", f"{coloured(verdict.outcome)}: {escape(verdict.reason)}"],
        ["missing", escape(verdict.missing) or "-"],
    ]
    needed = f"{verdict.figures['needed']:g}"
    rows = [[a, b.replace("at 100)", f"at {needed})")] for a, b in rows]
    screen.table(["", endpoint], rows)


@click.command()
@endpoint_argument
@json_option
@click.pass_obj
def history(screen: Screen, endpoint: str, as_json: bool) -> None:
    """Show every change: when, who, what, why, and the evidence of that moment."""
    workspace = screen.load()
    with app.store(workspace) as store:
        app.operator(workspace, store, endpoint, who="")
        changes = store.routes.history(endpoint)
    if as_json:
        for change in changes:
            screen.json(change)
        return
    rows = [
        [
            str(change.version),
            datetime.fromtimestamp(change.at, UTC).strftime("%Y-%m-%d %H:%M:%S"),
            escape(change.who),
            escape(change.action),
            arrow(change.before, change.after),
            _verdict_of(change.evidence),
            escape(change.why),
        ]
        for change in changes
    ]
    screen.table([">version", "when (UTC)", "who", "action", "change", "evidence", "why"], rows)


@click.command()
@endpoint_argument
@click.argument("key")
@json_option
@click.pass_obj
def explain(screen: Screen, endpoint: str, key: str, as_json: bool) -> None:
    """Say which side answers a KEY now, why, and from which percent on the canary takes it."""
    workspace = screen.load()
    with app.store(workspace) as store:
        one = app.operator(workspace, store, endpoint, who="").route()
    decision = decide(one, key)
    place = bucket(one.salt, key)
    value = {
        "endpoint": endpoint,
        "key": key,
        "side": decision.side.value,
        "rule": decision.rule,
        "compared": decision.compare,
        "bucket": place,
        "canary_from_percent": (place + 1) * 100 / BUCKETS,
        "stage": one.stage.value,
        "percent": one.percent,
    }
    if as_json:
        screen.json(value)
        return
    why = {
        "killed": "the route is killed",
        "stage": f"the stage is {one.stage.value}",
        "percent": f"its bucket, {place:,} of {BUCKETS:,}, is "
        f"{'under' if decision.side == 'replacement' else 'not under'} {one.percent:g} %",
    }[decision.rule]
    screen.say(f"{escape(key)} is answered by [bold]{decision.side}[/]: {why}")
    screen.say(f"a canary takes it from {(place + 1) * 100 / BUCKETS:.3f} % on")


def _latches(one: Route) -> str:
    names = [name for name, on in (("paused", one.paused), ("killed", one.killed)) if on]
    return f"[red]{' '.join(names)}[/]" if names else "-"


def arrow(before: Route | None, after: Route) -> str:
    """Give a change in a few words."""
    parts = [stage_text(after.stage, after.percent)]
    if before is not None and (before.stage, before.percent) != (after.stage, after.percent):
        parts = [f"{stage_text(before.stage, before.percent)} → {parts[0]}"]
    if _latches(after) != "-":
        parts.append(_latches(after))
    if after.revision and (before is None or before.revision != after.revision):
        parts.append(f"revision {after.revision}")
    return ", ".join(parts)


def _verdict_of(evidence: object) -> str:
    if not isinstance(evidence, dict) or "verdict" not in evidence:
        return "-"
    verdict = evidence["verdict"]
    pairs = verdict.get("figures", {}).get("pairs", 0)
    return f"{coloured(verdict['outcome'])}, {pairs:g} pairs"
