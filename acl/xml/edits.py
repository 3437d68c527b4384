"""The edits of one document: what is put where, so that all else keeps its bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, cast

from ..formats.shape import Values
from .align import Entry, align
from .element import TEXT, Element
from .insert import indented, names_in, space_before
from .names import Names
from .presence import emptied, holds, precedes
from .scan import Spot
from .start import prefixes_at, restarted
from .text import content
from .writer import Write

__all__ = ["Edits"]


class _Edit(NamedTuple):
    """A span to be replaced. At one offset insertions come first, in the order they were made."""

    start: int
    replaces: bool
    order: int
    end: int
    text: str


class Edits:
    """The edits of one document. Keys of changes and values leave out the ``scope`` of paths."""

    def __init__(self, document: bytes, write: Callable[[Element, str, Names], Write]) -> None:
        self._document = document
        self._write = write
        self._edits: list[_Edit] = []

    def applied(self) -> bytes:
        """Give the document with all edits in it."""
        pieces: list[bytes] = []
        at = 0
        for edit in sorted(self._edits):
            pieces += [self._document[at : edit.start], edit.text.encode("utf-8")]
            at = edit.end
        pieces.append(self._document[at:])
        return b"".join(pieces)

    def _put(self, start: int, end: int, text: str) -> None:
        self._edits.append(_Edit(start, end > start, len(self._edits), end, text))

    def group(self, spot: Spot, changes: Values, held: Values, scope: str) -> None:
        """Change an element and all that is in it."""
        node = spot.node
        attributes = {
            one.tag: cast("str | None", changes[key])
            for one in node.attributes
            if (key := one.path[len(scope) :]) in changes
        }
        if node.text:
            key = (node.value if node.repeated else node.path)[len(scope) :]
            self._leaf(spot, attributes, changes, key)
            return
        fresh = [
            place
            for place, child in enumerate(node.children)
            if not spot.of(child) and holds(child, changes, scope)
        ]
        opens = spot.closed and bool(fresh)
        if attributes or opens:
            self._restart(spot, attributes, None, opens=opens)
        for place, child in enumerate(node.children):
            if place in fresh:
                self._insert(spot, child, changes, scope)
            elif not child.opaque:
                self._child(spot, child, changes, held, scope)
        if opens:
            self._put(spot.end, spot.end, self._end_tag(spot))

    def _child(self, spot: Spot, child: Element, changes: Values, held: Values, scope: str) -> None:
        key = child.path[len(scope) :]
        spots = spot.of(child)
        if child.repeated:
            if key in changes:
                new = cast("Sequence[Entry] | None", changes[key]) or ()
                self._list(spot, child, spots, cast("Sequence[Entry]", held.get(key) or ()), new)
        elif spots and emptied(self._document, spots[0], changes, scope):
            self._put(spots[0].start, spots[0].end, "")
        elif spots:
            self.group(spots[0], changes, held, scope)

    def _leaf(
        self, spot: Spot, attributes: Mapping[str, str | None], changes: Values, key: str
    ) -> None:
        if key not in changes:
            if attributes:
                self._restart(spot, attributes, None, opens=False)
            return
        value = cast("str | None", changes[key])
        if value is None and not spot.node.nillable:
            raise ValueError(f"a value for {spot.node.value}")
        if value == "" and spot.node.default:
            raise ValueError(f"a text that is not empty: an empty one means {spot.node.default!r}")
        start = self._document[spot.start : spot.inner]
        if attributes or value is None or spot.closed or b"nil" in start:
            self._restart(spot, attributes, value is None, opens=spot.closed)
        text = content(value) if value is not None else ""
        if spot.closed:
            self._put(spot.inner, spot.inner, text + self._end_tag(spot))
        else:
            self._put(spot.inner, spot.close, text)

    def _restart(
        self, spot: Spot, attributes: Mapping[str, str | None], nil: bool | None, *, opens: bool
    ) -> None:
        start = restarted(self._document, spot, attributes, nil=nil)
        self._put(spot.start, spot.inner, start + ("/>" if spot.closed and not opens else ">"))

    def _end_tag(self, spot: Spot) -> str:
        name = self._document[spot.start + 1 : spot.inner].split(None, 1)[0]
        return f"</{name.rstrip(b'/>').decode('utf-8')}>"

    def _insert(self, above: Spot, child: Element, changes: Values, scope: str) -> None:
        before = [sibling for sibling in above.inside if precedes(above.node, sibling, child)]
        position = max((sibling.end for sibling in before), default=above.inner)
        like = above.inside[0] if above.inside else None
        entries: Sequence[object] = (changes,)
        if child.repeated:
            entries = cast("Sequence[object]", changes[child.path[len(scope) :]])
        self._entries(
            above, child, entries, position, like, child.scope if child.repeated else scope
        )

    def _entries(
        self,
        above: Spot,
        child: Element,
        entries: Sequence[object],
        position: int,
        like: Spot | None,
        scope: str,
    ) -> None:
        """Write elements there, with the white space that stands in front of another."""
        names = names_in(child, prefixes_at(self._document, above))
        space, outer = b"", b""
        if like is not None:
            space = space_before(self._document, like.start, above.inner)
            outer = space_before(self._document, above.start, 0)
        plain = child.repeated and child.plain
        write = self._write(child, "" if plain else scope, names)
        for entry in entries:
            if plain and entry is None and not child.nillable:
                raise ValueError(f"a value in each entry of {child.path}")
            alone: dict[str, object] = {child.path: entry}
            values = cast("Values", alone if plain else entry)
            written = write(values)
            written = names.without_needless(written)
            self._put(position, position, indented(written, space.decode(), outer.decode()))

    def _list(
        self,
        above: Spot,
        child: Element,
        spots: Sequence[Spot],
        old: Sequence[Entry],
        new: Sequence[Entry],
    ) -> None:
        if len(spots) != len(old):
            raise ValueError(f"as many elements {child.path} as were read")
        for gone, come in align(old, new):
            if len(gone) == len(come):
                for i, j in zip(gone, come, strict=True):
                    self._entry(spots[i], old[i], new[j])
                continue
            first = gone.start
            like = spots[first - 1] if first else spots[0]
            floor = len(space_before(self._document, like.start, above.inner))
            position = like.end if first else like.start - floor
            entries = [new[j] for j in come]
            self._entries(above, child, entries, position, like, child.scope)
            for i in gone:
                space = space_before(self._document, spots[i].start, above.inner)
                self._put(spots[i].start - len(space), spots[i].end, "")

    def _entry(self, spot: Spot, old: Entry, new: Entry) -> None:
        if not isinstance(new, Mapping) or not isinstance(old, Mapping):
            alone: dict[str, object] = {TEXT: new}
            self._leaf(spot, {}, cast("Values", alone), TEXT)
            return
        # The entry is whole: what it lacks is taken away.
        changes = {
            key: new.get(key)
            for key in dict.fromkeys([*old, *new])
            if isinstance(new.get(key), list | tuple) or new.get(key) != old.get(key)
        }
        self.group(spot, changes, old, spot.node.scope)
