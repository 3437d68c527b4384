"""``fig runbook render``: the document for those who decide about a runbook."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click
from rich.markup import escape

from ..errors import ConfigError
from ..migrations.render.board import document
from ..migrations.render.html import html
from ..migrations.render.markdown import markdown
from ..migrations.site import Site
from ..migrations.state import RunState, state_of
from .route_change import who_option
from .runbook_board import board_of
from .runbook_parts import file, found, runbook_argument, site
from .screen import Screen

__all__ = ["render"]


@click.command()
@runbook_argument
@click.option("--html", "kind", flag_value="html", help="One file that prints on paper.")
@click.option("--md", "kind", flag_value="md", default="md", help="Markdown (default).")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write this file; else to standard output.",
)
@who_option
@click.pass_obj
def render(
    screen: Screen, runbook: str, kind: Literal["html", "md"], output: Path | None, who: str
) -> None:
    """Write the document for those who decide about RUNBOOK.

    What moves and why, every step with its gates and its way back, the evidence as it is now, who
    approved, and what has happened. Values of requests do not stand in it.
    """
    workspace = screen.load()
    with site(workspace, who) as here:
        known, run = found(here, runbook)
        state = state_of(here, known, run)
        board = board_of(workspace, here.store, state, stale=_stale(here, runbook, state))
    text = (html if kind == "html" else markdown)(document(board))
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        raise ConfigError(
            "cannot be written", place=str(output), value=error.strerror or str(error)
        ) from error
    screen.note(f"[green]made[/] {escape(str(output))}")


def _stale(here: Site, runbook: str, state: RunState) -> bool:
    """Say whether the file is not what the run was begun with, or is gone."""
    if state.run is None:
        return False
    try:
        return file(here.workspace, runbook).digest != state.run.digest
    except ConfigError:
        return True
