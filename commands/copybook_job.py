"""What the commands that read and write records have in common: what they were told to do."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import click
from click.core import ParameterSource

from ..acl.copybook.codec.codec import Codec
from ..acl.copybook.copybook import Copybook
from ..acl.copybook.item import Usage
from ..acl.records import Measure, RecordFormat
from ..acl.records.measures import by_counts, by_field
from ..acl.records.output import whole_file
from ..errors import InputError
from .copybook_meaning import codec_options, record_format
from .copybook_options import Chosen
from .copybook_source import read
from .screen import Screen

__all__ = ["STANDARD", "Job", "opened", "printed"]

_FLOATS: Final = (Usage.FLOAT, Usage.DOUBLE)

STANDARD = "-"
"""The name of standard input, as most programs have it."""


class Job:
    """A copybook with all that the options say of its records."""

    def __init__(self, screen: Screen, copybook: Path, chosen: Chosen) -> None:
        self.copybook: Copybook = read(screen, copybook, chosen["copies"])
        options = codec_options(chosen, self.copybook)
        self.codec = Codec(self.copybook, options)
        self.measure: Measure | None
        if field := chosen["length_field"]:
            self.measure = by_field(self.copybook, options, field, chosen["length_adjust"])
        else:
            self.measure = by_counts(self.copybook, options)
        measured = self.measure is not None
        self.form: RecordFormat = record_format(chosen, self.copybook.size, measured=measured)
        if _guessed("floats") and any(item.usage in _FLOATS for item in self.copybook.walk()):
            screen.note(
                "[yellow]notice[/] COMP-1 and COMP-2 are taken for IEEE 754; "
                "what a mainframe wrote itself wants --floats ibm"
            )


def _guessed(option: str) -> bool:
    """Say whether nobody gave an option: a default is a guess then."""
    context = click.get_current_context(silent=True)
    return context is not None and context.get_parameter_source(option) is ParameterSource.DEFAULT


@contextmanager
def opened(file: str) -> Iterator[tuple[BinaryIO, int | None]]:
    """Open a file, or standard input, with its size where that is known.

    Raises ``InputError`` where it cannot be read.
    """
    if file == STANDARD:
        yield sys.stdin.buffer, None
        return
    path = Path(file)
    try:
        stream = path.open("rb")
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}",
            place=file,
            remedy="name a file of records, or - for standard input",
        ) from error
    with stream:
        yield stream, path.stat().st_size if path.is_file() else None


@contextmanager
def printed(output: Path | None) -> Iterator[BinaryIO]:
    """Open the output: the file, whole or not at all, or standard output."""
    if output is not None and str(output) != STANDARD:
        with whole_file(output) as stream:
            yield stream
        return
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()
