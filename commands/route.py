"""``fig route``: where each endpoint stands, and every change of it."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

import click
from rich.markup import escape

from .. import app
from ..model import Stage, Step
from .route_explain import explain
from .route_show import arrow, history, list_, show
from .screen import Screen, endpoint_argument, json_option

__all__ = ["route"]


@click.group()
def route() -> None:
    """Show and change where endpoints stand."""


for _command in (list_, show, history, explain):
    route.add_command(_command)


def _who() -> str:
    return os.environ.get("FIG_WHO") or getpass.getuser()


_WHO = click.option("--who", default=_who, show_default="you", help="Who makes the change.")
_WHY = click.option("--why", default="", help="Why, for the history.")


@route.command()
@endpoint_argument
@click.option("--to", type=click.Choice([stage.value for stage in Stage]), help="A stage.")
@click.option("--percent", type=click.FloatRange(0, 100, min_open=True, max_open=True))
@click.option("--force", is_flag=True, help="Even where the guardrail does not pass.")
@_WHO
@_WHY
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
    _change(
        screen,
        endpoint,
        who,
        as_json,
        lambda operator: operator.advance(step, why=why, force=force),
    )


@route.command()
@endpoint_argument
@click.option("--to", type=click.Choice(["legacy", "shadow"]), help="Default: shadow, then legacy.")
@_WHO
@_WHY
@json_option
@click.pass_obj
def rollback(
    screen: Screen, endpoint: str, to: str | None, who: str, why: str, as_json: bool
) -> None:
    """Go back: legacy answers everybody again, and evidence goes on in shadow."""
    stage = Stage(to) if to else None
    _change(screen, endpoint, who, as_json, lambda operator: operator.rollback(stage, why=why))


@route.command()
@endpoint_argument
@click.option("--revision", default="", help="Default: the newest that was learnt.")
@_WHO
@_WHY
@json_option
@click.pass_obj
def deploy(screen: Screen, endpoint: str, revision: str, who: str, why: str, as_json: bool) -> None:
    """Put another revision of the replacement in place; its evidence starts at zero."""
    workspace = screen.load()
    wanted = app.full_revision(workspace, endpoint, revision) if revision else ""
    _change(screen, endpoint, who, as_json, lambda operator: operator.deploy(wanted, why=why))


@route.command()
@endpoint_argument
@_WHO
@_WHY
@json_option
@click.pass_obj
def pause(screen: Screen, endpoint: str, who: str, why: str, as_json: bool) -> None:
    """Hold the route where it is: nobody advances or deploys."""
    _change(screen, endpoint, who, as_json, lambda operator: operator.pause(why=why))


@route.command()
@endpoint_argument
@_WHO
@_WHY
@json_option
@click.pass_obj
def resume(screen: Screen, endpoint: str, who: str, why: str, as_json: bool) -> None:
    """Lift the latches: paused and killed."""
    _change(screen, endpoint, who, as_json, lambda operator: operator.resume(why=why))


@route.command()
@endpoint_argument
@click.option("--file", "by_file", is_flag=True, help="Write fig.kill only: the store may be gone.")
@_WHO
@_WHY
@json_option
@click.pass_obj
def kill(screen: Screen, endpoint: str, by_file: bool, who: str, why: str, as_json: bool) -> None:
    """Send everything to legacy now, in every process, within a second."""
    if by_file:
        file = _kill_by_file(screen.load().root, endpoint)
        screen.note(
            f"{escape(endpoint)} stands in {escape(str(file))}; take the line out to lift it"
        )
        return
    _change(screen, endpoint, who, as_json, lambda operator: operator.kill(why=why))


def _kill_by_file(root: Path, endpoint: str) -> Path:
    file = root / app.KILL_FILE
    with file.open("a", encoding="utf-8") as stream:
        stream.write(f"{endpoint}\n")
    return file


def _change(
    screen: Screen, endpoint: str, who: str, as_json: bool, action: app.RouteAction
) -> None:
    workspace = screen.load()
    with app.store(workspace) as store:
        operator = app.operator(workspace, store, endpoint, who=who)
        before = operator.route()
        after = action(operator)
    if as_json:
        screen.json(after)
    else:
        screen.say(f"{escape(endpoint)}: {arrow(before, after)} (version {after.version})")
