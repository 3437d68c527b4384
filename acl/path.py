"""Paths: where a value stands in a record or in a payload."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

__all__ = ["Hop", "Path", "numbered", "parse_path"]

_BRACKET: Final = re.compile(
    r"\[(?:(?P<key>[^\[\]='.]+)=(?:'(?P<quoted>(?:[^']|'')*)'|(?P<value>[^\[\]']*)))?\]"
)


class Hop(NamedTuple):
    """The way into one list. ``list`` is its path inside what stands around it: ``order.line[]``.

    With ``key``, it leads to the one entry whose field ``key`` holds ``value``; without, to every
    entry.
    """

    list: str
    key: str = ""
    value: str = ""

    @property
    def text(self) -> str:
        """Give the hop as it is written: ``entry[key=COLOUR]``."""
        if not self.key:
            return self.list
        value = self.value
        if "'" in value or "]" in value or "[" in value:
            value = "'" + value.replace("'", "''") + "'"
        return f"{self.list[:-1]}{self.key}={value}]"


class Path(NamedTuple):
    """A path, parted: the lists on the way, then ``last`` inside the innermost entry.

    ``last`` is "" where the entries themselves are the values: ``tag[]``. ``str(path)`` gives it as
    it is written.
    """

    hops: tuple[Hop, ...]
    last: str

    def __str__(self) -> str:
        return ".".join(part for part in (*(hop.text for hop in self.hops), self.last) if part)

    @property
    def leaf(self) -> str:
        """Give the leaf that it leads to, whichever entry is chosen: ``entry[].value``."""
        return ".".join(part for part in (*(hop.list for hop in self.hops), self.last) if part)

    @property
    def depth(self) -> int:
        """Count the lists that it goes through entry by entry."""
        return sum(not hop.key for hop in self.hops)

    @property
    def key_leaves(self) -> tuple[str, ...]:
        """Give the leaves that choose an entry: ``entry[].key``."""
        return tuple(
            ".".join([*(one.list for one in self.hops[: place + 1]), hop.key])
            for place, hop in enumerate(self.hops)
            if hop.key
        )


def parse_path(text: str) -> Path:
    """Part a path such as ``order.line[].sku`` or ``entry[key=COLOUR].value``.

    Called while files are loaded. A value with brackets or quotes stands in quotes:
    ``entry[key='A]''B'].value``. Raises ``ValueError`` with what was expected.
    """
    hops: list[Hop] = []
    rest = text
    while (start := rest.find("[")) >= 0:
        found = _BRACKET.match(rest, start)
        if found is None or not _named(rest[:start]):
            raise ValueError("names divided by dots, a list as name[] or name[key=VALUE]")
        quoted = found["quoted"]
        value = quoted.replace("''", "'") if quoted is not None else found["value"] or ""
        hops.append(Hop(f"{rest[:start]}[]", found["key"] or "", value))
        rest = rest[found.end() :]
        if not rest:
            break
        if not rest.startswith("."):
            raise ValueError("a dot or the end behind ]")
        rest = rest[1:]
        if not rest:
            raise ValueError("a name behind the dot")
    if "]" in rest or (rest and not _named(rest)) or not (rest or hops):
        raise ValueError("names divided by dots, a list as name[] or name[key=VALUE]")
    if hops and hops[-1].key and not rest:
        raise ValueError("a field behind [key=VALUE]")
    return Path(tuple(hops), rest)


def _named(text: str) -> bool:
    return bool(text) and all(text.split("."))


def numbered(path: str, places: Sequence[int]) -> str:
    """Put indices into a path's lists, for errors: ``line[].sku`` and 3 give ``line[3].sku``.

    They count from 0, as in JSON and in Python. Lists beyond the places keep their empty brackets.
    """
    parts = path.split("[]")
    text = parts[0]
    for place, part in enumerate(parts[1:]):
        text += f"[{places[place]}]{part}" if place < len(places) else f"[]{part}"
    return text
