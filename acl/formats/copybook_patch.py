"""Changes put into a record's bytes, so that whatever no row knows survives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from ..copybook.codec.codec import Codec
from ..copybook.codec.encode import initial_bytes
from ..copybook.codec.locate import Spot, locate
from ..copybook.codec.node import Node
from ..copybook.codec.problem import RecordError
from .copybook_names import Names, native
from .shape import Values

__all__ = ["Patch"]


class Patch:
    """One record, and where its fields stand."""

    def __init__(self, codec: Codec, names: Names, body: bytes) -> None:
        self._codec = codec
        self._names = names
        self._body = bytearray(body)
        values = codec.decode(body, [])
        spots = locate(codec.tree, values, moving=codec.moving)
        self._spots = {(id(spot.node), spot.indices): spot for spot in spots}

    def apply(self, changes: Values) -> bytes:
        """Give the record with the changes. Raises ``ValueError`` with what was expected."""
        tables: list[tuple[Spot, Sequence[object]]] = []
        put: list[tuple[str, int, bytes]] = []
        for path, value in changes.items():
            node = self._names.nodes[path]
            spot = self._spots.get((id(node), ()))
            if spot is None:
                raise ValueError("a record in which that branch of the REDEFINES holds")
            if node.item.occurs:
                tables.append((spot, cast("Sequence[object]", value or ())))
            else:
                put.append((path, spot.offset, _written(node, value)))
                self._put(*put[-1][1:])
        for path, offset, raw in put:
            if self._body[offset : offset + len(raw)] != raw:
                raise ValueError(f"{path} and what redefines it as the same bytes")
        # From the last to the first: a table that grows must not move those before it.
        for spot, entries in sorted(tables, key=lambda one: -one[0].offset):
            self._count(spot.node, len(entries), changes)
            self._table(spot, entries)
        return bytes(self._body)

    def _put(self, offset: int, raw: bytes) -> None:
        if offset + len(raw) > len(self._body):
            raise ValueError("a record that does not end before it")
        self._body[offset : offset + len(raw)] = raw

    def _count(self, table: Node, entries: int, changes: Mapping[str, object]) -> None:
        """Write how many entries there are, where no row does."""
        counter = table.counter
        if counter is None or self._names.paths.get(id(counter), "") in changes:
            return
        spot = self._spots.get((id(counter), ()))
        assert counter.leaf is not None  # noqa: S101 - a number counts
        if spot is not None:
            self._put(spot.offset, counter.leaf.write(entries))

    def _table(self, spot: Spot, entries: Sequence[object]) -> None:
        node = spot.node
        occurs = node.item.occurs
        assert occurs is not None  # noqa: S101 - asked for tables only
        if len(entries) > occurs.most or len(entries) < (occurs.least if node.counter else 0):
            raise ValueError(f"{occurs.least} to {occurs.most} entries")
        if self._codec.moving and any(child.variable for child in node.children()):
            raw = self._anew(node, entries)
        else:
            raw = b"".join(self._entry(spot, at, entry) for at, entry in enumerate(entries))
        if self._codec.moving and node.counter is not None:
            self._body[spot.offset : spot.offset + spot.size] = raw
            return
        if node.counter is None:
            blank = self._codec.tree.page.blank
            rest = initial_bytes(node, blank)[len(raw) :]
            raw += rest
        if spot.offset > len(self._body):
            raise ValueError("a record that does not end before it")
        self._body[spot.offset : spot.offset + len(raw)] = raw

    def _entry(self, spot: Spot, at: int, entry: object) -> bytes:
        """Give an entry's bytes: those that stood there, with what changed."""
        node, size = spot.node, spot.node.size
        before = self._spots.get((id(node), (*spot.indices, at)))
        raw = bytearray()
        if before is not None:
            raw += self._body[before.offset : before.offset + size]
        if len(raw) < size:
            raw = bytearray(initial_bytes(node, self._codec.tree.page.blank)[:size])
        self._into(raw, node, entry)
        return bytes(raw)

    def _into(self, raw: bytearray, table: Node, entry: object) -> None:
        """Put an entry's values into its bytes."""
        if table.leaf is not None:
            raw[:] = _written(table, entry)
            return
        values = cast("Mapping[str, object]", entry)
        for name, value in values.items():
            node = self._names.inside(table, name)
            start = node.item.offset - table.item.offset
            if not node.item.occurs:
                raw[start : start + node.size] = _written(node, value)
                continue
            entries = cast("Sequence[object]", value or ())
            if len(entries) > node.item.occurs.most:
                raise ValueError(f"at most {node.item.occurs.most} entries")
            for number, one in enumerate(entries):
                inner = bytearray(raw[start + number * node.size :][: node.size])
                self._into(inner, node, one)
                raw[start + number * node.size : start + (number + 1) * node.size] = inner
            self._counted(raw, table, node, len(entries), values)

    def _counted(
        self, raw: bytearray, table: Node, node: Node, entries: int, values: Mapping[str, object]
    ) -> None:
        counter = node.counter
        if counter is None or counter.item.offset < table.item.offset:
            return
        if self._names.inner(counter) not in values and counter.leaf is not None:
            start = counter.item.offset - table.item.offset
            raw[start : start + counter.size] = counter.leaf.write(entries)

    def _anew(self, node: Node, entries: Sequence[object]) -> bytes:
        nested = [self._names.entry(node, cast("Values", entry)) for entry in entries]
        try:
            return self._codec.item(node, nested)
        except RecordError as error:
            raise ValueError(error.problems[0].reason) from None


def _written(node: Node, value: object) -> bytes:
    leaf = node.leaf
    assert leaf is not None  # noqa: S101 - asked for elementary items only
    return leaf.empty if value is None else leaf.write(native(node, value))
