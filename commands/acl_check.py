"""``fig acl check``: whether mappings are total and two-way, and whether fixtures still fit."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich.markup import escape

from ..acl.mapping.open import Opened, mapping_files, open_mapping
from ..errors import ConfigError, FigError
from ..fixtures.fixture import Fixture
from ..fixtures.folder import fixtures
from .acl_message import mapping_argument
from .screen import Screen, json_option

__all__ = ["check", "named"]


@click.command()
@mapping_argument
@json_option
@click.pass_obj
def check(screen: Screen, mappings: Sequence[str], as_json: bool) -> None:
    """Load each MAPPING (default: all in acl/) and read all of its fixtures with it."""
    rows: list[list[str]] = []
    errors: list[FigError] = []
    for name in named(screen.workspace, mappings):
        says, found = _checked(screen.workspace, name)
        errors += found
        if as_json:
            screen.json({"mapping": name, "ok": not found, "says": says, "errors": _plain(found)})
        colour = "[red]wrong[/]" if found else "[green]ok[/]"
        rows.append([colour, escape(name), escape(says)])
    if not as_json:
        screen.table(["", "mapping", "says"], rows)
        for error in errors:
            screen.error(error)
    sys.exit(errors[0].exit_status if errors else 0)


def named(root: Path, mappings: Sequence[str]) -> Sequence[str]:
    """Give the mappings that a command is about: those named, or all there are."""
    found = list(mappings) or mapping_files(root)
    if not found:
        raise ConfigError("no mapping", place=str(root / "acl"), expected="acl/NAME.toml")
    return found


def _checked(root: Path, name: str) -> tuple[str, list[FigError]]:
    try:
        opened = open_mapping(root, name)
    except FigError as error:
        return error.message.partition("\n")[0].rstrip(":"), [error]
    recorded = list(fixtures(root, name))
    errors = [error for fixture in recorded for error in _unfit(opened, fixture)]
    says = (
        f"{opened.operation.id}, {len(opened.mapping.request.shape.leaves)} places of the request, "
        f"{len(recorded)} fixtures, digest {opened.mapping.digest[:8]}"
    )
    return says, errors


def _unfit(opened: Opened, fixture: Fixture) -> Iterator[FigError]:
    mapping, operation = opened.mapping, opened.operation
    try:
        operation.check_input(mapping.decode_request(fixture.request))
        if fixture.reply is not None:
            operation.check_output(mapping.decode_reply(fixture.reply))
    except FigError as error:
        error.place = f"{fixture.id}: {error.place}"
        yield error


def _plain(errors: Sequence[FigError]) -> list[dict[str, object]]:
    return [
        {**error.as_dict(), "problems": [one.as_dict() for one in error.problems]}
        for error in errors
    ]
