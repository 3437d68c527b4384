"""Writing a payload with care: into a record that is there, and naming all that is wrong.

The compiled encoder writes the same into nothing, quickly. This one leaves alone what the record
says already, and is asked for the problems where the encoder refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ..model import Payload
from .encoding import by_target, encode_texts
from .field import shown
from .formats.shape import Values
from .link import Link, Place
from .path import Hop
from .problem import Problem
from .reading import Frame, Once, Reading, around, reason
from .sheet import Choice, Ours, Sheet, SheetList, choose, keys_of
from .value import to_text

__all__ = ["Writer"]

_ABSENT: Final = object()
_MOST_PAIRED: Final = 200


class Writer:
    """Writes by a sheet. ``complain`` makes the problems of its side.

    ``with_else``: the rows' ``else`` stands for texts that ours has no value for (``reply``); else
    for values that legacy's texts have none for (``fields``).
    """

    def __init__(
        self, sheet: Sheet, ours: Ours, *, with_else: bool, complain: Callable[..., Problem]
    ) -> None:
        self._sheet = sheet
        self._ours = ours
        self._with_else = with_else
        self._complain = complain

    def write(
        self, payload: Payload, original: Values | None
    ) -> tuple[dict[str, Any], list[Problem]]:
        """Give what changes, by path, and the problems.

        With an original it is what the payload says otherwise than it; None takes a value away.
        """
        pen = _Pen(self._ours, with_else=self._with_else, complain=self._complain)
        before = _texts(original or {})
        after = _texts(original or {})
        base = None if original is None else Frame({(): original})
        pen.sheet(self._sheet, payload, base, _Out({(): after}, ()))
        changed = {
            path: after.get(path)
            for path in (*after, *before)
            if after.get(path, _ABSENT) != before.get(path, _ABSENT)
        }
        return (after if original is None else changed), pen.problems

    def names(self, path: str) -> list[Link]:
        """Give the links that write the value or the list at a path of the record."""
        return [
            link
            for sheet in self._sheet.walk()
            for link in sheet.links
            if any(_in(place.path.leaf, path) for place in link.places)
        ]


class _Out:
    """The entries of legacy that are written, by the way to them."""

    def __init__(self, entries: dict[tuple[Hop, ...], Any], indices: tuple[int, ...]) -> None:
        self.entries = entries
        self.indices = indices

    def inside(self, hops: tuple[Hop, ...], entry: object, index: int) -> _Out:
        return _Out({**self.entries, hops: entry}, (*self.indices, index))

    def get(self, place: Place) -> str | None:
        found = self.around(place.path.hops, make=False)
        text = found.get(place.path.last) if isinstance(found, dict) else found
        return text if isinstance(text, str) else None

    def put(self, place: Place, text: str | None) -> None:
        around = self.around(place.path.hops, make=text is not None)
        if around is not None and place.path.last:
            around[place.path.last] = text
        elif not place.path.last:
            self.entries[place.path.hops] = text

    def drop(self, place: Place) -> None:
        """Take a value away, and the entry that held it alone."""
        hops = place.path.hops
        around = self.around(hops, make=False)
        if not isinstance(around, dict):
            return
        around.pop(place.path.last, None)
        if place.chosen and not around.keys() - {hops[-1].key}:
            holder = self.around(hops[:-1], make=False)
            entries = holder[hops[-1].list]
            holder[hops[-1].list] = [one for one in entries if one is not around]
            if not holder[hops[-1].list]:
                del holder[hops[-1].list]

    def around(self, hops: tuple[Hop, ...], *, make: bool) -> Any:
        if hops in self.entries:
            return self.entries[hops]
        holder = self.around(hops[:-1], make=make)
        if holder is None:
            return None
        hop = hops[-1]
        for entry in holder.get(hop.list) or ():
            if entry.get(hop.key) == hop.value:
                return entry
        if not make:
            return None
        made = {hop.key: hop.value}
        holder[hop.list] = [*(holder.get(hop.list) or ()), made]
        return made


class _Pen:
    def __init__(self, ours: Ours, *, with_else: bool, complain: Callable[..., Problem]) -> None:
        self._ours = ours
        self._with_else = with_else
        self._complain = complain
        self.problems: list[Problem] = []

    def sheet(self, sheet: Sheet, entry: object, base: Frame | None, out: _Out) -> None:
        given = {link.number: self._given(link, entry) for link in sheet.links}
        for link in sheet.links:
            if not link.conditions:
                self._link(link, given[link.number], entry, base, out)
        for choice in sheet.choices:
            self._choose(choice, given, out)
        applied: set[int] = set()
        for link in sheet.links:
            if link.conditions and all(out.get(c.place) in c.texts for c in link.conditions):
                applied.add(link.number)
                self._link(link, given[link.number], entry, base, out)
        self._unclaimed(sheet, given, applied, entry, out)
        for one in sheet.lists:
            self._list(one, entry, base, out)

    def _given(self, link: Link, entry: object) -> tuple[object, ...]:
        return tuple(_dig(entry, keys_of(target)) for target in link.targets)

    def _there(self, group: tuple[str, ...] | None, entry: object) -> bool:
        return group is None or _dig(entry, group) is not None

    # -- links ---------------------------------------------------------------------------------

    def _link(
        self,
        link: Link,
        values: tuple[object, ...],
        entry: object,
        base: Frame | None,
        out: _Out,
    ) -> None:
        if link.row.is_constant:
            self._constant(link, values, out)
            return
        for target, value in zip(link.targets, values, strict=True):
            keys = keys_of(target)
            needed = target.field.required or not keys
            group = self._ours.group(target.field) if keys else None
            if value is None and needed and self._there(group, entry):
                self._of(link, out, "has no value", "", target.field.expected)
                return
        if base is not None and self._meant(link, base) == values:
            return
        if all(value is None for value in values):
            for place in link.places:
                self._nothing(link, place, out)
            return
        self._encode(link, values, out)

    def _constant(self, link: Link, values: tuple[object, ...], out: _Out) -> None:
        if link.side == "reply":
            out.put(link.places[0], str(link.constant))
        elif values[0] is not None and values[0] != link.constant and not link.conditions:
            value = shown(values[0], link.tag)
            self._of(link, out, "is another constant", value, repr(link.constant))

    def _meant(self, link: Link, base: Frame) -> tuple[object, ...]:
        once = Once(not self._with_else, self._complain, {}, frozenset())
        reading: Reading
        reading, _ = once.applied(link, base)
        if reading.how == "failed":
            return (_ABSENT,)
        return reading.values or (None,) * len(link.targets)

    def _encode(self, link: Link, values: tuple[object, ...], out: _Out) -> None:
        reads = {path: out.get(at) for path, at in link.reads}
        try:
            texts = encode_texts(link, with_else=self._with_else)(values, reads)
            for text in texts:
                if text is not None and text in link.row.null:
                    expected = f"a value that is not written {text!r}: that means nothing here"
                    raise ValueError(expected)  # noqa: TRY301
        except Exception as error:  # noqa: BLE001 - a converter of somebody else's
            said = values[0] if len(values) == 1 else values
            expected = reason(link, error, values)
            self._of(link, out, "cannot be written", shown(said, link.tag), expected)
            return
        for place, text in zip(link.places, texts, strict=True):
            if text is None:
                self._nothing(link, place, out)
            else:
                out.put(place, text)

    def _nothing(self, link: Link, place: Place, out: _Out) -> None:
        if place.chosen:
            out.drop(place)
        elif link.row.null:
            out.put(place, link.row.null[0])
        elif place.leaf.nullable:
            out.put(place, None)
        elif place.leaf.required:
            self._of(link, out, "has no value", "", link.targets[0].field.expected)
        else:
            out.drop(place)

    # -- conditions ----------------------------------------------------------------------------

    def _choose(self, choice: Choice, given: Mapping[int, tuple[object, ...]], out: _Out) -> None:
        if not choice.free:
            return
        place = choice.condition.place
        present = [_present(links[0], given[links[0].number]) for links, _ in choice.claims]
        held = out.get(place)
        text = choose(held, present, [texts for _, texts in choice.claims], choice.texts)
        if text is not None and text != held:
            out.put(place, text)

    def _unclaimed(
        self,
        sheet: Sheet,
        given: Mapping[int, tuple[object, ...]],
        applied: set[int],
        entry: object,
        out: _Out,
    ) -> None:
        for links in by_target(sheet):
            link = links[0]
            value = given[link.number][0]
            written = [
                one
                for one in links
                if one.number in applied
                and (not one.row.is_constant or given[one.number][0] == one.constant)
            ]
            if written:
                continue
            condition = link.conditions[0]
            if value is None:
                field = link.targets[0].field
                if field.required and self._there(self._ours.group(field), entry):
                    self._of(link, out, "has no value", "", field.expected)
                continue
            text = out.get(condition.place)
            held = "nothing" if text is None else shown(text, condition.tag)
            expected = f"no value, as {condition.place.path} is {held}"
            self._of(link, out, "has a value that no row writes", shown(value, link.tag), expected)

    # -- lists ---------------------------------------------------------------------------------

    def _list(self, one: SheetList, entry: object, base: Frame | None, out: _Out) -> None:
        ours = _dig(entry, one.keys)
        hops = one.sheet.hops
        holder = out.around(hops[:-1], make=bool(ours))
        name = hops[-1].list
        if ours is None:
            if one.required and self._there(self._ours.group(one.name), entry):
                self._complain_list(one, out, "has no value", "")
            elif holder is not None and holder.get(name):
                del holder[name]
            return
        if not isinstance(ours, list):
            self._complain_list(one, out, "is not a list", type(ours).__name__)
            return
        held = None
        if base is not None and isinstance(before := around(base, hops[:-1]), Mapping):
            held = before.get(name)
        made = self._entries(one.sheet, ours, list(held or ()), base, out)
        if holder is not None and (made or held is not None or base is None):
            holder[name] = made

    def _entries(
        self, sheet: Sheet, ours: Sequence[object], held: list[Any], base: Frame | None, out: _Out
    ) -> list[Any]:
        """Write each entry over the one that it was; one that is new is written anew."""
        together = len(ours) == len(held)
        left = list(range(len(held)))
        made: list[Any] = []
        for index, entry in enumerate(ours):
            pair: int | None = (
                index if together else self._same(sheet, entry, held, left, base, out)
            )
            if pair is not None:
                left = [one for one in left if one > pair]
            before = (
                base.inside(sheet.hops, held[pair], pair) if base and pair is not None else None
            )
            start = _texts(held[pair]) if pair is not None else (None if sheet.plain else {})
            inner = out.inside(sheet.hops, start, index)
            if not sheet.plain and not isinstance(entry, Mapping):
                link = next(link for one in sheet.walk() for link in one.links)
                self._of(link, inner, "is not a group", type(entry).__name__, "a group of fields")
                continue
            self.sheet(sheet, entry, before, inner)
            made.append(inner.entries[sheet.hops])
        return made

    def _same(
        self,
        sheet: Sheet,
        entry: object,
        held: Sequence[Any],
        left: Sequence[int],
        base: Frame | None,
        out: _Out,
    ) -> int | None:
        """Find the entry that says the same already, among those that are left."""
        if base is None:
            return None
        for at in left[:_MOST_PAIRED]:
            before = _texts(held[at])
            inner = out.inside(sheet.hops, _texts(held[at]), at)
            pen = _Pen(self._ours, with_else=self._with_else, complain=self._complain)
            pen.sheet(sheet, entry, base.inside(sheet.hops, held[at], at), inner)
            if not pen.problems and inner.entries[sheet.hops] == before:
                return at
        return None

    # -- problems ------------------------------------------------------------------------------

    def _complain_list(self, one: SheetList, out: _Out, message: str, value: str) -> None:
        link = next(link for sheet in one.sheet.walk() for link in sheet.links)
        self._of(link, out, message, value, f"the list {one.name}")

    def _of(self, link: Link, out: _Out, message: str, value: str, expected: str) -> None:
        self.problems.append(
            self._complain(link, message, indices=out.indices, value=value, expected=expected)
        )


def _in(leaf: str, path: str) -> bool:
    return leaf == path or (path.endswith("[]") and leaf.startswith(path))


def _present(link: Link, values: tuple[object, ...]) -> bool:
    if not values:
        return False
    return values[0] == link.constant if link.row.is_constant else values[0] is not None


def _dig(entry: object, keys: Sequence[str]) -> object:
    for key in keys:
        if not isinstance(entry, Mapping):
            return None
        entry = entry.get(key)
    return entry


def _texts(value: Any) -> Any:
    """Copy values, as the texts that writing takes."""
    if isinstance(value, Mapping):
        return {path: _texts(one) for path, one in value.items()}
    if isinstance(value, list | tuple):
        return [_texts(one) for one in value]
    return None if value is None else to_text(value)
