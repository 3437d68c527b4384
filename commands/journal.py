"""``fig journal``: what happened, line by line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import click
from rich.markup import escape

from .. import app
from ..store.line import Entry
from ..store.reading import Wanted
from .journal_age import archive, compact, retain
from .journal_proof import anchor, verify
from .screen import Screen, json_option

__all__ = ["journal"]


@click.group()
def journal() -> None:
    """Read the journal of every request, comparison and change."""


@journal.command()
@click.option("--endpoint", help="Only this endpoint's lines.")
@click.option("--kind", multiple=True, help="request, comparison, shadow, route, dead, note …")
@click.option("--request", help="Only the lines of this request id.")
@click.option("--fallbacks", is_flag=True, help="Only requests that legacy answered instead.")
@click.option("--last", default=20, show_default=True, type=click.IntRange(1), help="How many.")
@json_option
@click.pass_obj
def show(
    screen: Screen,
    endpoint: str | None,
    kind: tuple[str, ...],
    request: str | None,
    fallbacks: bool,
    last: int,
    as_json: bool,
) -> None:
    """Show the last lines, oldest first."""
    kinds = ("request",) if fallbacks else kind or None
    with app.store(screen.load()) as store:
        wanted = Wanted(endpoint=endpoint, kinds=kinds, request_id=request)
        found = store.journal.latest(
            wanted, last, lambda entry: not fallbacks or "fallback" in entry.line.data
        )
    if as_json:
        for entry in found:
            screen.json({"id": entry.id, "at": entry.at, "hash": entry.hash, "line": entry.line})
        return
    rows = [_row(entry) for entry in found]
    screen.table([">id", "when (UTC)", "kind", "endpoint", "what"], rows)


for _command in (verify, anchor, compact, archive, retain):
    journal.add_command(_command)


def _row(entry: Entry) -> list[str]:
    when = datetime.fromtimestamp(entry.at, UTC).strftime("%m-%d %H:%M:%S")
    line = entry.line
    words = "its data was compacted" if entry.compacted else _words(line.data)
    return [str(entry.id), when, line.kind, escape(line.endpoint), escape(words)]


def _words(data: Mapping[str, object]) -> str:
    if "served_by" in data:
        words = f"{data['key']}: {data['served_by'] or 'nobody'}, {data['status']}, {data['ms']} ms"
        if "fallback" in data:
            words += f"; not the replacement: {data['fallback']} {data['detail']}"
        return words
    if "winner" in data:
        sides = f"legacy {_values(data['legacy'])}, replacement {_values(data['replacement'])}"
        return f"right: {data['winner']} (by {data['by']}); {sides}"
    if "action" in data:
        return f"{data['action']} by {data['who']}: {data['why'] or 'no reason given'}"
    return ", ".join(f"{name} {value}" for name, value in data.items() if value != "")


def _values(payload: object) -> str:
    if isinstance(payload, Mapping):
        return ", ".join(str(value) for value in payload.values())
    return str(payload)
