"""Whether a field takes less than it took, more, or something else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal, NamedTuple

from .field import Field
from .tree import Branch
from .value import to_text

__all__ = ["Difference", "differences"]

Direction = Literal["narrower", "wider", "both", "breaking", "warning", "told"]

_WIDER: Final = {
    ("integer", "decimal"),
    *((kind, "json") for kind in ("text", "integer", "decimal", "boolean")),
}
"""Types whose values, and whose JSON, are all taken by the other."""


class Difference(NamedTuple):
    """One difference of a field or a group. ``why`` is set where the side does not matter."""

    kind: str
    direction: Direction
    old: str
    new: str
    why: str = ""


def differences(old: Field | Branch, new: Field | Branch) -> Iterator[Difference]:
    """Give what differs between two that have one name."""
    # Of a group that nobody declares its fields say it.
    spoken = any(not isinstance(one, Branch) or one.declared for one in (old, new))
    if old.required != new.required and spoken:
        direction: Direction = "narrower" if new.required else "wider"
        yield Difference("required", direction, _needed(old), _needed(new))
    yield from _bound("min_items", old.min_items or None, new.min_items or None, lower=True)
    yield from _bound("max_items", old.max_items, new.max_items, lower=False)
    if isinstance(old, Field) and isinstance(new, Field):
        yield from _field(old, new)
    elif isinstance(old, Field) or isinstance(new, Field):
        kinds = tuple(one.type if isinstance(one, Field) else "group" for one in (old, new))
        yield Difference("type", "both", *kinds)
    if old.description != new.description:
        yield Difference("told", "told", old.description, new.description, "it is for people")


def _field(old: Field, new: Field) -> Iterator[Difference]:
    if (old.type, old.zone) != (new.type, new.zone):
        direction: Direction = "both"
        if (old.type, new.type) in _WIDER:
            direction = "wider"
        elif (new.type, old.type) in _WIDER:
            direction = "narrower"
        kinds = [f"{one.type}, no zone" if one.zone == "none" else one.type for one in (old, new)]
        yield Difference("type", direction, *kinds)
    yield from _enum(old, new)
    # Bounds of two types are compared where one type holds the other's values.
    if old.type == new.type or {old.type, new.type} == {"integer", "decimal"}:
        if old.zone == new.zone:
            yield from _bound("min", old.min, new.min, lower=True)
            yield from _bound("max", old.max, new.max, lower=False)
        yield from _bound("max_length", old.max_length, new.max_length, lower=False)
    if old.tag != new.tag:
        yield _tag(old.tag, new.tag)
    if old.unit != new.unit:
        why = "every number means something else"
        if old.unit:
            yield Difference("unit", "breaking", old.unit, new.unit, why)
        else:
            why = "it is said now: see that everybody meant it"
            yield Difference("unit", "warning", old.unit, new.unit, why)


def _enum(old: Field, new: Field) -> Iterator[Difference]:
    before, after = set(old.enum), set(new.enum)
    if before == after:
        return
    texts = [", ".join(to_text(one) for one in field.enum) for field in (old, new)]
    lost = bool(after) and (not before or bool(before - after))
    more = bool(before) and (not after or bool(after - before))
    yield Difference("enum", "both" if lost and more else "narrower" if lost else "wider", *texts)


def _bound(kind: str, old: Any, new: Any, *, lower: bool) -> Iterator[Difference]:
    if old == new:
        return
    narrower = old is None or (new is not None and (new > old) == lower)
    texts = ["" if one is None else to_text(one) for one in (old, new)]
    yield Difference(kind, "narrower" if narrower else "wider", *texts)


def _tag(old: str, new: str) -> Difference:
    before, after = _strength(old), _strength(new)
    if after < before:
        why = "what was masked is not any more, or less"
        return Difference("tag", "breaking", old, new, why)
    if after == before:
        why = "the policy may mask it in another way"
        return Difference("tag", "warning", old, new, why)
    return Difference("tag", "told", old, new, "it is masked at least as much")


def _strength(tag: str) -> int:
    # Nobody has said: it does not leave for outside, but stands in errors. none: it may do both.
    return {"none": 0, "": 1, "secret": 3}.get(tag, 2)


def _needed(node: Field | Branch) -> str:
    return "needed" if node.required else "may be absent"
