"""``fig route``: where each endpoint stands, and every change of it."""

from __future__ import annotations

from pathlib import Path

import click
from rich.markup import escape

from .. import app
from ..model import Stage, Step
from .route_change import change, who_option, why_option
from .route_doubts import doubts, settle
from .route_explain import explain
from .route_hold import data, freeze, pin, sign, unpin
from .route_show import history, list_, show
from .screen import Screen, endpoint_argument, json_option

__all__ = ["route"]


@click.group()
def route() -> None:
    """Show and change where endpoints stand."""


for _command in (list_, show, history, explain, freeze, pin, unpin, data, sign, doubts, settle):
    route.add_command(_command)


@route.command()
@endpoint_argument
@click.option("--to", type=click.Choice([stage.value for stage in Stage]), help="A stage.")
@click.option("--percent", type=click.FloatRange(0, 100, min_open=True, max_open=True))
@click.option("--force", is_flag=True, help="Even where the guardrail does not pass.")
@who_option
@why_option
@json_option
@click.pass_obj
def advance(
    screen: Screen,
    endpoint: str,
    to: str | None,
    percent: float | None,
    force: bool,
    who: str,
    why: str,
    as_json: bool,
) -> None:
    """Go one rung up: legacy, shadow, the canary's percents, live, retired."""
    if percent is not None and to not in (None, "canary"):
        raise click.UsageError("--percent goes with --to canary")
    if to == "canary" and percent is None:
        raise click.UsageError("--to canary needs --percent")
    stage = Stage.CANARY if percent is not None else Stage(to) if to else None
    step = Step(stage=stage, percent=percent or 0.0) if stage else None
    change(
        screen,
        endpoint,
        who,
        as_json,
        lambda operator: operator.advance(step, why=why, force=force),
    )


@route.command()
@endpoint_argument
@click.option("--to", type=click.Choice(["legacy", "shadow"]), help="Default: shadow, then legacy.")
@click.option("--behind", is_flag=True, help="Also while legacy lacks some of what was written.")
@who_option
@why_option
@json_option
@click.pass_obj
def rollback(
    screen: Screen, endpoint: str, to: str | None, behind: bool, who: str, why: str, as_json: bool
) -> None:
    """Go back: legacy answers everybody again, and evidence goes on in shadow.

    Both sides stay written. Until when that is safe, fig route show says.
    """
    stage = Stage(to) if to else None
    change(
        screen,
        endpoint,
        who,
        as_json,
        lambda operator: operator.rollback(stage, why=why, behind=behind),
    )


@route.command()
@endpoint_argument
@click.option("--revision", default="", help="Default: the newest that was learnt.")
@who_option
@why_option
@json_option
@click.pass_obj
def deploy(screen: Screen, endpoint: str, revision: str, who: str, why: str, as_json: bool) -> None:
    """Put another revision of the replacement in place; its evidence starts at zero."""
    workspace = screen.load()
    wanted = app.full_revision(workspace, endpoint, revision) if revision else ""
    change(screen, endpoint, who, as_json, lambda operator: operator.deploy(wanted, why=why))


@route.command()
@endpoint_argument
@who_option
@why_option
@json_option
@click.pass_obj
def pause(screen: Screen, endpoint: str, who: str, why: str, as_json: bool) -> None:
    """Hold the route where it is: nobody advances or deploys."""
    change(screen, endpoint, who, as_json, lambda operator: operator.pause(why=why))


@route.command()
@endpoint_argument
@who_option
@why_option
@json_option
@click.pass_obj
def resume(screen: Screen, endpoint: str, who: str, why: str, as_json: bool) -> None:
    """Lift the latches: paused, frozen and killed."""
    change(screen, endpoint, who, as_json, lambda operator: operator.resume(why=why))


@route.command()
@endpoint_argument
@click.option("--file", "by_file", is_flag=True, help="Write fig.kill only: the store may be gone.")
@who_option
@why_option
@json_option
@click.pass_obj
def kill(screen: Screen, endpoint: str, by_file: bool, who: str, why: str, as_json: bool) -> None:
    """Send everything to legacy now, in every process, within a second.

    With --file, "*" stands for every endpoint.
    """
    if by_file:
        workspace = screen.load()
        if endpoint != "*":
            app.endpoint_of(workspace, endpoint)
        file = _kill_by_file(workspace.root, endpoint)
        screen.note(
            f"{escape(endpoint)} stands in {escape(str(file))}; take the line out to lift it"
        )
        return
    change(screen, endpoint, who, as_json, lambda operator: operator.kill(why=why))


def _kill_by_file(root: Path, endpoint: str) -> Path:
    file = root / app.KILL_FILE
    with file.open("a", encoding="utf-8") as stream:
        stream.write(f"{endpoint}\n")
    return file
