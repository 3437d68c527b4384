"""Lists whose entries are chosen by a key: what stands there that no row chooses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from ..formats.shape import Stray, Values
from ..operations.value import to_text
from ..path import Hop, parse_path
from .link import Link

__all__ = ["Chooser"]

_MOST_STRAYS: Final = 1000


class _Keyed(NamedTuple):
    """A list, by the way there, its key, and the values that rows or ``ignore`` name."""

    hops: tuple[Hop, ...]
    name: str
    key: str
    known: frozenset[str]


class Chooser:
    """The lists of a side whose entries are chosen. ``ignored`` are the paths that it ignores."""

    def __init__(self, links: Sequence[Link], ignored: Sequence[str] = ()) -> None:
        found: dict[tuple[tuple[Hop, ...], str, str], set[str]] = {}
        for link in links:
            for place in link.every_place:
                _note(place.path.hops, found)
        for path in ignored:
            try:
                hops = parse_path(f"{path}.x" if path.endswith("]") else path).hops
            except ValueError:
                continue
            _note(hops, found)
        self._lists = tuple(
            _Keyed(hops, name, key, frozenset(known)) for (hops, name, key), known in found.items()
        )
        self.needed = bool(self._lists)

    def strays(self, values: Values) -> list[Stray]:
        """Give the entries whose key nobody names, and those whose key stands twice."""
        found: list[Stray] = []
        for keyed in self._lists:
            for where, holder in _reach(values, keyed.hops, ""):
                entries = holder.get(keyed.name)
                found += _strays(keyed, where, entries or ())
                if len(found) > _MOST_STRAYS:
                    return found[:_MOST_STRAYS]
        return found


def _note(hops: tuple[Hop, ...], found: dict[tuple[tuple[Hop, ...], str, str], set[str]]) -> None:
    for place, hop in enumerate(hops):
        if hop.key:
            found.setdefault((hops[:place], hop.list, hop.key), set()).add(hop.value)


def _strays(keyed: _Keyed, where: str, entries: Sequence[Any]) -> Iterator[Stray]:
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        text = _text(entry.get(keyed.key))
        if text is None:
            path = f"{where}{keyed.name[:-1]}{index}].{keyed.key}"
            yield Stray(path, "has no key", "an entry's key", broken=True)
            continue
        path = f"{where}{Hop(keyed.name, keyed.key, text[:100]).text}"
        if text not in keyed.known:
            expected = "one of " + ", ".join(sorted(keyed.known)[:30])
            yield Stray(path, "is an entry that no row chooses", expected)
        elif text in seen:
            yield Stray(path, "stands twice", "one entry of that key", broken=True)
        seen.add(text)


def _reach(holder: Any, hops: Sequence[Hop], where: str) -> Iterator[tuple[str, Any]]:
    """Give every entry that hops lead to, with its path."""
    if not hops:
        yield where, holder
        return
    hop = hops[0]
    for index, entry in enumerate(holder.get(hop.list) or ()):
        if not hop.key:
            yield from _reach(entry, hops[1:], f"{where}{hop.list[:-1]}{index}].")
        elif _text(entry.get(hop.key)) == hop.value:
            yield from _reach(entry, hops[1:], f"{where}{hop.text}.")


def _text(value: object) -> str | None:
    return None if value is None else to_text(value)
