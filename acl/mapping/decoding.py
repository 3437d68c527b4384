"""From a plan to the function that reads legacy's values into a payload."""

from __future__ import annotations

from collections.abc import Callable

from ..formats.shape import Values
from ..generate import Function
from .decoding_links import Frames, LinkDecoder
from .plan import Cell, Group, Listing

__all__ = ["Decode", "compile_decoder"]

Decode = Callable[[Values], dict[str, object]]


def compile_decoder(plan: Group, *, with_else: bool) -> Decode:
    """Write the function from legacy's values to a payload.

    It raises anything on the first trouble: whoever calls it then reads the record with care, to
    name them all.
    """
    return _Decoder(plan, with_else=with_else).build()


class _Group:
    """What was written of a group: the literal that makes it, and how to tell whether it is there.

    ``absent`` are expressions that are true where a part of it is absent; ``needed`` names the
    variables that must hold something where the group is there.
    """

    def __init__(self) -> None:
        self.entries: list[str] = []
        self.absent: list[str] = []
        self.needed: list[str] = []

    def add(self, key: str, expression: str) -> None:
        self.entries.append(f"{key!r}: {expression}")

    @property
    def literal(self) -> str:
        return "{" + ", ".join(self.entries) + "}"


class _Decoder:
    def __init__(self, plan: Group, *, with_else: bool) -> None:
        self._plan = plan
        self._function = Function("decode", "v")
        self._links = LinkDecoder(self._function, plan, with_else=with_else)

    def build(self) -> Decode:
        group = self._group(self._plan, {(): "v"}, lenient=False)
        self._function.line(f"return {group.literal}")
        return self._function.build()

    def _group(self, plan: Group, frames: Frames, *, lenient: bool) -> _Group:
        frames = dict(frames)
        written = _Group()
        for link in plan.checks:
            self._links.check(link, frames)
        for node in plan.nodes:
            if isinstance(node, Cell):
                self._cell(node, frames, written, lenient=lenient)
            elif isinstance(node, Listing):
                name = self._listing(node, frames)
                written.add(node.key, name)
                written.absent.append(f"not {name}")
            elif node.optional:
                self._optional(node, frames, written)
            else:
                inner = self._group(node, frames, lenient=lenient)
                written.add(node.key, inner.literal)
                written.absent += inner.absent
                written.needed += inner.needed
        return written

    def _optional(self, node: Group, frames: Frames, written: _Group) -> None:
        function = self._function
        inner = self._group(node, frames, lenient=True)
        name = function.fresh()
        with function.block(f"if {' and '.join(inner.absent) or 'False'}:"):
            function.line(f"{name} = None")
        with function.block("else:"):
            self._links.must(inner.needed)
            function.line(f"{name} = {inner.literal}")
        written.add(node.key, name)
        written.absent.append(f"{name} is None")

    def _listing(self, node: Listing, frames: Frames) -> str:
        function = self._function
        around = self._links.container(node.hops[:-1], frames)
        entries, name, entry = function.fresh(), function.fresh(), function.fresh()
        function.line(f"{entries} = {around}.get({node.hops[-1].list!r})")
        function.line(f"{name} = {'[]' if node.required else 'None'}")
        with function.block(f"if {entries} is not None:"):
            function.line(f"if type({entries}) is str: {function.refuse()}")
            function.line(f"{name} = []")
            with function.block(f"for {entry} in {entries}:"):
                self._entry(node, {**frames, node.hops: entry}, name)
        return name

    def _entry(self, node: Listing, frames: Frames, into: str) -> None:
        for link in node.checks:
            self._links.check(link, frames)
        if isinstance(node.entry, Group):
            literal = self._group(node.entry, frames, lenient=False).literal
        else:
            written = _Group()
            self._cell(node.entry, frames, written, lenient=True)
            literal = written.entries[0].partition(": ")[2]
            function = self._function
            function.line(f"if {literal} is None: {function.refuse()}")
        self._function.line(f"{into}.append({literal})")

    def _cell(self, cell: Cell, frames: Frames, written: _Group, *, lenient: bool) -> None:
        function = self._function
        needed = cell.field.required and not lenient
        feed = cell.feeds[0]
        one = len(cell.feeds) == 1 and not feed.link.conditions
        if one and feed.link.row.is_constant:
            written.add(cell.key, function.constant(feed.link.constant))
            return
        if one and len(feed.link.targets) == 1:
            name = self._links.read(feed.link, [function.fresh()], frames, needed=needed)
        else:
            names = [self._links.conditional(each.link, frames)[each.at] for each in cell.feeds]
            name = names[0]
            if len(names) > 1:
                name = function.fresh()
                function.line(f"{name} = {names[0]}")
                for other in names[1:]:
                    function.line(f"if {name} is None: {name} = {other}")
            if needed:
                self._links.must([name])
        written.add(cell.key, name)
        if not feed.link.row.is_constant:
            written.absent.append(f"{name} is None")
        if cell.field.required and lenient:
            written.needed.append(name)
