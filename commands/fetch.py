"""``fig adapter fetch``: a value that was too large for its event."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.markup import escape

from ..adapters.capture.large import fetch as pieces
from .adapter import adapter
from .adapter_part import login_options
from .screen import Screen
from .walking import ground_of

__all__ = ["fetch"]


@adapter.command()
@click.argument("system")
@click.argument("ref")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file to write it to.  [default: standard output]",
)
@login_options
@click.pass_obj
def fetch(screen: Screen, /, system: str, ref: str, out: Path | None, **login: str | None) -> None:
    """Give a value of SYSTEM that was too large for its event.

    REF stands in the record's header 'large'. Text is in UTF-8.
    """
    found = pieces(ground_of(screen, system, login), ref)
    if out is None:
        for piece in found:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        return
    first = next(found, b"")  # a file is only made where there is a value
    with out.open("wb") as file:
        size = file.write(first) + sum(file.write(piece) for piece in found)
    screen.note(f"{escape(str(out))}: {size:,} bytes")
