"""Whether a row that was tied fits: its converter, its null, its else and its codes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from ..operations.field import as_value
from .link import Link

__all__ = ["Misfit", "misfits"]

_JSON: Final = ("json", "text", "integer", "boolean")


class Misfit(NamedTuple):
    """What does not fit, with the row's key that says it."""

    message: str
    key: str
    expected: str = ""
    hint: str = ""
    value: str = ""


def misfits(link: Link) -> Iterator[Misfit]:
    """Give all that is wrong with one tied row."""
    row = link.row
    for place in link.places:
        if place.leaf.opaque:
            key = "src" if link.side == "fields" else "dst"
            hint = "ignore it with a reason"
            yield Misfit(place.leaf.opaque, key, "one value", hint, place.leaf.path)
    yield from _depths(link)
    if link.targets and link.places:
        yield from _types(link)
    for target in link.targets:
        field = target.field
        if row.unit and field.unit and row.unit != field.unit:
            said, hint = "another unit than the operation's", "convert it, or mend it"
            yield Misfit(said, "unit", field.unit, hint, row.unit)
    if row.else_ is not None:
        yield from _else(link)
    if link.side == "reply" and row.is_constant and not isinstance(row.value, str):
        said, hint = "value is not text", "put it in quotes"
        yield Misfit(said, "value", "the text that legacy gets", hint, repr(row.value))
    yield from _codes(link)


def _depths(link: Link) -> Iterator[Misfit]:
    """Hold the lists of both sides against each other: entry by entry, one goes into one."""
    lists = {place.lists for place in link.places}
    if len(lists) > 1:
        said, hint = "places in several lists at once", "take them from one entry of one list"
        yield Misfit(said, "src", "places of the same list", hint, link.source)
        return
    ours = {target.field.name.rpartition("[]")[0] for target in link.targets}
    if len(ours) > 1:
        said, hint = "fields of several lists at once", "put them into one entry of one list"
        yield Misfit(said, "dst", "fields of the same list", hint, link.destination)
        return
    if link.places and link.targets:
        theirs = link.places[0].path.depth
        own = link.targets[0].field.name.count("[]") - link.targets[0].whole
        if theirs != own:
            said = f"{theirs} lists on legacy's side, {own} on ours"
            hint = "give both the same number of [], list to list"
            yield Misfit(said, "dst", "as many [] in src as in dst", hint)
    if not link.places and link.targets[0].field.name.count("[]"):
        # In which list a constant stands is seen when all rows are there.
        return
    for place in (*(one.place for one in link.conditions), *(at for _, at in link.reads)):
        if place.lists != link.scope[: len(place.lists)]:
            said = f"{place.path} stands in another list than the row"
            yield Misfit(said, "when", "a place of the same entry, or of what stands around it")


def _types(link: Link) -> Iterator[Misfit]:
    row = link.row
    kind = link.chain.traits.type
    for target in link.targets:
        field = target.field
        given = kind.removesuffix("[]")
        fits = given == field.type or (field.type == "json" and kind in _JSON)
        if kind and (not fits or (kind.endswith("[]") and not target.whole)):
            hint = f"use a converter that gives {field.type}"
            yield Misfit(
                f"{row.as_} gives {kind}", "as", f"{field.type} for {field.name}", hint, row.as_
            )
    for value in dict.fromkeys(link.chain.traits.values):
        enum = link.targets[0].field.enum
        if enum and value not in enum:
            table = link.chain.traits.table
            hint = f"mend table {table}, or the enum of {link.targets[0].field.name}"
            said = "a code's value is not in the enum"
            yield Misfit(said, "as", link.targets[0].field.expected, hint, value)


def _else(link: Link) -> Iterator[Misfit]:
    row = link.row
    one = len(link.targets if link.side == "fields" else link.places) == 1
    if not one:
        said = "else goes with one target"
        yield Misfit(said, "else", "one field, or one place of legacy", "take else out")
    elif link.side == "fields" and as_value(link.targets[0].field, row.else_) is None:
        expected = link.targets[0].field.expected
        yield Misfit("else does not fit the field", "else", expected, "mend else", repr(row.else_))
    elif link.side == "reply" and not isinstance(row.else_, str):
        said, hint = "else is not text", "put it in quotes"
        yield Misfit(said, "else", "the text that legacy gets", hint, repr(row.else_))


def _codes(link: Link) -> Iterator[Misfit]:
    table, values = link.chain.traits.table, link.chain.traits.values
    twice = [value for place, value in enumerate(values) if value in values[:place]]
    settled = link.chain.traits.settled or (link.row.one_way and link.side == "fields")
    if twice and not settled:
        said = "several codes for one value: the way back is lost"
        hint = f'say one_way = "reason", or give each code of {table} its own value'
        yield Misfit(said, "as", "one code a value", hint, twice[0])
