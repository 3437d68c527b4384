"""``fig route freeze``, ``pin``, ``unpin``, ``data`` and ``sign``."""

from __future__ import annotations

import time

import click
from rich.markup import escape

from .. import app
from ..errors import ConfigError
from ..model import Data, Side
from ..routing.override import HEADER
from ..routing.override import sign as signed
from ..secret import read_secret
from .route_change import change, who_option, why_option
from .screen import Screen, endpoint_argument, json_option

__all__ = ["data", "freeze", "pin", "sign", "unpin"]

_SIDES = click.Choice([side.value for side in Side])


@click.command()
@endpoint_argument
@who_option
@why_option
@json_option
@click.pass_obj
def freeze(screen: Screen, endpoint: str, who: str, why: str, as_json: bool) -> None:
    """Hold the route against everybody: no step forward or back, by a guardrail neither."""
    change(screen, endpoint, who, as_json, lambda operator: operator.freeze(why=why))


@click.command()
@endpoint_argument
@click.argument("key")
@click.option("--side", type=_SIDES, default="legacy", show_default=True)
@who_option
@why_option
@json_option
@click.pass_obj
def pin(
    screen: Screen, endpoint: str, key: str, side: str, who: str, why: str, as_json: bool
) -> None:
    """Put a KEY on one side, whatever the rules and the percent say, in canary and live."""
    wanted = Side(side)
    change(screen, endpoint, who, as_json, lambda operator: operator.pin(key, wanted, why=why))


@click.command()
@endpoint_argument
@click.argument("key")
@who_option
@why_option
@json_option
@click.pass_obj
def unpin(screen: Screen, endpoint: str, key: str, who: str, why: str, as_json: bool) -> None:
    """Take the pin of a KEY away: the rules and the percent decide again."""
    change(screen, endpoint, who, as_json, lambda operator: operator.pin(key, None, why=why))


@click.command()
@endpoint_argument
@click.argument("owner", type=click.Choice([data.value for data in Data]))
@click.option("--behind", is_flag=True, help="Also while not all that was written is copied.")
@who_option
@why_option
@json_option
@click.pass_obj
def data(
    screen: Screen, endpoint: str, owner: str, behind: bool, who: str, why: str, as_json: bool
) -> None:
    """Say who OWNs what the endpoint writes: legacy, both (one of them first), the replacement."""
    wanted = Data(owner)
    change(
        screen,
        endpoint,
        who,
        as_json,
        lambda operator: operator.move_data(wanted, why=why, behind=behind),
    )


@click.command()
@click.argument("endpoint")
@click.option("--side", type=_SIDES, default="replacement", show_default=True)
@click.option("--hours", type=click.FloatRange(0, 744, min_open=True), default=8.0)
@json_option
@click.pass_obj
def sign(screen: Screen, endpoint: str, side: str, hours: float, as_json: bool) -> None:
    """Print the header with which a tester's requests to ENDPOINT ("*": any) go to a side."""
    workspace = screen.load()
    if endpoint != "*":
        app.endpoint_of(workspace, endpoint)
    place, reference = workspace.place("routing", "override_key"), workspace.routing.override_key
    if not reference:
        remedy = 'override_key = "env:FIG_OVERRIDE_KEY"'
        raise ConfigError("there is no key to sign with", place=place, remedy=remedy)
    key = read_secret(reference, place=place, root=workspace.root).encode()
    value = signed(key, Side(side), endpoint, time.time() + hours * 3600)
    if as_json:
        screen.json({"header": HEADER, "value": value})
    else:
        screen.say(f"{HEADER}: {escape(value)}")
