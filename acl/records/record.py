"""One record of a file, as bytes, with where it stood and what stood around it."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

__all__ = ["PLAIN", "Bad", "BadKind", "Found", "Frame", "RawRecord"]

BadKind = Literal["record", "border", "stop"]


class Frame(msgspec.Struct, frozen=True, omit_defaults=True):
    """The bytes around a record that its format alone would not give back when it is written.

    ``header`` (first record) and ``footer`` (last record) are the file's; readers give them apart.
    ``rdw`` are the bytes of a record descriptor word that hold no length, where they are not zero.
    ``block`` marks the first record of a block with the same bytes of its block descriptor word.
    ``end`` is the line end, where it is not the format's. ``start`` and ``stop`` stand before and
    behind what the copybook describes.
    """

    header: bytes = b""
    footer: bytes = b""
    rdw: bytes = b""
    block: bytes | None = None
    end: bytes | None = None
    start: bytes = b""
    stop: bytes = b""


PLAIN = Frame()


class RawRecord(msgspec.Struct, frozen=True):
    """One record: ``number`` counts from 1, ``offset`` is its body's in the file."""

    number: int
    offset: int
    body: bytes
    frame: Frame = PLAIN


class Bad(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes that cannot be taken as a record.

    ``kind`` says what they are. ``record``: the body of a record whose fields are wrong.
    ``border``: bytes of the file, descriptor words included, in which no whole record could be
    told. ``stop``: the same where nothing tells where the next record begins, so that all that
    follows is unread. ``length`` is that of all of them, of which ``body`` may be only the first.
    ``path`` is the field.
    """

    kind: BadKind
    number: int
    offset: int
    length: int
    body: bytes
    reason: str
    path: str = ""
    expected: str = ""


Found: TypeAlias = RawRecord | Bad
