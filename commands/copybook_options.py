"""The options that say how a file of records is read: the same for decode, encode and replay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, TypedDict, TypeVar, get_args

import click
import msgspec

from ..acl.copybook.codepage import code_page
from ..acl.copybook.copybook import Copybook
from ..acl.copybook.error import CopybookError
from ..acl.copybook.item import Item
from ..acl.copybook.lookup import find
from ..acl.copybook.options import Choice, CodecOptions, Policies
from ..acl.records import KINDS, LONGEST, RecordFormat
from ..acl.records.format import Endian, Kind

__all__ = ["Chosen", "codec_options", "record_format", "record_options"]

_Function = TypeVar("_Function", bound=Callable[..., object])

_ENDS = {"lf": b"\n", "crlf": b"\r\n", "nl": b"\x15", "ebcdic-lf": b"\x25", "nul": b"\0"}
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
    click.option("--rdw-counted", is_flag=True, help="An RDW's length counts its own four bytes."),
    click.option("--bdw", type=_BYTE_ORDERS, help="Byte order of BDWs, where not that of RDWs."),
    click.option("--bdw-adjust", default=0, metavar="N", help="Added to the length in each BDW."),
    click.option("--bdw-counted", is_flag=True, help="A BDW's length counts its own four bytes."),
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
        help=f"What ends a record: {', '.join(_ENDS)}, or bytes in hexadecimal.",
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


def record_format(chosen: Chosen, size: int, *, measured: bool) -> RecordFormat:
    """Make the record format from the options. ``size`` is the copybook's record.

    ``measured``: its records say themselves how long they are. Raises ``ConfigError``.
    """
    name = chosen["records"] or "fixed"
    if name == "fixed" and measured and not chosen["length"]:
        name = "measured"
    kind, endian = KINDS[name]
    return RecordFormat(
        kind=kind,
        endian=endian,
        length=chosen["length"] or size,
        adjust=chosen["rdw_adjust"],
        counted=chosen["rdw_counted"],
        block_endian=chosen["bdw"],
        block_adjust=chosen["bdw_adjust"],
        block_counted=chosen["bdw_counted"],
        block_size=chosen["block_size"],
        end=_end(chosen["end"], kind, chosen["encoding"]),
        header=chosen["header"],
        footer=chosen["footer"],
        start=chosen["record_start"],
        stop=chosen["record_end"],
        longest=chosen["longest"],
    ).check()


def _end(end: str | None, kind: Kind, encoding: str) -> bytes:
    if end is None:
        if kind == "delimited":
            raise click.UsageError("--records delimited needs --end: what stands behind a record")
        return b"\x15" if code_page(encoding).ebcdic else b"\n"
    if end in _ENDS:
        return _ENDS[end]
    try:
        return bytes.fromhex(end)
    except ValueError:
        names = ", ".join(_ENDS)
        raise click.UsageError(f"--end {end}: neither {names} nor hexadecimal") from None


def codec_options(chosen: Chosen, copybook: Copybook) -> CodecOptions:
    """Make the codec's options from those of the command line. Raises ``ConfigError``."""
    policies, fields = _policies(chosen["policy"])
    return CodecOptions(
        encoding=chosen["encoding"],
        encodings=dict(_pairs("--field-encoding", chosen["field_encoding"])),
        floats=chosen["floats"],
        trim=chosen["trim"],
        controls=chosen["controls"],
        overpunch=chosen["overpunch"],
        endian=chosen["endian"],
        occurs=chosen["occurs"],
        rules=_rules(chosen, copybook),
        policies=policies,
        fields=fields,
        root=chosen["root"],
    )


def _pairs(option: str, texts: Sequence[str]) -> list[tuple[str, str]]:
    found = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise click.UsageError(f"{option} takes NAME=VALUE, not {text!r}")
        found.append((name.strip(), value.strip()))
    return found


def _rules(chosen: Chosen, copybook: Copybook) -> dict[str, str]:
    rules = dict(_pairs("--rule", chosen["rule"]))
    whens = _pairs("--when", chosen["when"])
    segment = chosen["segment"]
    if bool(whens) != bool(segment):
        raise click.UsageError("--segment FIELD and --when GROUP=V1,V2 belong together")
    values: dict[str, list[str]] = {}
    for group, listed in whens:
        held = values.setdefault(_named(copybook, group).path, [])
        held.extend(one.strip() for one in listed.split(","))
    for group, ones in values.items():
        rules[group] = _rule(_named(copybook, segment or ""), ones)
    return rules


def _rule(segment: Item, ones: Sequence[str]) -> str:
    if segment.category == "numeric":
        return f"{segment.path} in ({', '.join(ones)})"
    quoted = ", ".join("'" + one.replace("'", "''") + "'" for one in ones)
    return f"{segment.path} in ({quoted})"


def _named(copybook: Copybook, name: str) -> Item:
    """Find an item; programs that cannot write a hyphen in a name write an underscore."""
    try:
        return find(copybook, name)
    except CopybookError:
        if "_" not in name:
            raise
        return find(copybook, name.replace("_", "-"))


def _policies(texts: Sequence[str]) -> tuple[Policies, dict[str, Policies]]:
    everywhere: dict[str, str] = {}
    single: dict[str, dict[str, str]] = {}
    for name, action in _pairs("--policy", texts):
        field, _, case = name.rpartition(":")
        if case not in Policies.__struct_fields__ or action not in get_args(Choice):
            raise click.UsageError(
                f"--policy {name}={action}: takes [FIELD:]CASE=ACTION, with the cases "
                f"{', '.join(Policies.__struct_fields__)} and the actions "
                f"{', '.join(get_args(Choice))}"
            )
        (single.setdefault(field, {}) if field else everywhere)[case] = action
    general = msgspec.convert(everywhere, Policies)
    return general, {
        field: msgspec.structs.replace(general, **cases) for field, cases in single.items()
    }
