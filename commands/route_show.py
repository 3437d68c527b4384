"""What ``fig route`` shows: where endpoints stand, how they came there, and who answers a key."""

from __future__ import annotations

from datetime import UTC, datetime

import click
import msgspec
from rich.markup import escape

from .. import app
from ..model import Data, Route, Stage
from ..routing.expiry import LATE, expiry
from ..routing.guardrails.evidence import Evidence
from ..routing.guardrails.paired import NAME as PAIRED
from ..routing.safety import Safety, apart
from ..store.dual_work import Lag
from .screen import Screen, coloured, endpoint_argument, json_option, stage_text
from .shadow_view import shadow_today

__all__ = ["arrow", "history", "list_", "safety_text", "show"]


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
    late = {one.endpoint: expiry(workspace.endpoint[one.endpoint], one) for one, _ in found}
    if as_json:
        for one, evidence in found:
            ends = {"expiry": late[one.endpoint]} if late[one.endpoint] else {}
            screen.json({**msgspec.to_builtins(one), "evidence": evidence.snapshot(), **ends})
        return
    rows = [
        [
            one.endpoint,
            _place(one),
            _short(one.revision),
            str(evidence.counts.total),
            coloured(evidence.verdict.outcome),
            "-" if one.stage is Stage.LEGACY else escape(evidence.verdict.missing) or "-",
        ]
        for one, evidence in found
    ]
    screen.table(["endpoint", "stage", "revision", ">pairs", "verdict", "missing"], rows)
    for name, said in late.items():
        if said.startswith(LATE):
            screen.note(f"[yellow]{escape(name)}[/] {escape(said)}")


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
        outcomes = app.outcomes(workspace, store, endpoint)
        ends = expiry(workspace.endpoint[endpoint], one)
        lag, safety = operator.lag(), operator.safety()
        shadow = shadow_today(store, workspace.endpoint[endpoint])
    if as_json:
        counted = {} if outcomes is None else {"outcomes": msgspec.to_builtins(outcomes)}
        counted |= {"expiry": ends} if ends else {}
        counted["shadow"] = msgspec.to_builtins(shadow)
        stands = {"lag": msgspec.to_builtins(lag), "rollback": msgspec.to_builtins(safety)}
        shown = {**msgspec.to_builtins(one), "evidence": evidence.snapshot()}
        screen.json({**shown, **stands, **counted})
        return
    verdict, counts = evidence.verdict, evidence.counts
    rows = [
        ["stage", stage_text(one.stage, one.percent)],
        ["latches", _latches(one)],
        *_data(one, lag, safety),
        *([["pins", _pins(one)]] if one.pins else []),
        *([["ends", _late(ends)]] if ends else []),
        ["revision", one.revision or "-"],
        ["goes back to", one.good_revision or "legacy, in shadow"],
        ["version", str(one.version)],
        ["both right", str(counts.both)],
        ["only legacy right", str(counts.legacy)],
        ["only replacement right", str(counts.replacement)],
        ["neither right", str(counts.neither)],
        ["not adjudicated", str(counts.open)],
        *_e_values(evidence),
        *([] if outcomes is None else [["observed outcomes", outcomes.text()]]),
        *([["shadow today", escape(shadow.text())]] if shadow.text() else []),
        ["verdict", f"{coloured(verdict.outcome)}: {escape(verdict.reason)}"],
        ["missing", escape(verdict.missing) or "-"],
    ]
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
            datetime.fromtimestamp(change.at, UTC).strftime("%Y-%m-%d\n%H:%M:%S"),
            f"{escape(change.action)}, {escape(change.who)}",
            arrow(change.before, change.after),
            "\n".join(filter(None, (_verdict_of(change.evidence), escape(change.why)))),
        ]
        for change in changes
    ]
    if rows:
        screen.table([">", "when (UTC)", "what, who", "change", "evidence and why"], rows)
    else:
        screen.say(f"{escape(endpoint)} stands at legacy and was never changed")


def _data(one: Route, lag: Lag, safety: Safety) -> list[list[str]]:
    """Give who owns what is written, how far the sides are apart, and whether one can go back."""
    if one.data is Data.NONE:
        return []
    missing = apart(lag)
    colour = "red" if lag.doubts else "yellow"
    under_way = f"{lag.in_hand} being written now" if lag.in_hand else "all is copied"
    stands = f"[{colour}]{missing}[/]" if missing else under_way
    return [["data", one.data.value], ["copied", stands], ["rollback", safety_text(safety)]]


def safety_text(safety: Safety) -> str:
    """Say whether one can go back, and until when, in its colour."""
    colour = "green" if safety.safe else "red"
    return f"[{colour}]{escape(safety.says)}[/]"


def _e_values(evidence: Evidence) -> list[list[str]]:
    paired = evidence.of(PAIRED)
    if paired is None:
        return []
    figures, needed = paired.figures, f"{paired.figures['needed']:g}"
    return [
        ["e-value: worse", f"{figures['e_worse']:.3g} (fails at {needed})"],
        ["e-value: not worse", f"{figures['e_not_worse']:.3g} (passes at {needed})"],
    ]


def _latches(one: Route) -> str:
    latches = (("paused", one.paused), ("frozen", one.frozen), ("killed", one.killed))
    names = [name for name, on in latches if on]
    return f"[red]{' '.join(names)}[/]" if names else "-"


def _pins(one: Route) -> str:
    first = ", ".join(f"{escape(key)} → {side}" for key, side in list(one.pins.items())[:5])
    return first + (f" and {len(one.pins) - 5} more" if len(one.pins) > 5 else "")


def _late(ends: str) -> str:
    return f"[yellow]{escape(ends)}[/]" if ends.startswith(LATE) else escape(ends)


def _place(one: Route) -> str:
    latches = _latches(one)
    return stage_text(one.stage, one.percent) + (f", {latches}" if latches != "-" else "")


def _short(revision: str) -> str:
    """Give what tells revisions of a model apart; ``fig route show`` has the whole of it."""
    return revision[:12] or "-"


def arrow(before: Route | None, after: Route) -> str:
    """Give a change in a few words."""
    parts = [stage_text(after.stage, after.percent)]
    if before is not None and (before.stage, before.percent) != (after.stage, after.percent):
        parts = [f"{stage_text(before.stage, before.percent)} → {parts[0]}"]
    if before is not None and before.data is not after.data:
        parts.append(f"data {before.data} → {after.data}")
    if _latches(after) != "-":
        parts.append(_latches(after))
    if after.revision and (before is None or before.revision != after.revision):
        parts.append(f"revision {_short(after.revision)}")
    return ", ".join(parts)


def _verdict_of(evidence: object) -> str:
    if not isinstance(evidence, dict) or "verdict" not in evidence:
        return "-"
    verdict = evidence["verdict"]
    pairs = verdict.get("figures", {}).get("pairs", 0)
    return f"{coloured(verdict['outcome'])}, {pairs:g} pairs"
