"""``fig adapter backfill``: take the rows that were there before capture was."""

from __future__ import annotations

import time

import click
import msgspec
from rich.markup import escape

from ..adapters.capture.backfill import Backfill
from ..adapters.capture.ground import Ground
from ..adapters.capture.mark import Mark, Stand
from ..adapters.capture.throttle import Pace
from ..adapters.capture.walk import Walk
from ..errors import ConfigError
from .adapter import adapter
from .screen import Screen, json_option
from .walking import Bounds, Show, bounded, ground_of, span, stopping, told

__all__ = ["backfill"]


@adapter.command()
@click.argument("system")
@click.option(
    "--where",
    metavar="CONDITION",
    help="Rows of which this is true, over new.COLUMN.  [default: the system's 'when']",
)
@bounded
@click.option("--no-locks", is_flag=True, help="Where rows may not be locked; slower.")
@click.option("--restart", is_flag=True, help="From the first row, whatever was walked before.")
@click.option("--status", is_flag=True, help="Say how far it has come; take nothing.")
@json_option
@click.pass_obj
def backfill(
    screen: Screen,
    /,
    system: str,
    where: str | None,
    no_locks: bool,
    restart: bool,
    status: bool,
    as_json: bool,
    **options: object,
) -> None:
    """Take the rows of SYSTEM's table that were there before capture was.

    In the order of its key, some at a time, beside what happens; what is new goes first. Ctrl-C
    stops at a chunk's end; the same command goes on from there.
    """
    ground = ground_of(screen, system, options)
    mark = Mark(ground, "backfill")
    with ground.connected() as connection:
        known = mark.look(connection)
    if status or (known is not None and known.state == "done" and not restart):
        _status(screen, system, known, as_json=as_json)
        return
    bounds = msgspec.convert(options, Bounds)
    walk = Backfill(ground, _condition(ground, where), locks=not no_locks)
    with stopping() as stop, Show(screen, system, as_json=as_json) as show:
        stand = Walk(
            ground,
            mark,
            bounds=bounds.of(ground),
            pace=Pace(bounds.chunk, bounds.hold),
            stop=stop,
            report=show,
        ).run(walk.begin, restart=restart)
    if as_json:
        screen.json({"system": system, **msgspec.structs.asdict(stand)})
    elif stand.state == "done":
        screen.say(f"{escape(system)}: done, {stand.rows:,} rows walked")
    else:
        screen.say(f"{escape(system)}: stopped at {told(stand)}")
        screen.note(f"go on with: fig adapter backfill {escape(system)}")


def _condition(ground: Ground, where: str | None) -> str | None:
    if where is None:
        return None
    try:
        return ground.dialect.when(where, ground.capture.shape, ("insert",))
    except ValueError as error:
        raise ConfigError(
            f"the condition cannot be used: {error}",
            place="--where",
            value=where,
            expected="a condition over new.COLUMN",
        ) from None


def _status(screen: Screen, system: str, stand: Stand | None, *, as_json: bool) -> None:
    if as_json:
        parts = {} if stand is None else msgspec.structs.asdict(stand)
        screen.json({"system": system, "state": "none", **parts})
    elif stand is None:
        screen.say(f"{escape(system)}: no backfill yet")
    else:
        ago = span(max(0.0, time.time() - stand.seen_at))
        of = "" if stand.state == "done" else f" of about {stand.total:,}"
        screen.say(f"{escape(system)}: {stand.state}, {stand.rows:,}{of} rows, {ago} ago")
        if stand.state == "done":
            screen.note(f"walk again with: fig adapter backfill {escape(system)} --restart")
