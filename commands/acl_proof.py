"""``fig acl roundtrip``, ``cover`` and ``explain``: what recorded messages prove of a mapping."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import click
from rich.markup import escape

from ..acl.mapping.exercise import Exercise
from ..acl.mapping.explain import explain as explained
from ..acl.mapping.open import open_mapping
from ..acl.mapping.roundtrip import roundtrip as proved
from ..acl.mapping.side import Side
from ..errors import FigError
from ..fixtures.fixture import Fixture
from ..fixtures.folder import fixtures
from ..model import Record
from .acl_check import named
from .acl_message import fixture_argument, mapping_argument, message, message_options
from .screen import Screen, json_option

__all__ = ["cover", "explain", "roundtrip"]

_HOW = {
    "value": "green",
    "constant": "green",
    "else": "yellow",
    "nothing": "yellow",
    "absent": "dim",
    "failed": "red",
}


@click.command()
@mapping_argument
@json_option
@click.pass_obj
def roundtrip(screen: Screen, mappings: Sequence[str], as_json: bool) -> None:
    """Prove that every recorded message of MAPPING comes back byte for byte, row by row."""
    rows: list[list[str]] = []
    errors: list[FigError] = []
    for name in named(screen.workspace, mappings):
        opened = open_mapping(screen.workspace, name)
        for fixture in fixtures(screen.workspace, name):
            found = [
                error
                for side, record in _sides(opened.mapping.request, opened.mapping.reply, fixture)
                for error in proved(side, record)
            ]
            for error in found:
                error.place = f"{fixture.id}: {error.place}"
            errors += found
            if as_json:
                problems = [error.as_dict() for error in found]
                screen.json({"fixture": fixture.id, "ok": not found, "problems": problems})
            rows.append(["[red]lost[/]" if found else "[green]same[/]", escape(fixture.id)])
    if not as_json:
        screen.table(["", "fixture"], rows)
        for error in errors:
            screen.error(error)
    sys.exit(errors[0].exit_status if errors else 0)


def _sides(request: Side, reply: Side | None, fixture: Fixture) -> Iterator[tuple[Side, Record]]:
    yield request, fixture.request
    if reply is not None and fixture.reply is not None:
        yield reply, fixture.reply


@click.command()
@mapping_argument
@json_option
@click.pass_obj
def cover(screen: Screen, mappings: Sequence[str], as_json: bool) -> None:
    """Name the rows and codes of MAPPING that no recorded message exercises."""
    for name in named(screen.workspace, mappings):
        opened = open_mapping(screen.workspace, name)
        recorded = list(fixtures(screen.workspace, name))
        for key, side in (("fields", opened.mapping.request), ("reply", opened.mapping.reply)):
            if side is None:
                continue
            exercise = Exercise(side)
            for fixture in recorded:
                record = fixture.request if key == "fields" else fixture.reply
                if record is not None:
                    exercise.add(record)
            _covered(screen, name, key, exercise, as_json=as_json)


def _covered(screen: Screen, name: str, key: str, exercise: Exercise, *, as_json: bool) -> None:
    rows, codes = exercise.idle_rows(), exercise.idle_codes()
    if as_json:
        screen.json(
            {
                "mapping": name,
                "side": key,
                "rows": len(exercise.rows),
                "idle_rows": [
                    {"row": row.number, "src": row.link.source, "missing": row.missing}
                    for row in rows
                ],
                "idle_codes": codes,
            }
        )
        return
    whole = len(exercise.rows) - len(rows)
    colour = "yellow" if rows or codes else "green"
    screen.say(
        f"[{colour}]{whole} of {len(exercise.rows)}[/] rows of {escape(name)}, {key}, shown whole"
    )
    table = [[f"row {row.number}", escape(row.link.source), ", ".join(row.missing)] for row in rows]
    table += [
        [escape(f"codes.{table}"), escape(", ".join(missing)), "no message holds them"]
        for table, missing in codes.items()
    ]
    if table:
        screen.table(["", "what", "never seen"], table)


@click.command()
@fixture_argument
@message_options
@json_option
@click.pass_obj
def explain(
    screen: Screen, fixture: str, reply: bool, mapping: str, encoding: str, as_json: bool
) -> None:
    """Show where each field of a recorded message's payload came from."""
    found = message(screen.workspace, fixture, mapping, encoding, reply=reply)
    side = found.opened.mapping.reply if reply else found.opened.mapping.request
    if side is None:
        raise click.UsageError(f"{found.opened.name} has no reply")
    fields, problems = explained(side, found.record)
    if as_json:
        screen.json({"fields": fields, "problems": [one.as_dict() for one in problems]})
    else:
        rows = [
            [
                escape(one.dst),
                f"[{_HOW[one.how]}]{escape(one.value or one.how)}[/]",
                escape(one.src),
                escape(one.at),
                escape(one.text),
                escape(one.converter),
                f"row {one.row}",
            ]
            for one in fields
        ]
        screen.table(["field", "value", "from", "at", "legacy's text", "as", ""], rows)
        for problem in problems:
            screen.error(problem)
    sys.exit(problems[0].exit_status if problems else 0)
