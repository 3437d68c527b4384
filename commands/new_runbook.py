"""``fig new``: files to begin with, written from what is known already."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click
from rich.markup import escape

from .. import app, config
from ..acl.operations.operation import load_operation
from ..errors import ConfigError
from ..migrations.draft.draft import draft
from ..migrations.draft.part import slug
from ..migrations.draft.reach import reach
from ..migrations.draft.subject import Subject
from ..migrations.loader import file_of, parse
from ..ports import Installable
from .screen import Screen, endpoint_argument, json_option

__all__ = ["new", "runbook", "subject_of"]


@click.group()
def new() -> None:
    """Write a file to begin with: a runbook."""


@new.command()
@endpoint_argument
@click.option("--name", default="", help="The runbook's name (default: the endpoint's).")
@click.option("--learn", "learns", default="", help="Train the replacement from this file first.")
@json_option
@click.pass_obj
def runbook(screen: Screen, endpoint: str, name: str, learns: str, as_json: bool) -> None:
    """Write a runbook for ENDPOINT.

    Its steps come from what the endpoint is: whether somebody waits for an answer, what is put into
    the legacy system, what its operation does to the world, and whether its data moves. It never
    writes over a file.
    """
    workspace = screen.load()
    chosen = name or slug(endpoint)
    file = file_of(workspace.root, chosen)
    if file.exists():
        raise ConfigError(
            "there is a runbook already",
            place=str(file),
            expected="a name that is free",
            remedy="mend that one, or give another name: --name",
        )
    subject = subject_of(workspace, endpoint, learns)
    text = draft(subject, chosen)
    made = parse(text, file.name)
    _write(file, text)
    if as_json:
        steps = [one.name for one in made.steps]
        screen.json({"file": str(file), "runbook": made.name, "steps": steps})
        return
    screen.say(f"[green]made[/] {escape(str(file))}: {len(made.steps)} steps, {subject.kind}")
    if subject.no_further:
        screen.say(f"it ends in shadow: {escape(subject.no_further)}")
    screen.say(f"then: fig runbook plan {escape(made.name)}")


def subject_of(workspace: config.Workspace, name: str, learns: str = "") -> Subject:
    """Gather what a draft is written from. Raises ``ConfigError``."""
    endpoint = app.endpoint_of(workspace, name)
    operation = load_operation(workspace.root, endpoint.operation)
    replacement = workspace.replacement.get(endpoint.replacement)
    furthest, no_further = reach(endpoint, operation.effect)
    return Subject(
        endpoint=endpoint,
        effect=operation.effect,
        owner=endpoint.owner or operation.owner,
        captured=_captured(workspace, endpoint),
        reach=furthest,
        no_further=no_further,
        trained=replacement is not None and replacement.provider == "local",
        learns=learns,
        today=dt.datetime.now(dt.UTC).date(),
    )


def _captured(workspace: config.Workspace, endpoint: config.Endpoint) -> tuple[str, ...]:
    """Give the systems that something of ours is put into, the one that is listened to first."""
    outcome = endpoint.outcome.source if endpoint.outcome is not None else ""
    named = dict.fromkeys(filter(None, (endpoint.listen.source, outcome)))
    return tuple(one for one in named if isinstance(app.adapter(workspace, one), Installable))


def _write(file: Path, text: str) -> None:
    """Write a file that is not there. Raises ``ConfigError`` where it cannot be written."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise ConfigError(
            "cannot be written", place=str(file), value=error.strerror or str(error)
        ) from error
