"""``fig mask explain``: one payload, before and after, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import click
import msgspec
from rich.markup import escape

from ..acl.mapping.mapping import load_mapping
from ..acl.masking.ledger import Ledger
from ..acl.masking.mask import Mask, Row
from ..acl.masking.memory import MemoryVault
from ..acl.masking.policy import DESTINATIONS, Destination
from ..acl.operations.operation import Operation, load_operation
from ..acl.operations.value import to_text
from ..app import Masking
from ..config import Workspace
from ..errors import ConfigError
from ..fixtures.fixture import Fixture, read_fixture
from ..fixtures.folder import fixtures
from ..model import Payload
from ..options import read_toml
from .screen import Screen, json_option

__all__ = ["explain"]

_COLOURS = {"keep": "yellow", "drop": "blue", "redact": "blue", "generalise": "cyan"}


class _Subject(NamedTuple):
    """A payload, and the operation that it is of."""

    operation: Operation
    payload: Payload


class Part(NamedTuple):
    """One value of the payload: where it stands, its field's row, itself, and what leaves."""

    place: str
    row: Row
    before: str
    after: str | None


@click.command()
@click.argument("fixture")
@click.option(
    "--for",
    "destination",
    type=click.Choice(DESTINATIONS),
    default="provider",
    show_default=True,
    help="Who would get it; provider is one that is outside.",
)
@click.option("--operation", "ident", default="", help="NAME@VERSION: FIXTURE is a JSON payload.")
@click.option("--reply", is_flag=True, help="The answer's payload instead of the request's.")
@json_option
@click.pass_obj
def explain(
    screen: Screen,
    fixture: str,
    destination: Destination,
    ident: str,
    reply: bool,
    as_json: bool,
) -> None:
    """Show what would leave of FIXTURE: each value with its tag, before and after.

    FIXTURE is a fixture's id or file; or, with --operation, a file of JSON that holds a payload.
    Nothing is kept: tokens are of this run, whatever their scope.
    """
    workspace = screen.load()
    subject = _subject(workspace, fixture, ident, reply=reply)
    side = "output" if reply else "input"
    mask = Masking(workspace).mask(subject.operation, destination, side)
    parts = list(_parts(mask, subject.payload))
    if as_json:
        for part in parts:
            screen.json(_values(part))
        return
    screen.say(f"{escape(subject.operation.id)} {side}, for [bold]{destination}[/]")
    rows = [
        [
            escape(part.place),
            escape(part.row.tag or "-"),
            _what(part.row),
            escape(part.before),
            "[dim]nothing[/]" if part.after is None else escape(part.after),
        ]
        for part in parts
    ]
    screen.table(["field", "tag", "what is done", "before", "after"], rows)
    if mask.found:
        rules = sorted({str(rule) for rule in mask.found.values()})
        screen.note(
            f"found in free text: {', '.join(rules)}. Names in it that no field holds stay."
        )


def _subject(workspace: Workspace, name: str, ident: str, *, reply: bool) -> _Subject:
    """Read what is to be explained. Raises ``ConfigError`` and ``InputError``."""
    if ident:
        operation = load_operation(workspace.root, ident)
        contract = operation.output if reply else operation.input
        return _Subject(operation, contract.decode(_payload(Path(name), reply=reply)))
    fixture = _fixture(workspace, name)
    file = workspace.path(fixture.mapping)
    named = read_toml(file).get("operation")
    if not isinstance(named, str):
        raise ConfigError("names no operation", place=f"{file.name}: operation")
    operation = load_operation(workspace.root, named)
    mapping = load_mapping(file, operation, workspace.root)
    if not reply:
        return _Subject(operation, mapping.decode_request(fixture.request))
    if fixture.reply is None:
        place = fixture.file.name
        raise ConfigError("has no reply", place=place, expected="a fixture with a [reply]")
    return _Subject(operation, mapping.decode_reply(fixture.reply))


def _fixture(workspace: Workspace, name: str) -> Fixture:
    if Path(name).suffix == ".toml" or Path(name).exists():
        return read_fixture(Path(name))
    found = {one.id: one for one in fixtures(workspace.root)}
    if name not in found:
        raise ConfigError(
            "no such fixture",
            place="FIXTURE",
            value=name,
            expected="a file, or one of " + (", ".join(sorted(found)) or "none yet"),
            remedy="of a payload in JSON, say --operation NAME@VERSION",
        )
    return found[name]


def _payload(file: Path, *, reply: bool) -> bytes:
    """Give a payload's JSON; of a TOML file, that of the table [request.payload]."""
    if file.suffix != ".toml":
        try:
            return file.read_bytes()
        except OSError as error:
            raise ConfigError(
                f"cannot be read: {error.strerror}", place=str(file), expected="a file of JSON"
            ) from error
    side = "reply" if reply else "request"
    message = read_toml(file).get(side)
    payload = message.get("payload") if isinstance(message, dict) else None
    if not isinstance(payload, dict):
        place = f"{file.name}: {side}.payload"
        raise ConfigError("no payload", place=place, expected=f"[{side}.payload]")
    return msgspec.json.encode(payload)


def _parts(mask: Mask, payload: Payload) -> Iterator[Part]:
    ledger = Ledger("", "explained")
    after = mask.apply(payload, ledger)
    if ledger.wanted:
        ledger.settle(MemoryVault())
        after = mask.apply(payload, ledger)
    rows = {row.field: row for row in mask.rows}
    masked = {place: value for place, _, value in _leaves(after, rows, "", "")}
    for place, row, value in _leaves(payload, rows, "", ""):
        if value is None:
            continue
        after_it = _text(masked[place]) if place in masked else None
        yield Part(place, row, to_text(value), after_it)


def _text(value: object) -> str:
    return "null" if value is None else to_text(value)


def _leaves(
    value: object, rows: Mapping[str, Row], name: str, place: str
) -> Iterator[tuple[str, Row, object]]:
    """Give each value by its place, ``lines[2].sku``, with the row of its field."""
    row = rows.get(name)
    if row is not None and not (name.endswith("[]") and isinstance(value, list)):
        yield place, row, value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            inner = f"{name}.{key}" if name else str(key)
            listed = isinstance(one, list) and inner not in rows
            where = f"{place}.{key}" if place else str(key)
            yield from _leaves(one, rows, f"{inner}[]" if listed else inner, where)
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _leaves(one, rows, name, f"{place}[{number}]")


def _what(row: Row) -> str:
    colour = _COLOURS.get(row.rule.action, "green")
    note = f", {row.note}" if row.note else ""
    return f"[{colour}]{escape(str(row.rule))}[/]{escape(note)}"


def _values(part: Part) -> dict[str, object]:
    return {
        "field": part.place,
        "tag": part.row.tag,
        "action": part.row.rule.action,
        "note": part.row.note,
        "before": part.before,
        "after": part.after,
    }
