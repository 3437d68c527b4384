"""``fig acl diff``: what changed between two operations, and whom it breaks."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click
from rich.markup import escape

from ..acl.mapping.open import Opened, open_mapping
from ..acl.operations.change import Change, changes
from ..acl.operations.operation import Operation, load_operation, parse_operation
from ..acl.versions.fits import Refused, Stored, check_fixtures
from ..acl.versions.versions import Versions, load_versions
from ..errors import FigError
from ..fixtures.folder import fixtures
from ..options import read_toml
from .screen import Screen, json_option

__all__ = ["diff"]

_COLOURS = {"breaking": "red", "warning": "yellow", "safe": "green"}


@click.command()
@click.argument("old")
@click.argument("new")
@json_option
@click.pass_obj
def diff(screen: Screen, old: str, new: str, as_json: bool) -> None:
    """Name what changed from OLD to NEW: operations such as ticket.triage@1, or their files.

    Recorded messages of OLD are held against NEW. Leaves with status 1 where anything breaks.
    """
    root = screen.workspace
    before, after = _operation(root, old), _operation(root, new)
    found = changes(before, after)
    refused = check_fixtures(after, _stored(root, before), _versions(root, before, after))
    if as_json:
        screen.json({"changes": found, "refused": [_plain(one) for one in refused]})
    else:
        _show(screen, found, refused)
    sys.exit(1 if refused or any(change.level == "breaking" for change in found) else 0)


def _operation(root: Path, name: str) -> Operation:
    file = Path(name)
    if file.suffix != ".toml":
        return load_operation(root, name)
    return parse_operation(read_toml(file), file.name)


def _versions(root: Path, before: Operation, after: Operation) -> Versions | None:
    """Give the steps from the old to the new one, where there are files for them."""
    try:
        found = load_versions(root, before.id)
    except FigError:
        return None
    return found if found.steps and found.latest.digest == after.digest else None


def _stored(root: Path, operation: Operation) -> Iterator[Stored]:
    """Give the payloads of all fixtures whose mapping is for the operation, as it stands there."""
    opened: dict[str, Opened] = {}
    for fixture in fixtures(root):
        if fixture.mapping not in opened:
            opened[fixture.mapping] = open_mapping(root, fixture.mapping)
        contract, mapping = opened[fixture.mapping].operation, opened[fixture.mapping].mapping
        if contract.id != operation.id:
            continue
        payload = mapping.decode_request(fixture.request)
        yield Stored(name=fixture.id, side="input", payload=payload, version=contract.version)
        if fixture.reply is not None:
            payload = mapping.decode_reply(fixture.reply)
            yield Stored(name=fixture.id, side="output", payload=payload, version=contract.version)


def _show(screen: Screen, found: list[Change], refused: list[Refused]) -> None:
    if not found:
        screen.say("nothing changed")
    else:
        columns = ["", "side", "path", "change", "old", "new", "why"]
        screen.table(columns, [_row(change) for change in found])
    for one in refused:
        for problem in one.problems:
            problem.place = f"{one.stored.name}, {one.stored.side}: {problem.place}"
            screen.error(problem)


def _row(change: Change) -> list[str]:
    why = f"{change.why} ({change.hint})" if change.hint else change.why
    cells = [change.side, change.path, change.kind, change.old, change.new, why]
    return [f"[{_COLOURS[change.level]}]{change.level}[/]", *map(escape, cells)]


def _plain(refused: Refused) -> dict[str, object]:
    return {
        "fixture": refused.stored.name,
        "side": refused.stored.side,
        "problems": [problem.as_dict() for problem in refused.problems],
    }
