"""Whether what one version may leave out can be missing in the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ..operations.contract import Contract
from ..operations.field import Field
from ..operations.tree import Branch, branches, lists_of
from .moves import Move

__all__ = ["presence_problems"]


class _Unit(NamedTuple):
    """A value or a list on its way. Gates are what may be absent around it, itself included."""

    source: str
    target: str
    scope: str
    source_gates: tuple[str, ...]
    target_gates: tuple[str, ...]
    falls_back: bool

    @property
    def needed(self) -> bool:
        return self.target not in self.target_gates

    @property
    def around(self) -> tuple[str, ...]:
        return self.target_gates if self.needed else self.target_gates[:-1]


def presence_problems(
    source: Contract, target: Contract, moves: Sequence[Move], lists: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Give message and expectation for each target that would lack what it needs."""
    units = [*_values(source, target, moves), *_listed(source, target, lists)]
    for unit in units:
        if unit.needed and not unit.around and unit.source_gates and not unit.falls_back:
            yield (
                f"{unit.source} may be absent, and {unit.target} is needed",
                "else, or a target that may be absent",
            )
    for scope, group in dict.fromkeys((one.scope, gate) for one in units for gate in one.around):
        inside = [one for one in units if one.scope == scope and group in one.around]
        yield from _group_problems(group, inside)


def _group_problems(group: str, inside: Sequence[_Unit]) -> Iterator[tuple[str, str]]:
    """See that an optional group has all it needs as soon as anything in it is there."""
    needs = {
        one.source_gates
        for one in inside
        if one.needed and one.around[-1] == group and not one.falls_back
    }
    if not needs:
        return
    gates = min(needs, key=len)
    for one in inside:
        strict = one.needed and one.around[-1] == group and not one.falls_back
        if (one.source_gates != gates) if strict else (one.source_gates[: len(gates)] != gates):
            message = f"{group} may be there without all that it needs, for {one.source} may be"
            yield message, "sources in one optional group, or else"


def _values(source: Contract, target: Contract, moves: Sequence[Move]) -> Iterator[_Unit]:
    for move in moves:
        if move.source is None:
            continue
        yield _Unit(
            move.source.name,
            move.target.name,
            _scope(move.target.name),
            () if move.source.listed else _gates(source, move.source.name),
            () if move.target.listed else _gates(target, move.target.name),
            move.otherwise is not None,
        )


def _listed(source: Contract, target: Contract, lists: Mapping[str, str]) -> Iterator[_Unit]:
    nodes: list[Branch | Field] = [*branches(target.tree), *target.fields]
    least = {one.name: one.min_items for one in nodes}
    for ours, theirs in lists.items():
        scope = _scope(ours.removesuffix("[]"))
        # An absent list becomes an empty one where that is allowed.
        empty = not least.get(ours)
        yield _Unit(theirs, ours, scope, _gates(source, theirs), _gates(target, ours), empty)


def _scope(name: str) -> str:
    return (lists_of(name) or [""])[-1]


def _gates(contract: Contract, name: str) -> tuple[str, ...]:
    scope = _scope(name.removesuffix("[]"))
    nodes: list[Branch | Field] = [*branches(contract.tree), *contract.fields]
    return tuple(
        node.name
        for node in nodes
        if (name == node.name or name.startswith(f"{node.name}."))
        and len(node.name) > len(scope)
        and not node.required
    )
