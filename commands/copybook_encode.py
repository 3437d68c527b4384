"""``fig copybook encode``: JSON lines back to a file of COBOL records."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Unpack

import click

from ..acl.records import Writer
from ..acl.records.encoding import encode_lines
from .copybook_job import STANDARD, Job, opened, printed
from .copybook_options import Chosen, record_options
from .copybook_source import copybook_argument
from .meter import Meter
from .screen import Screen, json_option

__all__ = ["encode"]


class _Lines:
    """The lines of a stream; ``offset`` is how far it has come."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.offset = 0

    def __iter__(self) -> Iterator[bytes]:
        for line in self._stream:
            self.offset += len(line)
            yield line


@click.command()
@copybook_argument
@click.argument("file")
@record_options
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the records there."
)
@json_option
@click.pass_obj
def encode(
    screen: Screen,
    /,
    copybook: Path,
    file: str,
    output: Path | None,
    as_json: bool,
    **chosen: Unpack[Chosen],
) -> None:
    """Encode the JSON lines of FILE (- for standard input) as records of COPYBOOK.

    With the options of 'decode', and what it printed, the same bytes come back. Where a line is
    wrong nothing is written with --output. --json prints the number of records and bytes.
    """
    to_file = output is not None and str(output) != STANDARD
    if not to_file and sys.stdout.isatty():
        raise click.UsageError("a terminal cannot show records: name a file with --output")
    if not to_file and as_json:
        raise click.UsageError("--json needs --output: standard output has the records")
    job = Job(screen, copybook, chosen)
    with opened(file) as (stream, size), printed(output) as out:
        writer = Writer(out, job.form)
        lines = _Lines(stream)
        watched = Meter(screen, "encoding", size).over(lines, lines)
        encode_lines(watched, job.codec, writer, job.form)
    if as_json:
        screen.json({"records": writer.count, "bytes": writer.size, "output": str(output)})
    elif to_file:
        screen.note(f"[green]{writer.count} records[/], {writer.size} bytes in {output}")
