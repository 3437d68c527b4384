"""``fig adapter install`` and ``remove``: what is put into a legacy system, and taken out again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import click
import msgspec
from rich.markup import escape
from rich.syntax import Syntax

from .. import app
from ..ports import Installable, Reviewable
from .adapter import adapter
from .adapter_part import Overrides, capture_options, login_options
from .screen import Screen, json_option

__all__ = ["install", "remove"]


@adapter.command()
@click.argument("system")
@capture_options
@click.option("--dry-run", is_flag=True, help="Print a script to review; change nothing.")
@click.option("--undo", is_flag=True, help="Print the script that would undo it; change nothing.")
@json_option
@click.pass_obj
def install(
    screen: Screen, /, system: str, dry_run: bool, undo: bool, as_json: bool, **said: str | None
) -> None:
    """Put SYSTEM's triggers in place; harmless where they stand.

    What is captured stands in fig.toml. Options go before it for this once: it prints what to add
    there. Installed --as another user, the bridge's user gets the rights that it needs.
    """
    overrides = msgspec.convert(said, Overrides)
    workspace = screen.load()
    part = app.installable(overrides.of(workspace, system), system)
    plan = list(part.install_plan())
    dry = dry_run or undo
    if dry and not as_json:
        _script(screen, part, "undo" if undo else "install", plan)
    if not dry:
        part.install()
    _told(screen, system, plan, "installed", done=not dry, as_json=as_json)
    add = overrides.to_add(workspace, system)
    if add and not as_json:
        screen.note("fig.toml says otherwise. Add to it:")
        for line in add:
            screen.err.print(f"  {line}", markup=False, soft_wrap=True)


@adapter.command()
@click.argument("system")
@login_options
@click.option("--dry-run", is_flag=True, help="Print a script to review; change nothing.")
@click.option("--discard", is_flag=True, help="Even where caught changes still wait.")
@json_option
@click.pass_obj
def remove(
    screen: Screen, /, system: str, dry_run: bool, discard: bool, as_json: bool, **said: str | None
) -> None:
    """Take out of SYSTEM exactly what install put there, from any machine."""
    overrides = msgspec.convert(said, Overrides)
    part = app.installable(overrides.of(screen.load(), system), system)
    plan = list(part.remove_plan())
    if dry_run and not as_json:
        _script(screen, part, "remove", plan)
    if not dry_run:
        part.remove(discard=discard)
    _told(screen, system, plan, "removed", done=not dry_run, as_json=as_json)


def _script(
    screen: Screen,
    part: Installable,
    action: Literal["install", "undo", "remove"],
    plan: Sequence[str],
) -> None:
    if isinstance(part, Reviewable):
        text = part.script(action)
    else:
        text = "\n".join(statement.rstrip().rstrip(";") + ";" for statement in plan)
    if not text:
        return
    if screen.out.is_terminal:
        screen.out.print(Syntax(text, "sql", background_color="default", word_wrap=True))
    else:
        screen.out.print(text, markup=False, soft_wrap=True)


def _told(
    screen: Screen, system: str, plan: Sequence[str], verb: str, *, done: bool, as_json: bool
) -> None:
    if as_json:
        screen.json({"system": system, "statements": plan, "run": done})
        return
    # The record is kept with each of them, and is no news.
    doing = [one for one in plan if not one.startswith(("INSERT INTO", "DELETE FROM"))]
    if done:
        for statement in doing:
            screen.say(escape(statement.partition("\n")[0].rstrip(" (")))
    if not plan:
        screen.note(f"{escape(system)}: nothing to do")
    elif done:
        screen.note(f"{escape(system)}: {verb}, {len(doing)} statements")
    else:
        screen.note(f"{escape(system)}: dry run, nothing was changed")
