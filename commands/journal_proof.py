"""``fig journal verify`` and ``anchor``: whether nobody changed the journal afterwards."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
from rich.markup import escape

from .. import app
from ..store import head
from ..store.archive import verify_archive
from ..store.chain import Anchor, Broken
from ..store.chain import anchor as read_anchor
from ..store.chain import verify as broken_lines
from .screen import Screen, json_option

__all__ = ["anchor", "verify"]

_BROKEN: Final = 8


class _AnchorType(click.ParamType):  # type: ignore[type-arg] # generic for mypy only
    """An anchor as ``fig journal anchor`` prints it."""

    name = "anchor"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Anchor:
        if isinstance(value, Anchor):
            return value
        try:
            return read_anchor(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command()
@click.option(
    "--anchor",
    "anchors",
    multiple=True,
    type=_AnchorType(),
    help="An anchor kept elsewhere, which must be in it: 'fig journal anchor' printed it.",
)
@click.option(
    "--archive",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Check this archive instead of the store.",
)
@json_option
@click.pass_obj
def verify(
    screen: Screen, anchors: tuple[Anchor, ...], archive: Path | None, as_json: bool
) -> None:
    """Check the chain: a changed, missing, moved or cut-off line is named."""
    if archive is not None:
        held, broken = verify_archive(archive)
        broken += [
            Broken(one.id, "not the archive that the anchor is of: it ends with another line")
            for one in anchors
            if one.link != held.last.link
        ]
        says = f"lines {held.after.id + 1} to {held.last.id}; it ends with {held.last}"
        _say(screen, held.lines, broken, says, as_json=as_json)
        return
    with app.store(screen.load()) as store:
        broken = list(broken_lines(store.database, anchors))
        with store.database.read() as connection:
            said = head.read(connection)
    says = f"{said.last.id - said.cut.id} lines, each holds the hash of the one before"
    if said.cut.id:
        says += f"; those up to {said.cut.id} were removed"
    if said.compacted:
        says += f"; up to {said.compacted} the data was compacted"
    if anchors:
        says += f"; {len(anchors)} anchors are in it"
    _say(screen, said.last.id - said.cut.id, broken, says, as_json=as_json)


@click.command()
@json_option
@click.pass_obj
def anchor(screen: Screen, as_json: bool) -> None:
    """Print the newest line's number and hash, to be kept elsewhere: in a ticket, on paper.

    'fig journal verify --anchor' later proves that the journal still holds all that it held then.
    """
    with app.store(screen.load()) as store, store.database.read() as connection:
        last = head.read(connection).last
    if as_json:
        screen.json({"id": last.id, "hash": last.link, "anchor": str(Anchor(*last))})
    else:
        screen.say(str(Anchor(*last)))


def _say(screen: Screen, lines: int, broken: Sequence[Broken], says: str, *, as_json: bool) -> None:
    if as_json:
        named = [{"id": one.id, "reason": one.reason} for one in broken]
        screen.json({"lines": lines, "broken": named})
    elif broken:
        rows = [[str(one.id), escape(one.reason)] for one in broken]
        screen.table([">line", "what is wrong"], rows)
    else:
        screen.say(f"[green]whole[/]: {says}")
    sys.exit(_BROKEN if broken else 0)
