"""``fig evidence``: what was compared, where the sides differ, and what is missing."""

from __future__ import annotations

import time

import click
import msgspec

from .. import app
from ..judging import noise_of
from ..routing.guardrails.evidence import Gathering
from . import evidence_report
from .evidence_view import show
from .noise_view import show_noise
from .screen import Screen, endpoint_argument, json_option

__all__ = ["evidence"]


@click.command()
@endpoint_argument
@click.option("--revision", default="", help="Another one than the route's, or how it begins.")
@click.option("--watch", is_flag=True, help="Look again and again, until Ctrl-C.")
@click.option(
    "--every",
    default=2.0,
    show_default=True,
    type=click.FloatRange(0.1),
    help="Seconds between two looks.",
)
@json_option
@click.pass_obj
def evidence(
    screen: Screen, endpoint: str, revision: str, watch: bool, every: float, as_json: bool
) -> None:
    """Show the evidence on ENDPOINT, and what is missing.

    What was compared and where the sides differ, the e-values over time, every guardrail's verdict,
    and about when what the next step waits for will be there. Looking often is free: the tests stay
    valid. The forecast is as good as the traffic is steady.
    """
    workspace = screen.load()
    given = app.endpoint_of(workspace, endpoint)
    with app.store(workspace) as store:
        gathering = Gathering(store, given)
        while True:
            report = evidence_report.make(store, given, gathering, revision)
            noise = noise_of(workspace, store.database, endpoint, report.route.revision)
            if as_json:
                screen.json({**msgspec.to_builtins(report), "noise": noise})
            else:
                if watch and screen.out.is_terminal:
                    screen.out.clear()
                show(screen, report, given)
                if noise:
                    excuses = given.comparison.noise.excuses
                    show_noise(screen, endpoint, report.route.revision, noise, excuses)
            if not watch:
                return
            time.sleep(every)
