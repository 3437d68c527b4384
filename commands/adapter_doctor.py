"""``fig adapter doctor``: whether what was installed works, proved and measured."""

from __future__ import annotations

import sys
from typing import Final

import click
import msgspec
from rich.markup import escape

from .. import app
from ..config import Workspace
from ..errors import ConfigError, FigError, LegacyError
from ..model import Finding
from ..ports import Examinable
from ..running.columns import unfit
from .adapter import adapter
from .adapter_part import Overrides, login_options
from .screen import Screen, json_option

__all__ = ["doctor"]

_COLOURS: Final = {"ok": "green", "warn": "yellow", "fail": "red", "skip": "dim"}


@adapter.command()
@click.argument("system")
@login_options
@click.option("--strict", is_flag=True, help="Leave with 6 for a warning too.")
@json_option
@click.pass_obj
def doctor(screen: Screen, /, system: str, strict: bool, as_json: bool, **said: str | None) -> None:
    """Prove that SYSTEM's triggers fire, find what is amiss, and measure what they cost.

    A row is inserted, changed and deleted through the real triggers, and rolled back: nothing
    stays. Leaves with 6 where something fails, and with 0 where there are warnings at most: a
    trigger that this user could not prove is one.
    """
    workspace = msgspec.convert(said, Overrides).of(screen.load(), system)
    part = app.adapter(workspace, system)
    if not isinstance(part, Examinable):
        raise ConfigError(
            "this adapter cannot be examined",
            place=workspace.place("legacy", system, "adapter"),
            value=workspace.legacy[system].adapter,
            expected="one that installs something in its system",
        )
    found = [*part.examine(), _mappings(workspace, system, part)]
    if as_json:
        for one in found:
            screen.json({"system": system, **msgspec.structs.asdict(one)})
    else:
        _show(screen, found)
    bad = ("fail", "warn") if strict else ("fail",)
    failed = any(one.state in bad for one in found)
    sys.exit(LegacyError.exit_status if failed else 0)


def _mappings(workspace: Workspace, system: str, part: object) -> Finding:
    """Say whether the mappings that read the system's rows fit the columns that come."""
    try:
        wrong = unfit(workspace, system, part, ask=True)
    except FigError as error:
        return Finding(check="mappings", state="skip", says=error.message, remedy=error.remedy)
    if wrong is None:
        return Finding(check="mappings", state="ok", says="they fit the columns that are captured")
    said = "; ".join(f"{one.place}: {one.message}: {one.value}" for one in wrong.problems)
    remedy = "; ".join(dict.fromkeys(one.remedy for one in wrong.problems if one.remedy))
    return Finding(check="mappings", state="fail", says=said, remedy=remedy)


def _show(screen: Screen, found: list[Finding]) -> None:
    rows = [
        [f"[{_COLOURS[one.state]}]{one.state}[/]", escape(one.check), escape(one.says)]
        for one in found
    ]
    screen.table(["", "looked at", "found"], rows)
    for one in found:
        if one.remedy:
            colour = _COLOURS[one.state]
            screen.say(f"[{colour}]{one.state}[/] {escape(one.check)}: {escape(one.remedy)}")
