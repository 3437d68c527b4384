"""``fig runbook status`` and ``list``: where runs stand, and what they wait for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from rich.live import Live
from rich.markup import escape

from ..errors import ConfigError, StoreUnavailable
from ..migrations.loader import FOLDER, load
from ..migrations.site import Site
from ..migrations.state import RunState, state_of
from ..store.run import Run
from .route_change import who_option
from .runbook_json import run_as_json, state_as_json
from .runbook_parts import found, runbook_argument, site
from .runbook_view import shown, view
from .screen import Screen, json_option

__all__ = ["list_", "status"]

_EVERY: Final = 2.0


@click.command()
@runbook_argument
@click.option("--watch", is_flag=True, help="Again every two seconds, until it has ended.")
@who_option
@json_option
@click.pass_obj
def status(screen: Screen, runbook: str, watch: bool, who: str, as_json: bool) -> None:
    """Show where RUNBOOK's run stands, what it waits for, and what would help."""
    with site(screen.load(), who) as here:
        if not watch:
            _show(screen, _state(here, runbook), as_json)
        elif as_json or not screen.out.is_terminal:
            for state in _states(screen, here, runbook):
                _show(screen, state, as_json)
        else:
            with Live(console=screen.out, auto_refresh=False) as live:
                for state in _states(screen, here, runbook):
                    live.update(shown(state), refresh=True)


def _state(here: Site, runbook: str) -> RunState:
    known, run = found(here, runbook)
    return state_of(here, known, run, ahead=False)


def _states(screen: Screen, here: Site, runbook: str) -> Iterator[RunState]:
    """Give the state again and again, until the run has ended; a store that is gone comes back."""
    while True:
        try:
            state = _state(here, runbook)
        except StoreUnavailable as error:
            screen.note(f"[yellow]{escape(str(error))}[/]")
        else:
            yield state
            if state.run is not None and state.run.finished:
                return
        time.sleep(_EVERY)


def _show(screen: Screen, state: RunState, as_json: bool) -> None:
    if as_json:
        screen.json(state_as_json(state))
    else:
        view(screen, state)


@click.command(name="list")
@json_option
@click.pass_obj
def list_(screen: Screen, as_json: bool) -> None:
    """List the runbooks and their runs, the newest first."""
    workspace = screen.load()
    with site(workspace, "") as here:
        runs = here.store.runs.all()
    begun = {run.runbook for run in runs}
    files = sorted((workspace.root / FOLDER).glob("*.toml"))
    new = [path for path in files if path.stem not in begun]
    if as_json:
        for run in runs:
            screen.json(run_as_json(run))
        for path in new:
            screen.json({"runbook": path.stem, "state": "not begun"})
        return
    rows = [_row(run) for run in runs]
    rows += [[escape(path.stem), _endpoint(path), "", "not begun", "", "", ""] for path in new]
    if rows:
        columns = ("runbook", "endpoint", ">run", "state", ">steps done", "begun (UTC)", "by")
        screen.table(columns, rows)
    else:
        screen.note("there is no runbook yet; write one: fig new runbook ENDPOINT")


def _row(run: Run) -> list[str]:
    done = sum(one.state in ("done", "skipped") for one in run.steps)
    return [
        escape(run.runbook),
        escape(run.endpoint),
        str(run.id),
        run.state,
        f"{done} of {len(run.steps)}",
        datetime.fromtimestamp(run.at, UTC).strftime("%Y-%m-%d %H:%M"),
        escape(run.who),
    ]


def _endpoint(path: Path) -> str:
    try:
        return escape(load(path).endpoint)
    except ConfigError as error:
        return f"[red]{escape(error.message)}[/]"
