"""``fig copybook columns``: a file of records of one length as Arrow columns, for analysts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Unpack

import click

from ..acl.records import RecordFormat
from ..acl.records.output import whole_file
from ..errors import ConfigError, EnvelopeError
from .copybook_job import Job, opened
from .copybook_options import Chosen, record_options
from .copybook_source import copybook_argument
from .meter import Meter
from .screen import Screen, json_option

__all__ = ["columns"]

_WRITERS = (".arrow", ".feather", ".parquet")


@click.command()
@copybook_argument
@click.argument("file")
@record_options
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write: NAME.parquet or NAME.arrow.",
)
@json_option
@click.pass_obj
def columns(
    screen: Screen,
    /,
    copybook: Path,
    file: str,
    output: Path,
    as_json: bool,
    **chosen: Unpack[Chosen],
) -> None:
    """Decode a whole FILE of records of one length into Arrow columns, many records at a time.

    Values are those of 'decode'; what is blank or invalid is null. Needs the extra 'columns'.
    """
    from ..acl.columns import columns as compiled  # noqa: PLC0415 - it needs an extra

    job = Job(screen, copybook, chosen)
    _check(job.form, job.codec.size, output)
    made = compiled(job.codec)
    with opened(file) as (stream, size), whole_file(output) as out:
        part = _Part(stream, job.form, size)
        batches = Meter(screen, "decoding", size).over(made.batches(part), part)
        count = _write(batches, made.schema, out, output.suffix)
    if as_json:
        types = {field.name: str(field.type) for field in made.schema}
        screen.json({"records": count, "output": str(output), "columns": types})
    else:
        screen.say(f"[green]{count} records[/], {len(made.schema)} columns in {output}")


def _check(form: RecordFormat, size: int, output: Path) -> None:
    if form.kind != "fixed" or form.start or form.stop or form.length != size:
        raise ConfigError(
            "only records of one length have columns",
            place="--records",
            value=form.kind,
            expected=f"fixed, {size} bytes a record, as the copybook says",
            remedy="use 'fig copybook decode'",
        )
    if output.suffix not in _WRITERS:
        expected = "one of " + ", ".join(_WRITERS)
        raise ConfigError("no such format", place="--output", value=output.name, expected=expected)


class _Part:
    """A file without its header and footer."""

    def __init__(self, stream: BinaryIO, form: RecordFormat, size: int | None) -> None:
        if form.footer and size is None:
            expected = "a file whose size is known, so that its footer can be left out"
            raise ConfigError("not a file", place="--footer", expected=expected)
        self._stream = stream
        self._left = None if size is None else max(size - form.header - form.footer, 0)
        self.offset = len(stream.read(form.header))
        if self.offset < form.header or (size is not None and size < form.header + form.footer):
            raise EnvelopeError(
                "the file ends before its header and footer do",
                place=f"offset {self.offset}",
                expected=f"{form.header} bytes of header, {form.footer} of footer",
            )

    def read(self, size: int, /) -> bytes:
        """Give up to ``size`` bytes, none at the end."""
        if self._left is not None:
            size = min(size, self._left)
        found = self._stream.read(size)
        if self._left is not None:
            self._left -= len(found)
        self.offset += len(found)
        return found


def _write(batches: Iterator[Any], schema: Any, out: BinaryIO, suffix: str) -> int:
    import pyarrow as pa  # noqa: PLC0415 - it is of an extra

    count = 0
    if suffix == ".parquet":
        import pyarrow.parquet as pq  # noqa: PLC0415

        writer = pq.ParquetWriter(out, schema)
        write = writer.write_batch
    else:
        writer = pa.ipc.new_file(out, schema)
        write = writer.write
    with writer:
        for batch in batches:
            write(batch)
            count += batch.num_rows
    return count
