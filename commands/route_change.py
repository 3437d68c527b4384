"""A change of a route from the command line: made by an operator, and shown."""

from __future__ import annotations

import getpass
import os

import click
from rich.markup import escape

from .. import app
from .route_show import arrow
from .screen import Screen

__all__ = ["change", "who_option", "why_option"]


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
    if as_json:
        screen.json(after)
    else:
        screen.say(f"{escape(endpoint)}: {arrow(before, after)} (version {after.version})")
