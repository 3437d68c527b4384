"""The functions of a copybook's reader, in the making: see ``decode``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from ....errors import ConfigError
from ...generate import Function
from .binary import Binary
from .chunk import Chunk
from .node import Node, Slot, Tree
from .textual import Bytes, Text

__all__ = ["Plan", "Writing"]

_REFUSED: Final = (ValueError, LookupError, ArithmeticError)
_EVERYWHERE: Final = 1 << 62
_VIEWS: Final = ("t", "n", "h")


class Plan:
    """What all functions of one reader share."""

    def __init__(self, tree: Tree, *, careful: bool, moving: bool = False) -> None:
        nodes = list(tree.walk())
        self.page = tree.page
        self.careful = careful
        self.moving = moving
        self.by_path = tree.by_path
        self.numbers = {id(node): number for number, node in enumerate(nodes)}
        self.asked = {id(node.counter) for node in nodes if node.counter is not None}
        for node in nodes:
            if node.rule is not None:
                self.asked |= {id(tree.by_path[path]) for path in node.rule.fields()}

    def asks(self, node: Node) -> bool:
        """Say whether a counter or a field of a rule stands in it."""
        return any(id(one) in self.asked for one in node.walk())


class Writing:
    """One function in the making: a record's, or that of a table's entry.

    ``inside`` are the nodes that it reads; the values of others come as a tuple, ``x0``. Every
    field has a variable ``v`` with its number where anybody asks for it, a table has ``l``, how
    many entries it has ``k``, and a branch that a rule decides about ``b``.
    """

    def __init__(self, plan: Plan, inside: Sequence[Node], base: int, *parameters: str) -> None:
        self._plan = plan
        self._owned = {id(one) for node in inside for one in node.walk()}
        self._given = "o0" in parameters
        # Nobody knows where what follows a table stands before the table was read.
        tables = [one for node in inside for one in node.walk() if one.counter is not None]
        places = [one.item.offset for one in tables if one not in inside]
        self._fixed = min(places) if places and plan.moving else _EVERYWHERE
        self.function = Function("read", *parameters)
        self._refused = self.function.constant(_REFUSED)
        self.chunk = Chunk(0, base, plan.page)
        self.chunks = [self.chunk]
        self._lines: list[str | Chunk] = [self.chunk]
        self._depth = 0
        self._read: set[int] = set()
        self._later: list[tuple[Node, int, str, Chunk]] = []
        self.captured: list[Node] = []

    def _line(self, source: str) -> None:
        self._lines.append("    " * self._depth + source)

    def _number(self, node: Node) -> int:
        return self._plan.numbers[id(node)]

    def name(self, node: Node) -> str:
        """Give the variable that holds a field's value; it is read now where it was not yet."""
        if id(node) not in self._owned:
            if node not in self.captured:
                self.captured.append(node)
        elif id(node) not in self._read:
            if node.item.offset > self._fixed:
                raise ConfigError(
                    "it stands behind the table that asks for it, and moves with it",
                    place=node.path,
                    expected='a field before the table, or occurs = "max"',
                )
            self.leaf(node, self.chunks[0], node.item.offset)
        return f"v{self._number(node)}"

    def leaf(self, node: Node, chunk: Chunk, at: int) -> str:
        """Read a field; give the expression for its value."""
        number, leaf = self._number(node), node.leaf
        assert leaf is not None  # noqa: S101 - asked for elementary items only
        local, kept = f"v{number}", id(node) in self._plan.asked
        if kept and id(node) in self._read:
            return local
        self._read.add(id(node))
        raw = chunk.raw(at, at + leaf.size)
        source, safe = self._source(node, chunk, at)
        repaired = f"e.value({number}, {raw}, {chunk.offset(at)})"
        whole = f"z{chunk.number} >= {at + leaf.size - chunk.base}" if self._plan.careful else ""
        policed = leaf.numeric and node.policies.zero != "zero"
        if safe and not policed:
            expression = f"({source} if {whole} else {repaired})" if whole else source
            if not kept:
                return expression
            self._line(f"{local} = {expression}")
            return local
        if whole:
            self._line(f"if {whole}:")
            self._depth += 1
        if policed:
            source = f"{source} or e.zero({number}, {raw}, {chunk.offset(at)})"
        self._line(f"try: {local} = {source}")
        self._line(f"except {self._refused}: {local} = {repaired}")
        if whole:
            self._depth -= 1
            self._line(f"else: {local} = {repaired}")
        return local

    def _source(self, node: Node, chunk: Chunk, at: int) -> tuple[str, bool]:
        """Give the expression that reads it, and whether it takes all."""
        leaf = node.leaf
        assert leaf is not None  # noqa: S101 - as above
        if isinstance(leaf, Binary):
            batched = f"y{self._number(node)}"
            if not self._plan.careful and not self._depth and chunk.batch(at, leaf, batched):
                return leaf.finish(self.function, batched), not leaf.halved
            return leaf.source(self.function, chunk, at), not leaf.halved
        source = leaf.source(self.function, chunk, at)
        if not source:
            raw = chunk.raw(at, at + leaf.size)
            source = f"{self.function.constant(leaf.read)}({raw})"
        return source, isinstance(leaf, Text | Bytes)

    def group(self, slots: Sequence[Slot], start: int, *, moving: bool) -> str:
        """Read what stands in a group; give the expression for its dict."""
        parts = []
        for slot in slots:
            alone = len(slot.nodes) == 1 and slot.nodes[0].rule is None
            for node in slot.nodes:
                moves = moving and alone and node.variable
                if node.shown or moves or self._plan.asks(node):
                    expression = self._branched(node, start + slot.at, moving=moves)
                    if node.shown:
                        parts.append(f"{node.key!r}: {expression}")
        return "{" + ", ".join(parts) + "}"

    def _branched(self, node: Node, at: int, *, moving: bool) -> str:
        if node.rule is None:
            return self.node(node, at, moving=moving)
        name = f"b{self._number(node)}"
        self._later.append((node, at, name, self.chunk))
        return name

    def node(self, node: Node, at: int, *, moving: bool) -> str:
        """Read an item, with all its occurrences; give the expression for its value."""
        if node.item.occurs:
            return self._table(node, at, moving=moving)
        if node.leaf is not None:
            return self.leaf(node, self.chunk, at)
        return self.group(node.slots, at, moving=moving)

    def finish(self) -> None:
        """Read the branches that a rule decides about, now that all else is known."""
        later, self._later = self._later, []
        for node, at, name, chunk in later:
            current, self.chunk = self.chunk, chunk
            self._branch(node, at, name)
            self.chunk = current

    def _branch(self, node: Node, at: int, name: str) -> None:
        assert node.rule is not None  # noqa: S101 - only those come later
        for one in node.walk():
            if id(one) in self._plan.asked and id(one) not in self._read:
                self._line(f"v{self._number(one)} = None")
        by_path = self._plan.by_path
        condition = node.rule.source(self.function, lambda path: self.name(by_path[path]))
        self._line(f"{name} = None")
        self._line(f"if {condition}:")
        self._depth += 1
        expression = self.node(node, at, moving=False)
        self.finish()
        self._line(f"{name} = {expression}")
        self._depth -= 1

    def _table(self, node: Node, at: int, *, moving: bool) -> str:
        varies = moving and any(child.variable for child in node.children())
        entry = _Entry(self._plan, node, varies=varies)
        name = self.function.constant(entry.build())
        given = "".join(f"{self.name(one)}, " for one in entry.captured)
        most, number, chunk = self._count(node, at), self._number(node), self.chunk
        first, size = at - chunk.base, node.size
        called = f"{name}({entry.arguments(chunk, 'p')}, ({given}))"
        end = f"{first} + {most} * {size}"
        if self._plan.careful:
            short = f"e.short({number}, {chunk.offset(at)})"
            if not varies:
                self._line(f"if {end} > z{chunk.number}: {short}")
            bound = f"min({end}, z{chunk.number})"
        else:
            bound = end
        if varies:
            self._varying(number, called, first, most)
            end = "q"
        else:
            self._line(f"l{number} = [{called} for p in range({first}, {bound}, {size})]")
        if moving:
            self._move(node, at, end)
        return f"l{number}"

    def _varying(self, number: int, called: str, first: int, most: str) -> None:
        """Read entries of which each says how long it is."""
        self._line(f"l{number}, q = [], {first}")
        self._line(f"for _ in range({most}):")
        self._depth += 1
        self._line(f"p = q; w, u = {called}; l{number}.append(w); q += u")
        self._line(f"if q >= z{self.chunk.number}: break")
        self._depth -= 1

    def _move(self, node: Node, at: int, end: str) -> None:
        """Start a new chunk behind a table that was shorter than it could be."""
        old = self.chunk.number
        new = Chunk(len(self.chunks), at + node.item.length, self._plan.page)
        self.chunks.append(new)
        self._line(f"m = {end}")
        self._line(f"r{new.number} = r{old}[m:]; o{new.number} = o{old} + m")
        self._line(f"z{new.number} = len(r{new.number})")
        self._lines.append(new)
        self.chunk = new

    def _count(self, node: Node, at: int) -> str:
        """Give the expression for how many entries there are."""
        occurs, counter, number = node.item.occurs, node.counter, self._number(node)
        assert occurs is not None  # noqa: S101 - asked for tables only
        if counter is None:
            return str(occurs.most)
        value = self.name(counter)
        fits = f"type({value}) is int and {occurs.least} <= {value} <= {occurs.most}"
        repaired = f"e.count({number}, {value}, {self.chunk.offset(at)})"
        self._line(f"k{number} = {value} if {fits} else {repaired}")
        return f"k{number}"

    def compile(self, value: str) -> Callable[..., object]:
        """Build the function; ``value`` is the expression that it returns."""
        function, captured = self.function, ", ".join(f"v{self._number(o)}" for o in self.captured)
        if not self._given:
            function.line("o0 = 0")
        elif captured:
            function.line(f"{captured}, = x0")
        if self._plan.careful:
            function.line("z0 = len(r0)")
        for line in self._lines:
            if isinstance(line, str):
                function.line(line)
                continue
            for one in line.lines(function, given=self._given and line.number == 0):
                function.line(one)
        function.line(f"return {value}")
        return function.build()


class _Entry:
    """The function for one entry of a table. ``varies``: it gives its length beside the value."""

    def __init__(self, plan: Plan, node: Node, *, varies: bool) -> None:
        self._node = node
        self._varies = varies
        base = node.item.offset
        self._writer = Writing(plan, [node], base, "r0", "o0", "e", "t0", "n0", "h0", "x0")
        self.captured = self._writer.captured

    def build(self) -> Callable[..., object]:
        """Write it."""
        node, writer = self._node, self._writer
        at = node.item.offset
        if node.leaf is not None:
            value = writer.leaf(node, writer.chunk, at)
        else:
            value = writer.group(node.slots, at, moving=self._varies)
        writer.finish()
        if self._varies:
            last = writer.chunk
            value = f"({value}, o{last.number} - o0 + {at + node.size - last.base})"
        return writer.compile(value)

    def arguments(self, chunk: Chunk, place: str) -> str:
        """Give the arguments of a call for the entry at ``place`` of a chunk."""
        size, number = self._node.size, chunk.number
        given = [f"r{number}[{place}:{place}+{size}]", f"o{number}+{place}", "e"]
        for view in _VIEWS:
            if view not in self._writer.chunks[0].used:
                given.append("None")
                continue
            chunk.used.add(view)
            start, end = place, f"{place}+{size}"
            if view == "h":
                start, end = f"2*{place}", f"2*{place}+{2 * size}"
            given.append(f"{view}{number}[{start}:{end}]")
        return ", ".join(given)
