"""Kind ``copybook``: records of a COBOL copybook."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from ...config import options
from ...errors import ConfigError
from ..copybook import find, read_copybook
from ..copybook.codec.codec import Codec
from ..copybook.codec.options import CodecOptions, Policies
from .copybook_shape import CopybookShape
from .shape import Sides

__all__ = ["copybook"]

Choice = Literal["null", "zero", "error"]


class _From(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    schema: str
    answer: str = ""
    copies: tuple[str, ...] = ()
    encoding: str = "cp037"
    encodings: Mapping[str, str] = {}
    floats: Literal["ibm", "ieee"] = "ieee"
    trim: Literal["both", "right", "left", "none"] = "both"
    controls: Literal["space", "keep"] = "space"
    overpunch: Literal["letters", "p-y"] = "letters"
    endian: Literal["big", "little"] = "big"
    occurs: Literal["max", "shift", "pad"] = "max"
    rules: Mapping[str, str] = {}
    answer_rules: Mapping[str, str] = {}
    blank: Choice = "null"
    low: Choice = "null"
    invalid: Choice = "null"
    zero: Choice = "zero"
    digits: tuple[str, ...] = ()
    answer_digits: tuple[str, ...] = ()
    decimal_comma: bool = False
    currency: str = ""


def copybook(table: Mapping[str, object], root: Path, place: str) -> Sides:
    """Build the shapes from ``schema`` and ``answer``, copybooks of the workspace.

    ``rules`` say which branch of a REDEFINES holds. ``digits`` are whole numbers that are given as
    text, leading zeros and all: identifiers, codes, dates. The other keys are those of
    ``CodecOptions``, with ``blank``, ``low``, ``invalid`` and ``zero`` for its policies. Without an
    answer of its own the record itself is answered: what legacy decided stands in it.
    """
    wanted = options(_From, table, place)
    request = _codec(wanted, wanted.schema, wanted.rules, root)
    name = request.copybook.records[0].name or "copybook"
    if not wanted.answer:
        shape = CopybookShape(request, name, digits=_digits(request, wanted.digits, place))
        return Sides(root=name, request=shape, reply=shape, shared=True)
    reply = _codec(wanted, wanted.answer, wanted.answer_rules, root)
    return Sides(
        root=name,
        request=CopybookShape(request, name, digits=_digits(request, wanted.digits, place)),
        reply=CopybookShape(
            reply,
            reply.copybook.records[0].name or "copybook",
            digits=_digits(reply, wanted.answer_digits, place),
            answers=True,
        ),
    )


def _codec(wanted: _From, file: str, rules: Mapping[str, str], root: Path) -> Codec:
    book = read_copybook(
        root / file,
        copies=[root / one for one in wanted.copies],
        decimal_comma=wanted.decimal_comma,
        currency=wanted.currency,
    )
    policies = Policies(
        blank=wanted.blank, low=wanted.low, invalid=wanted.invalid, zero=wanted.zero
    )
    return Codec(
        book,
        CodecOptions(
            encoding=wanted.encoding,
            encodings=wanted.encodings,
            floats=wanted.floats,
            trim=wanted.trim,
            controls=wanted.controls,
            overpunch=wanted.overpunch,
            endian=wanted.endian,
            occurs=wanted.occurs,
            rules=rules,
            policies=policies,
        ),
    )


def _digits(codec: Codec, names: tuple[str, ...], place: str) -> list[str]:
    paths = [find(codec.copybook, name).path for name in names]
    for path in paths:
        leaf = codec.tree.by_path[path].leaf
        if leaf is None or not leaf.numeric or type(leaf.zero) is not int:
            raise ConfigError(
                "not a whole number: it has no digits to keep",
                place=f"{place}.digits",
                value=path,
                expected="fields such as PIC 9(8)",
            )
    return paths
