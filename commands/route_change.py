"""A change of a route from the command line: made by an operator, and shown."""

from __future__ import annotations

import getpass
import os
from typing import Final

import click
import msgspec
from rich.markup import escape

from .. import app
from ..model import Data
from ..running.fleet import wait_for
from .route_show import arrow, safety_text
from .screen import Screen

__all__ = ["change", "who_option", "why_option"]


_PATIENCE: Final = 3.0
"""Seconds that a change waits to be adopted by all before it says who has not."""

_STATES: Final = {
    "waits": "[yellow]has not adopted it yet[/]",
    "silent": "[red]says nothing; it is not waited for[/]",
}


def _who() -> str:
    return os.environ.get("FIG_WHO") or getpass.getuser()


who_option = click.option("--who", default=_who, show_default="you", help="Who makes the change.")
why_option = click.option("--why", default="", help="Why, for the history.")


def change(screen: Screen, endpoint: str, who: str, as_json: bool, action: app.RouteAction) -> None:
    """Make a change and say what it came to. Raises as ``Operator`` does."""
    workspace = screen.load()
    with app.store(workspace) as store:
        operator = app.operator(workspace, store, endpoint, who=who)
        before = operator.route()
        after = action(operator)
        seen = wait_for(store.database, endpoint, after.version, _PATIENCE)
        safety = operator.safety()
    if as_json:
        adopted, back = msgspec.to_builtins(seen), msgspec.to_builtins(safety)
        screen.json({**msgspec.to_builtins(after), "adopted": adopted, "rollback": back})
        return
    screen.say(f"{escape(endpoint)}: {arrow(before, after)} (version {after.version})")
    if seen.members:
        colour = "green" if seen.done else "yellow"
        screen.say(f"[{colour}]{seen.text}[/]")
    if after.data is not Data.NONE:
        screen.say(f"rollback: {safety_text(safety)}")
    for one in seen.members:
        if one.state != "has it":
            where = f"{one.kind} {one.pid} on {escape(one.host)}"
            screen.say(f"  {where}: {_STATES[one.state]} {escape(one.says)}".rstrip())
