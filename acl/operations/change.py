"""What changed between two operations, and whether it breaks anybody.

Who sends an input is broken by what is refused that was taken before; who reads an output by what
comes that did not come before. So the same change of a field breaks on one side and is safe on the
other. Levels are those of oasdiff: breaking, a warning where it depends, safe.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal

import msgspec

from .contract import Contract
from .field import Field
from .narrowing import Difference, differences
from .operation import Effect, Operation
from .tree import Branch, branches

__all__ = ["Change", "Level", "breaks", "changes"]

Level = Literal["breaking", "warning", "safe"]
Side = Literal["input", "output", "operation"]

_DANGER: Final[Mapping[Effect, int]] = {
    "read": 0,
    "idempotent": 1,
    "compensable": 2,
    "irreversible": 3,
}
_ALIKE: Final = 0.6


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One difference. ``path`` is the field's name, or the operation's key.

    ``old`` and ``new`` are texts for people, "" where there is nothing; ``why`` says whom it breaks
    or why it does not; ``hint`` what may be meant, such as another name for the same field.
    """

    level: Level
    kind: str
    side: Side
    path: str
    old: str = ""
    new: str = ""
    why: str = ""
    hint: str = ""


def changes(old: Operation, new: Operation) -> list[Change]:
    """Give all differences, the breaking ones first.

    A version that was not raised although something breaks is one of them; callers of the old
    version need a step, ``operations/NAME@OLD-NEW.toml``.
    """
    found = [
        *_sides(old.input, new.input, "input"),
        *_sides(old.output, new.output, "output"),
        *_head(old, new),
    ]
    found += _version(old, new, found)
    order = ("breaking", "warning", "safe")
    return sorted(found, key=lambda change: order.index(change.level))


def breaks(old: Operation, new: Operation) -> list[Change]:
    """Give the breaking differences only."""
    return [change for change in changes(old, new) if change.level == "breaking"]


def _head(old: Operation, new: Operation) -> Iterator[Change]:
    if old.name != new.name:
        why = "who asks for the old name finds nothing"
        yield _change("breaking", "renamed", "operation", "name", old.name, new.name, why)
    if old.effect != new.effect:
        worse = _DANGER[new.effect] > _DANGER[old.effect]
        why = (
            "who relied on what it does not do is wrong now"
            if worse
            else "it does less than was promised; what was built for the old effect may go"
        )
        level: Level = "breaking" if worse else "warning"
        yield _change(level, "effect", "operation", "effect", old.effect, new.effect, why)
    for key in ("owner", "domain", "description"):
        before, after = getattr(old, key), getattr(new, key)
        if before != after:
            yield _change("safe", "told", "operation", key, before, after, "it is for people")


def _version(old: Operation, new: Operation, found: Iterable[Change]) -> Iterator[Change]:
    broken = any(change.level == "breaking" for change in found)
    before, after = str(old.version), str(new.version)
    if new.version < old.version:
        why = "a later version has a higher number"
        yield _change("breaking", "version-lowered", "operation", "version", before, after, why)
    elif new.version == old.version and broken:
        why = "a breaking change is a new version"
        yield _change("breaking", "version-not-raised", "operation", "version", before, after, why)
    elif new.version == old.version and old.digest != new.digest:
        why = "what was recorded under this version was checked against another file"
        yield _change("warning", "version-not-raised", "operation", "version", before, after, why)


def _sides(old: Contract, new: Contract, side: Side) -> Iterator[Change]:
    before, after = _nodes(old), _nodes(new)
    gone = [name for name in before if name not in after]
    come = [name for name in after if name not in before]
    twins = _renames(gone, come, before, after)
    for name in gone:
        if not _inside(name, gone):
            yield _removed(before[name], side, twins.get(name, ""))
    for name in come:
        if not _inside(name, come):
            twin = next((one for one, other in twins.items() if other == name), "")
            yield _added(after[name], side, twin)
    for name in before:
        if name in after:
            for difference in differences(before[name], after[name]):
                yield _changed(difference, name, side)


def _nodes(contract: Contract) -> dict[str, Field | Branch]:
    nodes: dict[str, Field | Branch] = {one.name: one for one in branches(contract.tree)}
    nodes.update(contract.by_name)
    return nodes


def _inside(name: str, names: Iterable[str]) -> bool:
    """Say whether a group that came or went as a whole holds it."""
    return any(name.startswith(f"{other}.") for other in names)


def _removed(node: Field | Branch, side: Side, twin: str) -> Change:
    if side == "input":
        level: Level = "breaking"
        why = "who still sends it is refused"
    else:
        level = "breaking" if node.required else "warning"
        why = "who reads it finds nothing"
        if not node.required:
            why += ", which was always possible"
    hint = f"renamed to {twin}?" if twin else ""
    return _change(level, "removed", side, node.name, _told(node), "", why, hint)


def _added(node: Field | Branch, side: Side, twin: str) -> Change:
    hint = f"{twin} under another name?" if twin else ""
    level: Level = "safe"
    why = "nobody has to send it" if side == "input" else "nobody reads it yet"
    if side == "input" and node.required:
        level, why = "breaking", "who does not send it is refused"
    return _change(level, "added", side, node.name, "", _told(node), why, hint)


def _changed(difference: Difference, name: str, side: Side) -> Change:
    direction, why = difference.direction, difference.why
    breaking = ("narrower", "both") if side == "input" else ("wider", "both")
    if direction in ("told", "warning"):
        level: Level = "warning" if direction == "warning" else "safe"
    elif direction == "breaking" or direction in breaking:
        level = "breaking"
        sent = "who sends what was taken is refused"
        why = why or (sent if side == "input" else "who reads it gets what never came")
    else:
        level = "safe"
        why = "what was taken is still taken" if side == "input" else "it came before as well"
    return _change(level, difference.kind, side, name, difference.old, difference.new, why)


def _renames(
    gone: Iterable[str],
    come: Iterable[str],
    before: Mapping[str, Field | Branch],
    after: Mapping[str, Field | Branch],
) -> dict[str, str]:
    """Guess which that came is which that went: by likeness of name, of the same type."""
    pairs = [(_likeness(before[one], after[other]), one, other) for one in gone for other in come]
    found: dict[str, str] = {}
    for likeness, one, other in sorted(pairs, reverse=True):
        if likeness >= _ALIKE and one not in found and other not in found.values():
            found[one] = other
    return found


def _likeness(one: Field | Branch, other: Field | Branch) -> float:
    kind = one.type if isinstance(one, Field) else "group"
    if kind != (other.type if isinstance(other, Field) else "group"):
        return 0.0
    plain, named = one.name.replace("[]", ""), other.name.replace("[]", "")
    if plain.rpartition(".")[2] == named.rpartition(".")[2]:
        return 1.0
    return difflib.SequenceMatcher(None, plain, named).ratio()


def _told(node: Field | Branch) -> str:
    if isinstance(node, Field):
        return f"list of {node.expected}" if node.listed else node.expected
    told = "list of groups" if node.listed else "group"
    return told if node.required else f"{told} (may be absent)"


def _change(
    level: Level, kind: str, side: Side, path: str, old: str, new: str, why: str, hint: str = ""
) -> Change:
    return Change(
        level=level, kind=kind, side=side, path=path, old=old, new=new, why=why, hint=hint
    )
