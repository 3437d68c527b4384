"""``fig up``, ``fig serve`` and ``fig bridge run``: the processes that run for months."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import click
from rich.markup import escape

from .. import process
from .screen import Screen

__all__ = ["bridge", "serve", "up"]

_JSON = click.option("--json", "as_json", is_flag=True, help="Print events as JSON, one a line.")


@click.command()
@_JSON
@click.pass_obj
def up(screen: Screen, as_json: bool) -> None:
    """Run facades and bridge in one process, until SIGTERM or Ctrl-C."""
    _run(screen, as_json=as_json, facades=True, sources=True)


@click.command()
@_JSON
@click.pass_obj
def serve(screen: Screen, as_json: bool) -> None:
    """Run the facades, until SIGTERM or Ctrl-C."""
    _run(screen, as_json=as_json, facades=True, sources=False)


@click.group()
def bridge() -> None:
    """Run the daemon that takes deliveries from sources."""


@bridge.command("run")
@_JSON
@click.pass_obj
def bridge_run(screen: Screen, as_json: bool) -> None:
    """Run the bridge, until SIGTERM or Ctrl-C."""
    _run(screen, as_json=as_json, facades=False, sources=True)


def _run(screen: Screen, *, as_json: bool, facades: bool, sources: bool) -> None:
    workspace = screen.load()

    def announce(event: Mapping[str, object]) -> None:
        if as_json:
            screen.json(event)
        elif event["event"] == "listening":
            screen.say(f"[green]listening[/]  {escape(str(event['address']))}")
        elif event["event"] == "source":
            screen.say(f"[green]taking[/]     deliveries of {escape(str(event['source']))}")
        elif event["event"] == "replacement":
            which = f"{event['name']}, revision {event['revision']}"
            screen.say(f"[green]loaded[/]     {escape(which)}")
        elif event["event"] == "ready":
            screen.say("[green]ready[/]      stop with Ctrl-C")

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(process.run(workspace, facades=facades, sources=sources, announce=announce))


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415  # not there on every platform
    except ModuleNotFoundError:
        return None
    loop: type[asyncio.AbstractEventLoop] = uvloop.Loop
    return loop
