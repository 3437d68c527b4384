"""What a codec must know beside the copybook: code pages, layouts, policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

__all__ = ["Choice", "CodecOptions", "Policies"]

Choice = Literal["null", "zero", "error"]


class Policies(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a number that is none.

    ``blank``: nothing but spaces. ``low``: nothing but X'00'. ``invalid``: all else that cannot be
    read. ``zero``: a number that can be read, and is zero.
    """

    blank: Choice = "null"
    low: Choice = "null"
    invalid: Choice = "null"
    zero: Choice = "zero"


class CodecOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to read and write the records of one copybook.

    Fields are named by path (``METADATA.ACCOUNT``), or by name where only one has it.

    ``encoding`` is the code page, ``encodings`` those of single fields; the name ``hex`` keeps a
    field's bytes as hexadecimal text. ``floats`` is how COMP-1 and COMP-2 are held. ``trim`` is the
    side on which spaces of a text are taken off; ``controls`` says whether control characters count
    as spaces. ``overpunch`` is how a negative zoned number is written in ASCII: ``letters`` as
    ``}J-R`` (what a conversion from EBCDIC leaves), ``p-y`` as compilers of ASCII machines do; both
    are read. ``endian`` is that of COMP, COMP-4, COMP-5 and of floats.

    ``occurs`` is where the bytes behind a table with DEPENDING ON stand: ``max``, behind its full
    room; ``shift``, right behind the last entry; ``pad``, the same, with the record filled up to
    its full length. ``rules`` say which branch of a REDEFINES holds: ``{"PERSON": "TYPE in ('P',
    'E')"}``; see ``ruling``. ``policies`` are for all fields, ``fields`` those of single ones.
    ``root`` says whether the 01 level's name is a level of the result: ``auto`` keeps it where
    there are several.
    """

    encoding: str = "cp037"
    encodings: Mapping[str, str] = {}
    floats: Literal["ibm", "ieee"] = "ieee"
    trim: Literal["both", "right", "left", "none"] = "both"
    controls: Literal["space", "keep"] = "space"
    overpunch: Literal["letters", "p-y"] = "letters"
    endian: Literal["big", "little"] = "big"
    occurs: Literal["max", "shift", "pad"] = "max"
    rules: Mapping[str, str] = {}
    policies: Policies = Policies()
    fields: Mapping[str, Policies] = {}
    root: Literal["auto", "keep", "drop"] = "auto"
