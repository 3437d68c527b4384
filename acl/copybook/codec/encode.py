"""The writer of records whose every field has a value that fits: generated, as the reader is.

What is text or zoned is joined and put into the code page once, what is packed is joined and made
bytes once. It refuses, by any exception, whatever needs a second look (a None, a field too few, a
text too long, branches of a REDEFINES that disagree): ``Assembly`` then does all of it again, and
says what is wrong.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import cast

from ...generate import Function
from .alike import alike
from .binary import Binary
from .decode import reader
from .leaf import Leaf
from .node import Node, Slot, Tree
from .packed import Packed
from .repair import Repair
from .textual import Text
from .zoned import Zoned

__all__ = ["Encoder", "encoder"]

Encoder = Callable[[Mapping[str, object]], bytes]


class _Beyond(Exception):
    """The copybook has something that only ``Assembly`` writes."""


class _Piece:
    """A stretch of the record: ``length`` bytes of a lane, or an expression for bytes."""

    def __init__(self, lane: str, source: str, length: int) -> None:
        self.lane = lane
        self.source = source
        self.length = length


class _Writer:
    """One function in the making: of a record, of a table's entry, of a redefined item."""

    def __init__(self, tree: Tree, repair: Repair) -> None:
        self._tree = tree
        self._repair = repair
        self.function = Function("write", "d0")
        self._pieces: list[_Piece] = []
        self._groups = 0
        self._endian = "big"
        self._packed: list[Binary] = []
        self._values: dict[str, str] = {}
        self._given: set[str] = set()
        self._asked: set[str] = set()

    def node(self, node: Node) -> Encoder:
        """Write the function for one occurrence of an item: ``d0`` is its value."""
        if node.leaf is not None:
            return node.leaf.write
        self._group(node.slots, "d0")
        return self._compile()

    def record(self) -> Encoder:
        """Write the function for a whole record."""
        self._group(self._tree.slots, "d0")
        return self._compile()

    def _group(self, slots: Sequence[Slot], name: str) -> None:
        keys = sum(node.shown for slot in slots for node in slot.nodes)
        self.function.line(f"if len({name}) != {keys}: raise ValueError")
        for slot in slots:
            if slot.gap:
                self._constant(bytes(slot.gap))
            if any(node.rule is not None for node in slot.nodes):
                self._chosen(slot, name)
            elif len(slot.nodes) > 1:
                self._shared(slot, name)
            else:
                self._item(slot.nodes[0], name)

    def _item(self, node: Node, name: str) -> None:
        if not node.shown:
            self._filler(node)
            return
        value = f"{name}[{node.key!r}]"
        if node.item.occurs:
            self._table(node, value)
        elif node.leaf is not None:
            self._leaf(node, node.leaf, value)
        else:
            self._groups += 1
            inner = f"d{self._groups}"
            self.function.line(f"{inner} = {value}")
            self._group(node.slots, inner)

    def _leaf(self, node: Node, leaf: Leaf, value: str) -> None:
        local = self._named(node.path)
        self._given.add(node.path)
        self.function.line(f"{local} = {value}")
        if isinstance(leaf, Binary) and leaf.format and leaf.endian == self._endian:
            self._packed.append(leaf)
            self._pieces.append(_Piece("pack", leaf.inline(self.function, local), leaf.size))
            return
        source = ""
        if leaf.lane != "bytes" and isinstance(leaf, Text | Zoned | Packed):
            source = leaf.inline(self.function, local)
        if not source:
            make = leaf.write if leaf.lane == "bytes" else leaf.put
            source = f"{self.function.constant(make)}({local})"
        self._pieces.append(_Piece(leaf.lane, source, leaf.size))

    def _filler(self, node: Node) -> None:
        if id(node) in self._tree.counted or node.variable:
            raise _Beyond
        self._constant(initial_bytes(node, self._tree.page.blank))

    def _constant(self, raw: bytes) -> None:
        """Add bytes that are the same in every record; spaces go with the text around them."""
        blank = self._tree.page.blank
        if self._tree.page.single and raw == blank * len(raw):
            self._pieces.append(_Piece("text", repr(" " * len(raw)), len(raw)))
        else:
            self._pieces.append(_Piece("bytes", self.function.constant(raw), len(raw)))

    def _table(self, node: Node, value: str) -> None:
        occurs = node.item.occurs
        assert occurs is not None  # noqa: S101 - asked for tables only
        write = self.function.constant(_Writer(self._tree, self._repair).node(node))
        local = f"l{len(self._pieces)}"
        self.function.line(f"{local} = {value}")
        wanted = str(occurs.most)
        if node.counter is not None:
            wanted = self._named(node.counter.path)
            if node.counter.path not in self._given:
                raise _Beyond
            least = f"{occurs.least} <= {wanted} <= {occurs.most}"
            self.function.line(f"if not {least}: raise ValueError")
        self.function.line(
            f"if type({local}) is not list or len({local}) != {wanted}: raise ValueError"
        )
        joined = f"b''.join([{write}(w) for w in {local}])"
        if node.counter is not None:
            joined += f".ljust({node.item.length}, {self._tree.page.blank!r})"
        self._pieces.append(_Piece("bytes", joined, node.item.length))

    def _chosen(self, slot: Slot, name: str) -> None:
        """Write the one branch whose rule holds."""
        branches, arguments = [], []
        for node in slot.nodes:
            if not node.shown or node.variable or node.item.occurs or self._counts(node):
                raise _Beyond
            branches.append((_Writer(self._tree, self._repair).node(node), self._rest(slot, node)))
            holds = "True"
            if node.rule is not None:
                holds = node.rule.source(self.function, self._asking)
            arguments.append(f"{name}[{node.key!r}], {holds}")
        choose = self.function.constant(_choosing(branches))
        self._pieces.append(_Piece("bytes", f"{choose}({', '.join(arguments)})", slot.room))

    def _named(self, path: str) -> str:
        """Give the variable of a field."""
        return self._values.setdefault(path, f"v{len(self._values)}")

    def _asking(self, path: str) -> str:
        """Give the variable of a field that a rule asks: all have their values by then."""
        self._asked.add(path)
        return self._named(path)

    def _counts(self, node: Node) -> bool:
        return any(id(one) in self._tree.counted for one in node.walk())

    def _rest(self, slot: Slot, node: Node) -> bytes:
        """Give what stands behind an item where it takes less than the room."""
        blank = self._tree.page.blank
        return initial_bytes(slot.nodes[0], blank).ljust(slot.room, blank)[node.size :]

    def _shared(self, slot: Slot, name: str) -> None:
        """Write the first item; what redefines it must read as it says."""
        base, others = slot.nodes[0], [node for node in slot.nodes[1:] if node.shown]
        if not base.shown or any(node.variable or node.item.occurs for node in slot.nodes):
            raise _Beyond
        if any(map(self._counts, slot.nodes)):
            raise _Beyond
        write, rest = _Writer(self._tree, self._repair).node(base), self._rest(slot, base)
        checks = [(node.key, reader(self._tree, node)) for node in others]
        agree = self.function.constant(_agreeing(write, rest, checks, self._repair))
        source = f"{agree}({name}[{base.key!r}], {name})"
        self._pieces.append(_Piece("bytes", source, slot.room))

    def _compile(self) -> Encoder:
        """Join the lanes, and cut them again into their places."""
        if self._asked - self._given:
            raise _Beyond
        parts: list[str] = []
        lanes = {"text": ("x", 0), "hex": ("y", 0), "pack": ("z", 0)}
        for lane, bounds in groupby(self._pieces, key=lambda piece: piece.lane):
            run = list(bounds)
            if lane == "bytes":
                parts += [piece.source for piece in run]
                continue
            local, at = lanes[lane]
            length = sum(piece.length for piece in run)
            parts.append(f"{local}[{at}:{at + length}]")
            lanes[lane] = (local, at + length)
        self._lane("text", self._tree.page.bytes, *lanes["text"])
        self._lane("hex", bytes.fromhex, *lanes["hex"])
        if self._packed:
            sources = ", ".join(piece.source for piece in self._pieces if piece.lane == "pack")
            pack = struct.Struct(">" + "".join(leaf.format for leaf in self._packed)).pack
            self.function.line(f"z = {self.function.constant(pack)}({sources})")
        whole = f"b''.join(({', '.join(parts)},))" if len(parts) != 1 else parts[0]
        self.function.line(f"return {whole}" if parts else "return b''")
        return self.function.build()

    def _lane(self, lane: str, make: Callable[[str], bytes], local: str, length: int) -> None:
        if not length:
            return
        sources = ", ".join(piece.source for piece in self._pieces if piece.lane == lane)
        self.function.line(f"{local} = {self.function.constant(make)}(''.join(({sources},)))")
        self.function.line(f"if len({local}) != {length}: raise ValueError")


def _choosing(branches: Sequence[tuple[Encoder, bytes]]) -> Callable[..., bytes]:
    """Give what writes the one branch that holds, from each one's value and whether it does."""

    def choose(*told: object) -> bytes:
        made = None
        for (write, rest), value, holds in zip(branches, told[::2], told[1::2], strict=True):
            if not holds:
                if value is not None:
                    raise ValueError("a branch that does not hold")
                continue
            if made is not None:
                raise ValueError("two branches that hold")
            made = write(cast("Mapping[str, object]", value)) + rest
        if made is None:
            raise ValueError("no branch that holds")
        return made

    return choose


def _agreeing(
    write: Encoder,
    rest: bytes,
    checks: Sequence[tuple[str, Callable[[bytes, Repair], object]]],
    repair: Repair,
) -> Callable[[Mapping[str, object], Mapping[str, object]], bytes]:
    """Give what writes an item and refuses where another, that shares its bytes, says otherwise."""

    def agree(value: Mapping[str, object], values: Mapping[str, object]) -> bytes:
        raw = write(value) + rest
        for key, read in checks:
            found = read(raw, repair)
            if found != values[key] and not alike(values[key], found):
                raise ValueError(key)
        return raw

    return agree


def initial_bytes(node: Node, blank: bytes) -> bytes:
    """Give the bytes of an item, with all its occurrences, that nobody feeds."""
    occurs = node.item.occurs
    times = occurs.most if occurs else 1
    if node.leaf is not None:
        return node.initial * times
    parts = [
        bytes(slot.gap) + initial_bytes(slot.nodes[0], blank).ljust(slot.room, blank)
        for slot in node.slots
    ]
    return b"".join(parts) * times


def encoder(tree: Tree, repair: Repair, *, moving: bool) -> Encoder | None:
    """Write the writer of a copybook's records, None where it has what ``Assembly`` must do."""
    if moving or not tree.page.single:
        return None
    try:
        return _Writer(tree, repair).record()
    except _Beyond:
        return None
