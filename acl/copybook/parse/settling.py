"""What an item takes over from the groups around it: usage, sign and synchronization."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from ..item import Picture, Sign, Usage
from .entry import Entry
from .sizes import BINARY, exact_binary
from .tokens import Token
from .tree import Node

__all__ = ["settle"]

Warn = Callable[[Token, str], None]
_COUNTED = BINARY | {Usage.PACKED, Usage.UNSIGNED_PACKED}
_BARE = {Usage.FLOAT, Usage.DOUBLE, Usage.INDEX, Usage.POINTER}
_WIDE = {"numeric", "numeric-edited", "national"}
_RAW_BYTES = 16
"""Bytes of a binary number whose picture is X(n)."""


def settle(root: Node, warn: Warn) -> None:
    """Settle every item of a record. Raises ``CopybookError`` where clauses contradict."""
    _inherit(root, None, None, warn, synchronized=False)


def _inherit(
    node: Node, using: Entry | None, signing: Sign | None, warn: Warn, *, synchronized: bool
) -> None:
    """Hand down what a group says; ``using`` is the innermost group that names a usage."""
    entry = node.entry
    synchronized = synchronized or entry.synchronized
    if node.children:
        using = entry if entry.usage is not None else using
        for child in node.children:
            _inherit(child, using, entry.sign or signing, warn, synchronized=synchronized)
        return
    _usage(entry, using, warn)
    _sign(entry, signing, warn)
    entry.synchronized = synchronized


def _usage(entry: Entry, using: Entry | None, warn: Warn) -> None:
    """Settle the usage of an elementary item."""
    if using is not None and entry.usage is None:
        if _fits(entry.picture, using.usage):
            entry.usage, entry.used, entry.bytes = using.usage, using.used, using.bytes
        else:
            warn(entry.place, f"{using.usage} of its group is not for this picture")
    elif using is not None and entry.usage is not using.usage:
        warn(entry.place, f"{entry.usage} is not the {using.usage} of its group")
    entry.usage = entry.usage or Usage.DISPLAY
    picture = entry.picture
    if picture is None:
        _check_bare(entry)
        return
    if picture.category == "national":
        double = "G" in picture.symbols or entry.usage is Usage.DBCS
        entry.usage = Usage.DBCS if double else Usage.NATIONAL
    elif entry.usage in _COUNTED:
        _count(entry, picture)
    elif entry.usage in {Usage.NATIONAL, Usage.DBCS} and picture.category not in _WIDE:
        raise _contradiction(entry, picture, "a picture of N or G, or a number")
    elif entry.usage in _BARE:
        warn(entry.place, f"the picture of a {entry.usage} item says nothing")
        entry.picture = None


def _fits(picture: Picture | None, usage: Usage | None) -> bool:
    """Say whether a group's usage can be that of an item."""
    if usage in _BARE or picture is None:
        return usage in _BARE and picture is None
    if usage in _COUNTED:
        return picture.category == "numeric"
    return usage is Usage.DISPLAY or picture.category in _WIDE


def _check_bare(entry: Entry) -> None:
    """Refuse an item without a picture whose usage does not give its size either."""
    if entry.usage not in _BARE:
        raise entry.place.error(
            f"{entry.name or 'the entry'} has neither a picture nor items inside it",
            expected="a PICTURE, or entries of a higher level behind it",
            remedy="is a COPY missing, or a level number wrong?",
        )


def _count(entry: Entry, picture: Picture) -> None:
    """Settle a number that is not held in characters.

    Some compilers take X(n) for n bytes of a binary number, or of digits two to a byte.
    """
    spelling = entry.used.key if entry.used is not None else ""
    if picture.category == "numeric":
        if spelling.endswith("-X"):
            entry.bytes = exact_binary(picture.digits)
        return
    raw = set(picture.symbols) == {"X"} and picture.size <= _RAW_BYTES
    if not raw or entry.usage not in {Usage.NATIVE, Usage.UNSIGNED_PACKED}:
        raise _contradiction(entry, picture, "a picture of 9, S, V and P")
    entry.bytes = picture.size
    packed = entry.usage is Usage.UNSIGNED_PACKED
    digits = picture.size * 2 if packed else len(str(256**picture.size - 1))
    entry.picture = Picture(
        text=picture.text, symbols="9" * digits, category="numeric", size=digits, digits=digits
    )


def _contradiction(entry: Entry, picture: Picture, expected: str) -> Exception:
    return (entry.pictured or entry.place).error(
        f"{entry.usage} does not go with the picture {picture.text[:40]}",
        expected=expected,
        remedy="take the usage away, or correct the picture",
    )


def _sign(entry: Entry, inherited: Sign | None, warn: Warn) -> None:
    """Settle the sign of an elementary item: it matters to numbers in characters only."""
    picture = entry.picture
    characters = entry.usage in {Usage.DISPLAY, Usage.NATIONAL}
    if entry.sign is None:
        signed = picture is not None and picture.signed and "S" in picture.symbols
        entry.sign = inherited if inherited and characters and signed else Sign()
        return
    numeric = picture is not None and picture.category in {"numeric", "numeric-edited"}
    if picture is None or not numeric or not characters:
        raise entry.place.error(
            "SIGN is for a number in characters",
            expected="a picture of 9, S, V and P with USAGE DISPLAY",
            remedy="take the SIGN clause away",
        )
    if "S" in picture.symbols:
        return
    if picture.signed:
        raise entry.place.error(
            f"the picture {picture.text[:40]} has a sign of its own",
            expected="a picture with S, or no SIGN clause",
            remedy="take one of the two away",
        )
    warn(entry.place, "SIGN without S in the picture: read as if it had one")
    entry.picture = msgspec.structs.replace(picture, signed=True)
