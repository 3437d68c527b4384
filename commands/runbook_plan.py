"""``fig runbook plan``: what will happen, what it would change now, and what stands in the way."""

from __future__ import annotations

import time

import click
from rich.markup import escape

from ..migrations.begin import check_same
from ..migrations.ports import Met
from ..migrations.span import span_text
from ..migrations.state import GateState, RunState, StepState, state_of
from ..routing.safety import Safety
from .route_change import who_option
from .route_show import safety_text
from .runbook_json import state_as_json
from .runbook_parts import file, found, runbook_argument, site
from .screen import Screen, json_option, stage_text

__all__ = ["plan"]

STATES = {
    "done": "green",
    "skipped": "yellow",
    "begun": "cyan",
    "undoing": "magenta",
    "undone": "magenta",
    "failed": "red",
}


@click.command()
@runbook_argument
@who_option
@json_option
@click.pass_obj
def plan(screen: Screen, runbook: str, who: str, as_json: bool) -> None:
    """Show what RUNBOOK's steps would change now, and what stands in the way; change nothing."""
    workspace = screen.load()
    written = file(workspace, runbook)
    with site(workspace, who) as here:
        known, run = found(here, runbook)
        if run is not None and run.state == "aborted":
            run = None  # what applying would begin is a new one
        if run is not None:
            check_same(run, written)
        state = state_of(here, known, run)
        safety = here.parts.operator(known.endpoint, who).safety()
    if as_json:
        screen.json(state_as_json(state))
    else:
        _show(screen, state, safety)


def _show(screen: Screen, state: RunState, safety: Safety) -> None:
    runbook, route = state.runbook, state.route
    until = f", to have ended by {runbook.expires}" if runbook.expires else ""
    screen.say(
        f"[bold]{escape(runbook.name)}[/]: endpoint {escape(runbook.endpoint)}, "
        f"owner {escape(runbook.owner)}{until}"
    )
    if runbook.expires and time.strftime("%Y-%m-%d") > str(runbook.expires):
        screen.say("[red]it should have ended by now: end it, or give it more time[/]")
    screen.say(f"route: {stage_text(route.stage, route.percent)}, data {route.data}")
    screen.say(f"rollback: {safety_text(safety)}")
    if state.run is not None:
        said = f" ({escape(state.run.said)})" if state.run.said else ""
        screen.say(f"run {state.run.id}: {state.run.state}{said}")
    for number, one in enumerate(state.steps, 1):
        _step(screen, number, one)
    if state.command:
        screen.say(f"\nnext: [bold]{escape(state.command)}[/]")


def _step(screen: Screen, number: int, one: StepState) -> None:
    step = one.step
    colour = STATES.get(one.state, "dim")
    screen.say(
        f"\n{number:>2}. [bold]{escape(step.name)}[/] [dim]({escape(step.do)})[/] "
        f"[{colour}]{one.state}[/]" + (f"  {escape(step.why)}" if step.why else "")
    )
    if one.state in ("done", "skipped"):
        return
    for line in one.changes:
        _line(screen, "changes", escape(line))
    if not one.changes and not one.blocked:
        _line(screen, "changes", "nothing")
    if one.blocked:
        _line(screen, "blocked", f"[red]{escape(one.blocked)}[/]")
    for gate in one.gates:
        _gate(screen, gate)
    if one.final:
        _line(screen, "for good", f"[yellow]{escape(one.final)}[/]")
    if step.timeout is not None:
        _line(screen, "late", f"after {span_text(step.timeout)}: {step.on_timeout}")


def _gate(screen: Screen, gate: GateState) -> None:
    if isinstance(gate.seen, Met):
        _line(screen, "needs", f"[green]{escape(gate.asks)}[/]: {escape(gate.seen.found)}")
    elif gate.seen is None:
        costly = " [dim](only apply looks)[/]" if gate.costly else ""
        _line(screen, "needs", f"{escape(gate.asks)}{costly}")
    else:
        missing = f"; missing: {gate.seen.missing}" if gate.seen.missing else ""
        _line(
            screen,
            "needs",
            f"[yellow]{escape(gate.asks)}[/]: {escape(gate.seen.reason + missing)}",
        )
        if gate.seen.command:
            _line(screen, "", escape(gate.seen.command))


def _line(screen: Screen, what: str, text: str) -> None:
    screen.say(f"    [dim]{what:<8}[/] {text}")
