"""Changes of a run from the command line: approve, pause, resume, freeze, rollback."""

from __future__ import annotations

from collections.abc import Callable

import click
from rich.markup import escape

from ..migrations import latches
from ..migrations.back import roll_back
from ..migrations.resume import resume as resume_run
from ..migrations.site import Site
from ..model import Stage
from ..store.run import Run
from .route_change import who_option, why_option
from .runbook_json import run_as_json
from .runbook_parts import name_of, runbook_argument, site
from .screen import Screen, json_option

__all__ = ["approve", "freeze", "pause", "resume", "rollback"]


@click.command()
@runbook_argument
@click.argument("step")
@who_option
@why_option
@json_option
@click.pass_obj
def approve(screen: Screen, runbook: str, step: str, who: str, why: str, as_json: bool) -> None:
    """Approve a STEP of RUNBOOK's run."""

    def done(here: Site, name: str) -> Run:
        return latches.approve(here, name, step, why=why)

    def said(run: Run) -> str:
        names = ", ".join(escape(one.who) for one in run.approvals if one.step == step)
        missing = "; ".join(map(escape, latches.unapproved(run, step)))
        still = f"\n[yellow]still missing: {missing}[/]" if missing else ""
        return f"step {escape(step)} is approved by {names}{still}"

    _change(screen, runbook, who, as_json, done, said)


@click.command()
@runbook_argument
@who_option
@why_option
@json_option
@click.pass_obj
def pause(screen: Screen, runbook: str, who: str, why: str, as_json: bool) -> None:
    """Begin no step of RUNBOOK's run until it is resumed; the route stays as it is."""
    _change(screen, runbook, who, as_json, lambda here, name: latches.pause(here, name, why=why))


@click.command()
@runbook_argument
@who_option
@why_option
@json_option
@click.pass_obj
def resume(screen: Screen, runbook: str, who: str, why: str, as_json: bool) -> None:
    """Let RUNBOOK's run go on where it is paused, frozen or failed; then: fig runbook apply."""
    _change(screen, runbook, who, as_json, lambda here, name: resume_run(here, name, why=why))


@click.command()
@runbook_argument
@who_option
@why_option
@json_option
@click.pass_obj
def freeze(screen: Screen, runbook: str, who: str, why: str, as_json: bool) -> None:
    """Hold RUNBOOK's run and its route: no step either way, and nothing is taken back."""
    _change(screen, runbook, who, as_json, lambda here, name: latches.freeze(here, name, why=why))


@click.command()
@runbook_argument
@click.option("--to", type=click.Choice(["legacy", "shadow"]), help="Default: shadow.")
@click.option("--behind", is_flag=True, help="Also while legacy lacks some of what was written.")
@who_option
@why_option
@json_option
@click.pass_obj
def rollback(
    screen: Screen, runbook: str, to: str | None, behind: bool, who: str, why: str, as_json: bool
) -> None:
    """Have legacy answer again, and pause RUNBOOK's run; what moved the route is done again."""
    target = Stage(to) if to else None

    def done(here: Site, name: str) -> Run:
        return roll_back(here, name, to=target, why=why, behind=behind)

    _change(screen, runbook, who, as_json, done)


def _state(run: Run) -> str:
    return f"run {run.id} of {escape(run.runbook)} is {run.state}"


def _change(
    screen: Screen,
    runbook: str,
    who: str,
    as_json: bool,
    change: Callable[[Site, str], Run],
    said: Callable[[Run], str] = _state,
) -> None:
    with site(screen.load(), who) as here:
        run = change(here, name_of(runbook))
    if as_json:
        screen.json(run_as_json(run))
        return
    screen.say(said(run))
    if said is _state and run.state == "running":
        screen.note(f"whoever applies it goes on; or: fig runbook apply {escape(run.runbook)}")
