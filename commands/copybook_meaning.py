"""What the options of a copybook command mean: the record format, and the codec's options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import click
import msgspec

from ..acl.copybook.codec.codepage import code_page
from ..acl.copybook.codec.options import Choice, CodecOptions, Policies
from ..acl.copybook.copybook import Copybook
from ..acl.copybook.error import CopybookError
from ..acl.copybook.item import Item
from ..acl.copybook.lookup import find
from ..acl.records import KINDS, RecordFormat
from ..acl.records.format import Kind
from .copybook_options import ENDS, Chosen

__all__ = ["codec_options", "record_format"]


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
        word=chosen["rdw_size"],
        wide=chosen["rdw_length"],
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
    if end in ENDS:
        return ENDS[end]
    try:
        return bytes.fromhex(end)
    except ValueError:
        names = ", ".join(ENDS)
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
