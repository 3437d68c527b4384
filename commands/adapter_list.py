"""``fig adapter list``: what stands in the legacy systems, by the record that is kept there."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence

import click
from rich.markup import escape

from .. import app
from ..config import Workspace
from ..errors import FigError
from ..ports import Reviewable
from .adapter import adapter
from .screen import Screen, json_option

__all__ = ["list_"]

_Entry = Mapping[str, str | float]


@adapter.command("list")
@json_option
@click.pass_obj
def list_(screen: Screen, as_json: bool) -> None:
    """List what is installed in which system, since when and by whom."""
    workspace = screen.load()
    rows: list[Sequence[str]] = []
    for name in workspace.legacy:
        try:
            part = app.adapter(workspace, name)
            entries = list(part.installed()) if isinstance(part, Reviewable) else None
        except FigError as error:
            if as_json:
                screen.json({"system": name, "error": error.as_dict() | {"says": error.message}})
            rows.append([escape(name), f"[red]{escape(error.message)}[/]", "", ""])
            continue
        if entries is None:
            continue
        if as_json:
            for entry in entries:
                screen.json({"system": name, **entry})
        rows += _rows(workspace, name, entries)
    if not as_json:
        screen.table(["source", "stands", "since", "by"], rows)


def _rows(workspace: Workspace, name: str, entries: Sequence[_Entry]) -> list[Sequence[str]]:
    own = [one for one in entries if one["source"] == name]
    nothing = [escape(name), "[dim]nothing[/]", "", ""]
    rows = [_row(escape(name), own) if own else nothing]
    # Sources that share the database and are not of this workspace.
    others = {str(one["source"]) for one in entries} - {"", *workspace.legacy}
    for other in sorted(others):
        found = [one for one in entries if one["source"] == other]
        rows.append(_row(f"[yellow]{escape(other)}[/] (beside {escape(name)})", found))
    return rows


def _row(name: str, entries: Sequence[_Entry]) -> Sequence[str]:
    counts = Counter(str(one["kind"]) for one in entries)
    last = max(entries, key=lambda one: float(one["at"]))
    since = time.strftime("%Y-%m-%d %H:%M", time.localtime(float(last["at"])))
    stands = ", ".join(f"{count} {kind}{'s' * (count > 1)}" for kind, count in counts.items())
    return [name, stands, since, escape(str(last["by"]))]
