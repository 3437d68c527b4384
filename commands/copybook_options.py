"""The options of decode, encode and replay: how a file of records is read and written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypedDict, TypeVar

import click

from ..acl.copybook.codec.options import CodecOptions
from ..acl.records import KINDS, LONGEST
from ..acl.records.format import Endian

__all__ = ["ENDS", "Chosen", "record_options"]

ENDS = {"lf": b"\n", "crlf": b"\r\n", "nl": b"\x15", "ebcdic-lf": b"\x25", "nul": b"\0"}
"""The names that --end knows."""

_Function = TypeVar("_Function", bound=Callable[..., object])

_BYTE_ORDERS = click.Choice(["big", "little"])
_OPTIONS = (
    click.option(
        "--copies",
        multiple=True,
        type=click.Path(path_type=Path, file_okay=False, exists=True),
        help="A folder of the members that COPY names; may be repeated.",
    ),
    click.option("--encoding", default="cp037", show_default=True, help="The code page of text."),
    click.option(
        "--field-encoding",
        multiple=True,
        metavar="FIELD=CODEPAGE",
        help="The code page of one field; 'hex' keeps its bytes.",
    ),
    click.option(
        "--records",
        type=click.Choice(list(KINDS)),
        help="How the file is parted; default: fixed, or measured where records say their length.",
    ),
    click.option(
        "--length",
        type=click.IntRange(1),
        help="Bytes of a fixed record; default: as the copybook says.",
    ),
    click.option(
        "--length-field", metavar="FIELD", help="The field that holds the bytes of its record."
    ),
    click.option(
        "--length-adjust", default=0, help="Added to what --length-field says.", metavar="N"
    ),
    click.option("--rdw-adjust", default=0, metavar="N", help="Added to the length in each RDW."),
    click.option(
        "--rdw-size",
        default=4,
        show_default=True,
        type=click.IntRange(1),
        help="Bytes of an RDW, where it is another word of its kind.",
    ),
    click.option(
        "--rdw-length",
        default=2,
        show_default=True,
        type=click.IntRange(1),
        help="Bytes of an RDW that hold the length: its first, or little-endian its last.",
    ),
    click.option("--rdw-counted", is_flag=True, help="An RDW's length counts its own bytes."),
    click.option("--bdw", type=_BYTE_ORDERS, help="Byte order of BDWs, where not that of RDWs."),
    click.option("--bdw-adjust", default=0, metavar="N", help="Added to the length in each BDW."),
    click.option("--bdw-counted", is_flag=True, help="A BDW's length counts its own bytes."),
    click.option(
        "--block-size",
        default=27_998,
        show_default=True,
        type=click.IntRange(8),
        help="The most bytes of a block that is written anew.",
    ),
    click.option(
        "--end",
        metavar="END",
        help=f"What ends a record: {', '.join(ENDS)}, or bytes in hexadecimal.",
    ),
    click.option("--header", default=0, type=click.IntRange(0), help="Bytes before the records."),
    click.option("--footer", default=0, type=click.IntRange(0), help="Bytes behind the records."),
    click.option(
        "--record-start",
        default=0,
        type=click.IntRange(0),
        help="Bytes of each record before what the copybook describes.",
    ),
    click.option(
        "--record-end",
        default=0,
        type=click.IntRange(0),
        help="Bytes of each record behind what the copybook describes.",
    ),
    click.option(
        "--longest",
        default=LONGEST,
        show_default=True,
        type=click.IntRange(1),
        help="The most bytes of a record; a longer one is refused.",
    ),
    click.option("--segment", metavar="FIELD", help="The field that says which segment it is."),
    click.option(
        "--when",
        multiple=True,
        metavar="GROUP=V1,V2",
        help="The group that holds where --segment has one of these values; may be repeated.",
    ),
    click.option(
        "--rule",
        multiple=True,
        metavar="GROUP=RULE",
        help="When a branch of a REDEFINES holds: \"PERSON=TYPE in ('P','E')\".",
    ),
    click.option(
        "--occurs",
        type=click.Choice(["max", "shift", "pad"]),
        default="max",
        show_default=True,
        help="What follows a table with DEPENDING ON stands behind its full room (max), right "
        "behind its last entry (shift), or that with the record filled up (pad).",
    ),
    click.option(
        "--trim",
        type=click.Choice(["both", "right", "left", "none"]),
        default="both",
        show_default=True,
        help="Where spaces of a text are taken off.",
    ),
    click.option(
        "--controls",
        type=click.Choice(["space", "keep"]),
        default="space",
        show_default=True,
        help="Whether control characters of a text count as spaces.",
    ),
    click.option(
        "--floats",
        type=click.Choice(["ibm", "ieee"]),
        default=CodecOptions().floats,
        show_default=True,
        help="How COMP-1 and COMP-2 are held.",
    ),
    click.option(
        "--endian",
        type=_BYTE_ORDERS,
        default="big",
        show_default=True,
        help="Byte order of binary numbers.",
    ),
    click.option(
        "--overpunch",
        type=click.Choice(["letters", "p-y"]),
        default="letters",
        show_default=True,
        help="How ASCII data shows a negative zoned number when it is written.",
    ),
    click.option(
        "--policy",
        multiple=True,
        metavar="[FIELD:]CASE=ACTION",
        help="What becomes of a number that is blank, low, invalid or zero: null, zero or error.",
    ),
    click.option(
        "--root",
        type=click.Choice(["auto", "keep", "drop"]),
        default="auto",
        show_default=True,
        help="Whether the name of the 01 level is a level of the result.",
    ),
)


class Chosen(TypedDict):
    """The options, as a command is given them."""

    copies: tuple[Path, ...]
    encoding: str
    field_encoding: tuple[str, ...]
    records: str | None
    length: int | None
    length_field: str | None
    length_adjust: int
    rdw_adjust: int
    rdw_size: int
    rdw_length: int
    rdw_counted: bool
    bdw: Endian | None
    bdw_adjust: int
    bdw_counted: bool
    block_size: int
    end: str | None
    header: int
    footer: int
    record_start: int
    record_end: int
    longest: int
    segment: str | None
    when: tuple[str, ...]
    rule: tuple[str, ...]
    occurs: Literal["max", "shift", "pad"]
    trim: Literal["both", "right", "left", "none"]
    controls: Literal["space", "keep"]
    floats: Literal["ibm", "ieee"]
    endian: Endian
    overpunch: Literal["letters", "p-y"]
    policy: tuple[str, ...]
    root: Literal["auto", "keep", "drop"]


def record_options(command: _Function) -> _Function:
    """Add the options; the command takes them as keyword arguments of one mapping."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
