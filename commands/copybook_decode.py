"""``fig copybook decode``: a file of COBOL records as JSON lines, or for people."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Unpack

import click
import msgspec
from rich.markup import escape

from ..acl.records import read_records
from ..acl.records.decoding import Decoded, Decoding
from ..acl.records.lines import NUMBER
from ..acl.records.quarantine import Quarantine
from .copybook_job import STANDARD, Job, opened, printed
from .copybook_options import Chosen, record_options
from .copybook_source import copybook_argument
from .copybook_view import view
from .meter import Meter
from .screen import Screen, json_option

__all__ = ["decode", "json_lines", "quarantine_path", "summary"]

_FEW = 20
_BAD = 4


@click.command()
@copybook_argument
@click.argument("file")
@record_options
@click.option("--limit", type=click.IntRange(0), help="The most records; 0 for all.")
@click.option("--plain", is_flag=True, help="Leave out what only 'encode' needs: $bytes, $frame.")
@click.option("--number", is_flag=True, help="Add each record's number in the file, as $number.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write JSON lines there."
)
@click.option(
    "--quarantine",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where bad records go; default: FILE's name and .quarantine.jsonl, beside the output.",
)
@json_option
@click.pass_obj
def decode(
    screen: Screen,
    /,
    copybook: Path,
    file: str,
    limit: int | None,
    plain: bool,
    number: bool,
    output: Path | None,
    quarantine: Path | None,
    as_json: bool,
    **chosen: Unpack[Chosen],
) -> None:
    """Decode the records of FILE (- for standard input) as COPYBOOK describes them.

    A bad record goes to the quarantine and the file goes on; the exit status is 4 then. Without
    --json or --output the first 20 records are shown for people.
    """
    job = Job(screen, copybook, chosen)
    place = quarantine or quarantine_path(file, output)
    lines = as_json or output is not None
    with opened(file) as (stream, size), Quarantine(place, _named(file), size) as bad:
        reader = read_records(stream, job.form, job.measure)
        decoding = Decoding(reader, job.form, job.codec, bad, plain=plain or not lines)
        few = limit if limit is not None else None if lines else _FEW
        records = Meter(screen, "decoding", size).over(decoding, reader)
        if few:
            records = itertools.islice(records, few)
        if lines:
            with printed(output) as out:
                json_lines(records, out, number=number)
        else:
            _for_people(screen, list(records), few if limit is None else None)
    summary(screen, decoding, bad, output)


def json_lines(records: Iterable[Decoded], out: BinaryIO, *, number: bool = False) -> None:
    """Print one JSON object a record. Where nobody reads them any more, it ends."""
    encode = msgspec.json.Encoder(decimal_format="number").encode
    write = out.write
    try:
        for record in records:
            if number:
                record.values[NUMBER] = record.number
            write(encode(record.values) + b"\n")
        out.flush()
    except BrokenPipeError:
        # Nobody reads any more, as behind 'head'. What is flushed at the end must go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def quarantine_path(file: str, output: Path | None) -> Path:
    """Give where bad records go where nobody says: beside the output, or in this folder."""
    folder = output.parent if output else Path()
    name = "stdin" if file == STANDARD else Path(file).name
    return folder / f"{name}.quarantine.jsonl"


def summary(screen: Screen, decoding: Decoding, bad: Quarantine, output: Path | None) -> None:
    """Say on standard error what was decoded and what was not. Leaves with 4 where some was bad."""
    for (path, reason), count in decoding.nulls.most_common():
        where = f"{escape(path)}: " if path else ""
        screen.note(f"[yellow]{count}[/] × {where}{escape(reason)}")
    if output is not None:
        screen.note(f"[green]{decoding.count} records[/] in {escape(str(output))}")
    if not bad.count:
        return
    screen.note(f"[red]{bad.count} bad[/], kept in {escape(str(bad.path))}")
    for reason, count in bad.reasons.most_common(10):
        screen.note(f"  [dim]{count} ×[/] {escape(reason)}")
    path = escape(str(bad.path))
    screen.note(f"when what was wrong is mended: fig copybook replay COPYBOOK {path}")
    sys.exit(_BAD)


def _for_people(screen: Screen, records: list[Decoded], few: int | None) -> None:
    view(screen, [(one.number, one.offset, one.values) for one in records if one.number])
    if few and len(records) == few:
        screen.note(f"[dim]the first {few}; more with --limit, all of it with --json[/]")


def _named(file: str) -> str:
    return file if file == STANDARD else str(Path(file).resolve())
