"""``fig bridge reload``: have the processes of this machine take the changed fig.toml."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable

import click
from rich.markup import escape

from ..config import Workspace
from ..errors import FigError
from ..running.kin import local
from ..running.look import Look, Seen, look
from .screen import Screen, json_option

__all__ = ["reload"]

_ASK_AGAIN = 0.1


@click.command()
@click.option(
    "--wait", default=90.0, show_default=True, help="Seconds until an answer must have come."
)
@json_option
@click.pass_obj
def reload(screen: Screen, wait: float, as_json: bool) -> None:
    """Have the running processes of this workspace take fig.toml as it is now.

    Sends SIGHUP to those on this machine, and says what each answered. A file that is wrong changes
    nothing: the exit status is then that of what is wrong with it.
    """
    workspace = screen.load()
    found = look(workspace)
    mine = _mine(workspace, found)
    if not mine:
        raise FigError(
            "no process of this workspace runs on this machine",
            place=str(workspace.root),
            remedy="start one: fig bridge run. Where workspace.store was changed, restart those"
            " that run: they are known to the store that they were started with",
        )
    answers = _answers(workspace, _asked(workspace, mine, wait), wait)
    for one in answers:
        _say(screen, one, as_json=as_json)
    for one in found.running:
        if one.other and one.process.incarnation not in {a.process.incarnation for a in answers}:
            where = f"{one.process.kind} {one.process.pid} on {one.process.host}"
            screen.note(f"[yellow]elsewhere[/]  {escape(where)} runs another fig.toml")
    sys.exit(max(one.status.reload.exit_status for one in answers))


def _mine(workspace: Workspace, found: Look) -> list[Seen]:
    here = local([one.process for one in found.running], workspace.root, workspace.bridge.lease)
    names = {one.incarnation for one in here}
    return [one for one in found.running if one.process.incarnation in names]


def _asked(workspace: Workspace, mine: Iterable[Seen], wait: float) -> dict[str, int]:
    """Ask each, once it has answered whoever asked before; give the number of its last reload."""
    numbers: dict[str, int] = {}
    until = time.monotonic() + wait
    waiting = list(mine)
    while waiting and time.monotonic() < until:
        for one in waiting:
            if one.status.state not in {"reloading", "starting"}:
                numbers[one.process.incarnation] = one.status.reload.number
                os.kill(one.process.pid, signal.SIGHUP)
        waiting = [one for one in waiting if one.process.incarnation not in numbers]
        if waiting:
            time.sleep(_ASK_AGAIN)
            names = {one.process.incarnation for one in waiting}
            again = _mine(workspace, look(workspace))
            waiting = [one for one in again if one.process.incarnation in names]
    if waiting:
        raise _silent(waiting[0].process.incarnation)
    return numbers


def _answers(workspace: Workspace, numbers: dict[str, int], wait: float) -> list[Seen]:
    """Wait until each has answered. Raises ``FigError`` for one that does not."""
    until = time.monotonic() + wait
    while True:
        seen = {one.process.incarnation: one for one in look(workspace).running}
        open_ones = [
            name
            for name, number in numbers.items()
            if name not in seen or seen[name].status.reload.number <= number
        ]
        if not open_ones:
            return [seen[name] for name in numbers]
        gone = [name for name in open_ones if name not in seen]
        if gone:
            raise _silent(gone[0], "a process ended while it reloaded")
        if time.monotonic() > until:
            raise _silent(open_ones[0])
        time.sleep(_ASK_AGAIN)


def _silent(incarnation: str, message: str = "a process does not answer") -> FigError:
    remedy = "look at its log, and at 'fig bridge status'"
    return FigError(message, place=f"incarnation {incarnation}", remedy=remedy)


def _say(screen: Screen, one: Seen, *, as_json: bool) -> None:
    reloaded, process = one.status.reload, one.process
    if as_json:
        screen.json({"pid": process.pid, "kind": process.kind, "reload": reloaded})
        return
    who = f"{process.kind} {process.pid}"
    if reloaded.ok:
        screen.say(f"[green]reloaded[/]  {who}: {escape('; '.join(reloaded.changes))}")
        return
    screen.note(f"[red]refused[/]   {who}: nothing is changed")
    parts = {name: text for name, text in reloaded.error.items() if name != "error"}
    message = parts.pop("message", "")
    screen.error(FigError(message, **parts))
