"""``fig copybook replay``: decode what is in quarantine once more."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from ..acl.records.decoding import Decoding
from ..acl.records.quarantine import Quarantine, read_quarantine
from ..acl.records.replaying import Replay
from .copybook_decode import json_lines, summary
from .copybook_job import Job, printed
from .copybook_options import Chosen, record_options
from .copybook_source import copybook_argument
from .copybook_view import view
from .screen import Screen, json_option

__all__ = ["replay"]


@click.command()
@copybook_argument
@click.argument("quarantine", type=click.Path(path_type=Path, dir_okay=False))
@record_options
@click.option("--plain", is_flag=True, help="Leave out what only 'encode' needs: $bytes, $frame.")
@click.option("--number", is_flag=True, help="Add each record's number in the file, as $number.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write JSON lines there."
)
@click.option(
    "--again",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where records go that are still bad; default: QUARANTINE's name and .again.",
)
@json_option
@click.pass_obj
def replay(
    screen: Screen,
    /,
    copybook: Path,
    quarantine: Path,
    plain: bool,
    number: bool,
    output: Path | None,
    again: Path | None,
    as_json: bool,
    **chosen: Unpack[Chosen],
) -> None:
    """Decode the bad records in QUARANTINE once more, after COPYBOOK or the options were mended.

    The quarantine stays as it is. What is still bad goes to another one; the exit status is 4 then.
    """
    job = Job(screen, copybook, chosen)
    place = again or quarantine.with_name(f"{quarantine.name}.again")
    with Quarantine(place, "", None) as bad:
        records = Replay(read_quarantine(quarantine), job.form, bad, job.measure)
        decoding = Decoding(records, job.form, job.codec, bad, plain=plain)
        if as_json or output is not None:
            with printed(output) as out:
                json_lines(decoding, out, number=number)
        else:
            view(screen, [(one.number, one.offset, one.values) for one in decoding if one.number])
    summary(screen, decoding, bad, output)
