"""``fig runbook apply`` and ``abort``: what works on a run in the foreground, and tells of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import click
import msgspec
from rich.markup import escape

from ..errors import RunbookError
from ..migrations import run as runs
from ..migrations.hold import PATIENCE
from ..migrations.site import Said
from ..store.run import Run
from .route_change import who_option, why_option
from .runbook_json import run_as_json
from .runbook_parts import file, name_of, runbook_argument, site
from .screen import Screen, json_option
from .walking import stopping

__all__ = ["abort", "apply"]

_COLOURS = {
    "wait": "yellow",
    "done": "green",
    "gate": "green",
    "failed": "red",
    "skipped": "yellow",
    "undone": "magenta",
    "begun": "cyan",
}

_wait_option = click.option(
    "--wait",
    "patience",
    type=click.FloatRange(0),
    default=PATIENCE,
    show_default=True,
    help="Seconds to wait while another one works on the run.",
)


@click.command()
@runbook_argument
@click.option("--again", is_flag=True, help="Begin anew where the last run is done.")
@_wait_option
@who_option
@why_option
@json_option
@click.pass_obj
def apply(
    screen: Screen,
    runbook: str,
    again: bool,
    patience: float,
    who: str,
    why: str,
    as_json: bool,
) -> int:
    """Begin RUNBOOK, or go on with it, until all its steps are done.

    Ctrl-C stops between two moments at which it can be gone on with; so may anything else.
    """
    workspace = screen.load()
    written = file(workspace, runbook)
    with stopping() as stop, site(workspace, who, _teller(screen, as_json)) as here:
        run = runs.apply(here, written, stop=stop, why=why, again=again, patience=patience)
    return _ended(screen, run, "done", as_json, stopped=stop.is_set())


@click.command()
@runbook_argument
@click.option("--leave", multiple=True, metavar="STEP", help="Leave what a step did as it is.")
@_wait_option
@who_option
@why_option
@json_option
@click.pass_obj
def abort(
    screen: Screen,
    runbook: str,
    leave: tuple[str, ...],
    patience: float,
    who: str,
    why: str,
    as_json: bool,
) -> int:
    """Undo what RUNBOOK's run has done, in reverse; refused where a step cannot be taken back."""
    workspace = screen.load()
    with stopping() as stop, site(workspace, who, _teller(screen, as_json)) as here:
        run = runs.abort(here, name_of(runbook), stop=stop, why=why, leave=leave, patience=patience)
    return _ended(screen, run, "aborted", as_json, stopped=stop.is_set())


def _teller(screen: Screen, as_json: bool) -> Callable[[Said], None]:
    def tell(said: Said) -> None:
        if as_json:
            kept = {name: value for name, value in msgspec.structs.asdict(said).items() if value}
            screen.json({"at": datetime.now(UTC).isoformat(timespec="milliseconds"), **kept})
        else:
            _say(screen, said)

    return tell


def _say(screen: Screen, said: Said) -> None:
    now = datetime.now(UTC).strftime("%H:%M:%S")
    colour = _COLOURS.get(said.kind, "default")
    where = f"[bold]{escape(said.step)}[/] " if said.step else ""
    if said.kind != "wait":
        kind = f"[{colour}]{said.kind}[/] " if said.step else ""
        screen.say(f"[dim]{now}[/] {where}{kind}{escape(said.text)}")
        return
    for one in said.waits:
        missing = f"; missing: {one.missing}" if one.missing else ""
        screen.say(f"[dim]{now}[/] {where}[{colour}]waits[/] {escape(one.reason + missing)}")
        if one.command:
            screen.say(f"         [dim]this would help:[/] {escape(one.command)}")


def _ended(screen: Screen, run: Run, wanted: str, as_json: bool, *, stopped: bool) -> int:
    """Say how a run stands, and give the exit status. Raises ``RunbookError`` where it is held."""
    if as_json:
        screen.json(run_as_json(run))
    if run.state == wanted:
        if not as_json:
            screen.say(f"[green]run {run.id} of {escape(run.runbook)} is {wanted}[/]")
        return 0
    verb = {"running": "apply", "aborting": "abort"}.get(run.state, "resume")
    verb = "apply" if run.state == "failed" else verb
    if stopped and run.state in ("running", "aborting"):
        screen.note(f"stopped; it goes on with: fig runbook {verb} {escape(run.runbook)}")
        return 130
    if run.finished:
        remedy = f"begin anew: fig runbook apply {run.runbook}"
    else:
        remedy = f"look: fig runbook status {run.runbook}; go on: fig runbook {verb} {run.runbook}"
    raise RunbookError(
        f"the run is {run.state}",
        place=f"run {run.id} of {run.runbook}",
        value=run.said,
        remedy=remedy,
    )
