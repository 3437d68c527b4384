"""``fig adapter``: put into a legacy system what catches its changes, and take it out again."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.markup import escape
from rich.syntax import Syntax

from .. import app
from .screen import Screen, json_option

__all__ = ["adapter"]


@click.group()
def adapter() -> None:
    """Install and remove what adapters need in a legacy system."""


@adapter.command()
@click.argument("system")
@click.option("--dry-run", is_flag=True, help="Print the statements, run none.")
@json_option
@click.pass_obj
def install(screen: Screen, system: str, dry_run: bool, as_json: bool) -> None:
    """Put SYSTEM's triggers in place; harmless where they stand."""
    part = app.installable(screen.load(), system)
    plan = part.install_plan()
    if not dry_run:
        part.install()
    _print(screen, system, plan, "installed", done=not dry_run, as_json=as_json)


@adapter.command()
@click.argument("system")
@click.option("--dry-run", is_flag=True, help="Print the statements, run none.")
@click.option("--discard", is_flag=True, help="Even where caught changes still wait.")
@json_option
@click.pass_obj
def remove(screen: Screen, system: str, dry_run: bool, discard: bool, as_json: bool) -> None:
    """Take out of SYSTEM exactly what install put there."""
    part = app.installable(screen.load(), system)
    plan = part.remove_plan()
    if not dry_run:
        part.remove(discard=discard)
    _print(screen, system, plan, "removed", done=not dry_run, as_json=as_json)


def _print(
    screen: Screen, system: str, plan: Sequence[str], verb: str, *, done: bool, as_json: bool
) -> None:
    if as_json:
        screen.json({"system": system, "statements": list(plan), "run": done})
        return
    for statement in plan:
        if done:
            screen.say(escape(statement.partition("\n")[0].rstrip(" (")))
            continue
        text = statement.rstrip().rstrip(";") + ";"
        if screen.out.is_terminal:
            screen.out.print(Syntax(text, "sql", background_color="default", word_wrap=True))
        else:
            screen.out.print(text, markup=False, soft_wrap=True)
    if not plan:
        screen.note(f"{escape(system)}: nothing to do")
    elif done:
        screen.note(f"{escape(system)}: {verb}, {len(plan)} statements")
    else:
        screen.note(f"{escape(system)}: dry run, nothing was changed")
