"""``fig up``, ``fig serve`` and ``fig bridge run``: the processes that run for months."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import click
from rich.markup import escape

from .. import process
from .bridge_reload import reload
from .bridge_status import status
from .screen import Screen

__all__ = ["bridge", "serve", "up"]

_JSON = click.option("--json", "as_json", is_flag=True, help="Print events as JSON, one a line.")
_HEALTH = click.option(
    "--health",
    metavar="HOST:PORT",
    help="Answer probes there, in place of the address in [bridge]; port 0 takes a free one.",
)
_OWN_HEALTH = click.option(
    "--health",
    metavar="HOST:PORT",
    help="Answer probes there; the address in [bridge] is the bridge's. Port 0 takes a free one.",
)


@click.command()
@_HEALTH
@_JSON
@click.pass_obj
def up(screen: Screen, health: str | None, as_json: bool) -> None:
    """Run facades and bridge in one process, until SIGTERM or Ctrl-C. SIGHUP reloads fig.toml."""
    _run(screen, as_json=as_json, facades=True, sources=True, health=health)


@click.command()
@_OWN_HEALTH
@_JSON
@click.pass_obj
def serve(screen: Screen, health: str | None, as_json: bool) -> None:
    """Run the facades, until SIGTERM or Ctrl-C. SIGHUP reloads fig.toml."""
    _run(screen, as_json=as_json, facades=True, sources=False, health=health)


@click.group()
def bridge() -> None:
    """Run the daemon that takes deliveries from sources, and see how it is."""


@bridge.command("run")
@_HEALTH
@_JSON
@click.pass_obj
def bridge_run(screen: Screen, health: str | None, as_json: bool) -> None:
    """Run the bridge, until SIGTERM or Ctrl-C. SIGHUP reloads fig.toml."""
    _run(screen, as_json=as_json, facades=False, sources=True, health=health)


bridge.add_command(reload)
bridge.add_command(status)


def _run(
    screen: Screen, *, as_json: bool, facades: bool, sources: bool, health: str | None = None
) -> None:
    workspace = screen.load()

    def announce(event: Mapping[str, object]) -> None:
        if as_json:
            screen.json(event)
        else:
            line = _line(event)
            if line:
                screen.say(line)

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(
            process.run(
                workspace, facades=facades, sources=sources, announce=announce, health=health
            )
        )


def _line(event: Mapping[str, object]) -> str:
    """Give an event in a line for people; empty for what need not be said."""
    kind = event["event"]
    if kind == "listening":
        return f"[green]listening[/]  {escape(str(event['address']))}"
    if kind == "health":
        return f"[green]probes[/]     {escape(str(event['address']))}"
    if kind == "flows":
        return f"[green]taking[/]     deliveries of {escape(str(event['source']))}"
    if kind == "replacement":
        which = f"{event['name']}, revision {event['revision']}"
        return f"[green]loaded[/]     {escape(which)}"
    if kind == "ready":
        return "[green]ready[/]      stop with Ctrl-C"
    if kind == "waiting":
        missing = event["missing"]
        some = missing if isinstance(missing, list) else []
        return "\n".join(f"[yellow]waiting[/]    for {escape(str(one))}" for one in some)
    if kind == "reloaded":
        changes = event["changes"]
        said = "; ".join(map(str, changes)) if isinstance(changes, list) else ""
        return f"[green]reloaded[/]   {escape(said)}"
    if kind == "refused":
        where = f"{event['place']}: " if event.get("place") else ""
        said = escape(f"{where}{event['message']}")
        return f"[red]refused[/]    nothing is changed: {said}"
    return "[yellow]stopping[/]   what is in hand is finished first" if kind == "stopping" else ""


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415  # not there on every platform
    except ModuleNotFoundError:
        return None
    loop: type[asyncio.AbstractEventLoop] = uvloop.Loop
    return loop
