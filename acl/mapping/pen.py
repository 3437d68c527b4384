"""Writing one payload: what it says goes out, what is wrong with it is collected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ..operations.field import shown
from .encoding_links import encode_texts
from .frame import Frame, around
from .link import Link, Place
from .out import Out, texts_of
from .problem import Problem
from .reading import Once, reason
from .sheet import Choice, Ours, Sheet, SheetList, by_target, choose, keys_of

__all__ = ["Pen"]

_ABSENT: Final = object()
_MOST_PAIRED: Final = 200


class Pen:
    """Writes sheets of one payload. ``problems`` is what went wrong; see ``Writer``."""

    def __init__(self, ours: Ours, *, with_else: bool, complain: Callable[..., Problem]) -> None:
        self._ours = ours
        self._with_else = with_else
        self._complain = complain
        self.problems: list[Problem] = []

    def sheet(self, sheet: Sheet, entry: object, base: Frame | None, out: Out) -> None:
        """Write an entry of ours, or the payload itself, over what stood there (``base``)."""
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
        out: Out,
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
        if base is not None and self._meant(link, base, out) == values:
            return
        if all(value is None for value in values):
            for place in link.places:
                self._nothing(link, place, out)
            return
        self._encode(link, values, out)

    def _constant(self, link: Link, values: tuple[object, ...], out: Out) -> None:
        if link.side == "reply":
            out.put(link.places[0], str(link.constant))
        elif values[0] is not None and values[0] != link.constant and not link.conditions:
            value = shown(values[0], link.tag)
            self._of(link, out, "is another constant", value, repr(link.constant))

    def _meant(self, link: Link, base: Frame, out: Out) -> tuple[object, ...]:
        """Give what the record's texts mean beside what was written already of the others."""
        once = Once(not self._with_else, self._complain, {}, frozenset())
        reading, _ = once.held(link, base, {path: out.get(at) for path, at in link.reads})
        if reading.how == "failed":
            return (_ABSENT,)
        return reading.values or (None,) * len(link.targets)

    def _encode(self, link: Link, values: tuple[object, ...], out: Out) -> None:
        reads = {path: out.get(at) for path, at in link.reads}
        try:
            texts = encode_texts(link, with_else=self._with_else)(values, reads)
            for text in texts:
                if text is not None and text in link.row.null:
                    expected = f"a value that is not written {text!r}: that means nothing here"
                    raise ValueError(expected)  # noqa: TRY301
        except Exception as error:  # noqa: BLE001 - a converter of somebody else's
            said = values[0] if len(values) == 1 else values
            expected = reason(link, error, (*values, *reads.values()))
            self._of(link, out, "cannot be written", shown(said, link.tag), expected)
            return
        for place, text in zip(link.places, texts, strict=True):
            if text is None:
                self._nothing(link, place, out)
            else:
                out.put(place, text)

    def _nothing(self, link: Link, place: Place, out: Out) -> None:
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

    def _choose(self, choice: Choice, given: Mapping[int, tuple[object, ...]], out: Out) -> None:
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
        out: Out,
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
            held = "nothing" if text is None else shown(text, link.beside_tag)
            expected = f"no value, as {condition.place.path} is {held}"
            self._of(link, out, "has a value that no row writes", shown(value, link.tag), expected)

    # -- lists ---------------------------------------------------------------------------------

    def _list(self, one: SheetList, entry: object, base: Frame | None, out: Out) -> None:
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
        self, sheet: Sheet, ours: Sequence[object], held: list[Any], base: Frame | None, out: Out
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
            start = texts_of(held[pair]) if pair is not None else (None if sheet.plain else {})
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
        out: Out,
    ) -> int | None:
        """Find the entry that says the same already, among those that are left."""
        if base is None:
            return None
        for at in left[:_MOST_PAIRED]:
            before = texts_of(held[at])
            inner = out.inside(sheet.hops, texts_of(held[at]), at)
            pen = Pen(self._ours, with_else=self._with_else, complain=self._complain)
            pen.sheet(sheet, entry, base.inside(sheet.hops, held[at], at), inner)
            if not pen.problems and inner.entries[sheet.hops] == before:
                return at
        return None

    # -- problems ------------------------------------------------------------------------------

    def _complain_list(self, one: SheetList, out: Out, message: str, value: str) -> None:
        link = next(link for sheet in one.sheet.walk() for link in sheet.links)
        self._of(link, out, message, value, f"the list {one.name}")

    def _of(self, link: Link, out: Out, message: str, value: str, expected: str) -> None:
        self.problems.append(
            self._complain(link, message, indices=out.indices, value=value, expected=expected)
        )


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
