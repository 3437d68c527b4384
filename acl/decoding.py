"""From a plan to the function that reads legacy's values into a payload."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from .chain import Chain
from .formats.shape import Values
from .generate import Function
from .link import Link, Place
from .path import Hop
from .plan import Cell, Group, Listing, feeds_of
from .value import to_text

__all__ = ["Decode", "compile_decoder", "every_place", "indexed", "links_of", "or_else"]

Decode = Callable[[Values], dict[str, object]]
Frames = Mapping[tuple[Hop, ...], str]

_EMPTY: Final[Mapping[str, object]] = {}


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
        self._with_else = with_else
        self._function = Function("decode", "v")
        self._known = _chosen(plan)
        self._values: dict[tuple[int, tuple[Hop, ...]], tuple[str, ...]] = {}

    def build(self) -> Decode:
        group = self._group(self._plan, {(): "v"}, lenient=False)
        self._function.line(f"return {group.literal}")
        return self._function.build()

    # -- the tree ------------------------------------------------------------------------------

    def _group(self, plan: Group, frames: Frames, *, lenient: bool) -> _Group:
        frames = dict(frames)
        written = _Group()
        for link in plan.checks:
            self._check(link, frames)
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
            self._must(inner.needed)
            function.line(f"{name} = {inner.literal}")
        written.add(node.key, name)
        written.absent.append(f"{name} is None")

    def _listing(self, node: Listing, frames: Frames) -> str:
        function = self._function
        around = self._container(node.hops[:-1], frames)
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
            self._check(link, frames)
        if isinstance(node.entry, Group):
            literal = self._group(node.entry, frames, lenient=False).literal
        else:
            written = _Group()
            self._cell(node.entry, frames, written, lenient=True)
            literal = written.entries[0].partition(": ")[2]
            function = self._function
            function.line(f"if {literal} is None: {function.refuse()}")
        self._function.line(f"{into}.append({literal})")

    def _must(self, names: Collection[str]) -> None:
        if names:
            test = " or ".join(f"{name} is None" for name in names)
            self._function.line(f"if {test}: {self._function.refuse()}")

    def _cell(self, cell: Cell, frames: Frames, written: _Group, *, lenient: bool) -> None:
        function = self._function
        needed = cell.field.required and not lenient
        feed = cell.feeds[0]
        one = len(cell.feeds) == 1 and not feed.link.conditions
        if one and feed.link.row.is_constant:
            written.add(cell.key, function.constant(feed.link.constant))
            return
        if one and len(feed.link.targets) == 1:
            name = self._read(feed.link, [function.fresh()], frames, needed=needed)
        else:
            names = [self._conditional(each.link, frames)[each.at] for each in cell.feeds]
            name = names[0]
            if len(names) > 1:
                name = function.fresh()
                function.line(f"{name} = {names[0]}")
                for other in names[1:]:
                    function.line(f"if {name} is None: {name} = {other}")
            if needed:
                self._must([name])
        written.add(cell.key, name)
        if not feed.link.row.is_constant:
            written.absent.append(f"{name} is None")
        if cell.field.required and lenient:
            written.needed.append(name)

    # -- links ---------------------------------------------------------------------------------

    def _conditional(self, link: Link, frames: Frames) -> tuple[str, ...]:
        """Write a link that has conditions, or several targets, once; give its variables."""
        scope = max((hops for hops in frames if not hops or not hops[-1].key), key=len)
        known = self._values.get((link.number, scope))
        if known is not None:
            return known
        function = self._function
        names = tuple(function.fresh() for _ in link.targets)
        function.line(f"{' = '.join(names)} = None")
        for place in (*link.places, *(at for _, at in link.reads)):
            self._container(place.path.hops, frames)
        with function.block(f"if {self._applies(link, frames)}:"):
            if link.row.is_constant:
                function.line(f"{names[0]} = {function.constant(link.constant)}")
            else:
                self._read(link, names, frames, needed=False)
        self._values[link.number, scope] = names
        return names

    def _applies(self, link: Link, frames: Frames) -> str:
        tests: list[str] = []
        for condition in link.conditions:
            name = self._text(condition.place, frames)
            texts = self._function.constant(frozenset(condition.texts))
            tests.append(f"{name} in {texts}")
        return " and ".join(tests) or "True"

    def _check(self, link: Link, frames: Frames) -> None:
        name = self._text(link.places[0], frames)
        expected = self._function.constant(link.constant)
        applies = "" if not link.conditions else f"{self._applies(link, frames)} and "
        self._function.line(f"if {applies}{name} != {expected}: {self._function.refuse()}")

    def _text(self, place: Place, frames: Frames) -> str:
        """Write the text of a place into a variable; None where there is none."""
        function = self._function
        name = function.fresh()
        around = self._container(place.path.hops, frames)
        function.line(f"{name} = {self._load(place, around, must=False)}")
        if place.leaf.type != "text":
            convert = function.constant(to_text)
            function.line(f"if {name} is not None: {name} = {convert}({name})")
        return name

    def _read(self, link: Link, names: Sequence[str], frames: Frames, *, needed: bool) -> str:
        """Write a link into its variables. Give the first one, or what may stand for it."""
        quick = link.chain.single and not link.reads and len(link.places) == 1
        if not quick:
            self._together(link, names, frames, needed=needed)
            return names[0]
        name, place = names[0], link.places[0]
        function = self._function
        around = self._container(place.path.hops, frames)
        load = self._load(place, around, must=not link.may_miss(place))
        kind = place.leaf.type
        traits = link.chain.traits
        inline = traits.inline if kind == "text" else traits.native.get(kind)
        if needed and not link.row.null and inline and not self._careful(link):
            return function.inlined(inline, name, load)
        function.line(f"{name} = {load}")
        if needed and not link.row.null:
            self._convert(link, name, held=False)
        elif not link.may_hold_nothing(place):
            self._must([name])
            self._convert(link, name, held=True)
        else:
            self._nullable_one(link, name, needed=needed)
        return name

    def _nullable_one(self, link: Link, name: str, *, needed: bool) -> None:
        function = self._function
        place = link.places[0]
        native = place.leaf.type != "text"
        if native and link.row.null:
            convert = function.constant(to_text)
            function.line(f"if {name} is not None: {name} = {convert}({name})")
        nothing = f"{name} is None"
        if len(link.row.null) == 1:
            nothing = f"{name} == {function.constant(link.row.null[0])} or {nothing}"
        elif link.row.null:
            nothing = f"{name} in {function.constant(frozenset({*link.row.null, None}))}"
        with function.block(f"if {nothing}:"):
            function.line(function.refuse() if needed else f"{name} = None")
        with function.block("else:"):
            self._convert(link, name, held=True, text=native and bool(link.row.null))

    def _convert(self, link: Link, name: str, *, held: bool, text: bool = False) -> None:
        """Write the conversion of ``name`` in place; ``held``: it is known not to be None."""
        function = self._function
        chain, leaf = link.chain, link.places[0].leaf
        kind = "text" if text else leaf.type
        inline = chain.traits.inline if kind == "text" else chain.traits.native.get(kind)
        careful = self._careful(link)
        if not held and (inline is None or careful):
            self._must([name])
        if kind != "text" and inline is None:
            convert = function.constant(to_text)
            test = f"if type({name}) is not str: " if kind == "any" else ""
            function.line(f"{test}{name} = {convert}({name})")
            inline = chain.traits.inline
        if careful:
            otherwise = function.constant(or_else(chain, link.else_))
            with function.block("try:"):
                self._expression(link, name, inline)
            with function.block("except Exception:"):
                source = function.constant(to_text)
                function.line(f"{name} = {otherwise}({source}({name}))")
            return
        self._expression(link, name, inline)

    def _careful(self, link: Link) -> bool:
        return link.else_ is not None and self._with_else

    def _expression(
        self, link: Link, name: str, inline: Callable[[Function, str], str] | None
    ) -> None:
        function = self._function
        traits = link.chain.traits
        if inline is not None:
            expression = inline(function, name)
            function.line(f"{name} = {expression}")
        elif not traits.plain:
            decode = traits.decoding or _single(link.chain)
            function.line(f"{name} = {function.constant(decode)}({name})")
        else:
            function.line("pass")

    def _together(self, link: Link, names: Sequence[str], frames: Frames, *, needed: bool) -> None:
        """Write a link of several places, several fields, or with further places that it reads."""
        function = self._function
        texts = [self._nullable(link, place, frames) for place in link.places]
        reads = ", ".join(f"{path!r}: {self._text(at, frames)}" for path, at in link.reads)
        decode: Callable[..., object] = link.chain.decode
        if self._with_else and link.else_ is not None:
            decode = _all_or_else(link.chain, link.else_)
        call = f"{function.constant(decode)}(({', '.join(texts)},), {{{reads}}})"
        function.line(f"{' = '.join(names)} = None")
        test = " and ".join(f"{text} is None" for text in texts)
        function.line(f"if not ({test}): {', '.join(names)}, = {call}")
        if needed:
            self._must(names)

    def _nullable(self, link: Link, place: Place, frames: Frames) -> str:
        function = self._function
        name = function.fresh()
        around = self._container(place.path.hops, frames)
        function.line(f"{name} = {self._load(place, around, must=not link.may_miss(place))}")
        if not link.may_hold_nothing(place):
            self._must([name])
        if place.leaf.type != "text":
            convert = function.constant(to_text)
            function.line(f"if {name} is not None: {name} = {convert}({name})")
        if link.row.null:
            nulls = function.constant(frozenset(link.row.null))
            function.line(f"if {name} in {nulls}: {name} = None")
        return name

    # -- legacy's side -------------------------------------------------------------------------

    def _load(self, place: Place, around: str, *, must: bool) -> str:
        last = place.path.last
        if not last:
            return around
        return f"{around}[{last!r}]" if must else f"{around}.get({last!r})"

    def _container(self, hops: tuple[Hop, ...], frames: Frames) -> str:
        """Give the variable of an entry; one that is chosen by its key is looked up once."""
        known = frames.get(hops)
        if known is not None:
            return known
        function = self._function
        around = self._container(hops[:-1], frames)
        hop = hops[-1]
        index = function.constant(indexed)
        wanted = function.constant(self._known[hops[:-1], hop.list, hop.key])
        empty = function.constant(_EMPTY)
        held = (*hops[:-1], hop._replace(value="\0index"))
        if held not in frames:
            table = function.fresh()
            entries = f"{around}.get({hop.list!r})"
            function.line(f"{table} = {index}({entries}, {hop.key!r}, {wanted})")
            frames[held] = table  # type: ignore[index]
        name = function.fresh()
        function.line(f"{name} = {frames[held]}.get({hop.value!r}, {empty})")
        frames[hops] = name  # type: ignore[index]
        return name


def indexed(
    entries: Sequence[Mapping[str, Any]] | None, key: str, known: Collection[str]
) -> dict[str, Mapping[str, Any]]:
    """Give the entries of a list by the text of their key, those that are known.

    Raises ``ValueError`` where two have the same.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for entry in entries or ():
        text = entry.get(key)
        if text is not None:
            text = to_text(text)
        if text is not None and text in known:
            if text in found:
                raise ValueError(text)
            found[text] = entry
    return found


def or_else(chain: Chain, otherwise: object) -> Callable[[str], object]:
    """Give the function that decodes a text, or gives ``otherwise`` where it is refused."""

    def decode_or_else(text: str) -> object:
        try:
            return chain.decode((text,), _NO_READS)[0]
        except ValueError:
            return otherwise

    return decode_or_else


_NO_READS: Final[Mapping[str, str | None]] = {}


def _single(chain: Chain) -> Callable[[str], object]:
    if len(chain.stages) == 1:
        return chain.stages[0].converter.decode
    return lambda text: chain.decode((text,), _NO_READS)[0]


def _all_or_else(chain: Chain, otherwise: object) -> Callable[..., object]:
    def decode_or_else(
        texts: Sequence[str | None], reads: Mapping[str, str | None]
    ) -> tuple[object, ...]:
        try:
            return chain.decode(texts, reads)
        except ValueError:
            return (otherwise,)

    return decode_or_else


def _chosen(plan: Group) -> dict[tuple[tuple[Hop, ...], str, str], frozenset[str]]:
    """Give the keys that rows choose entries by, by the list's place and the key's name."""
    found: dict[tuple[tuple[Hop, ...], str, str], set[str]] = {}
    for link in links_of(plan):
        for place in every_place(link):
            for at, hop in enumerate(place.path.hops):
                if hop.key:
                    where = (place.path.hops[:at], hop.list, hop.key)
                    found.setdefault(where, set()).add(hop.value)
    return {where: frozenset(values) for where, values in found.items()}


def links_of(plan: Group) -> list[Link]:
    """Give every link of a plan once."""
    found = {feed.link.number: feed.link for feed in feeds_of(plan)}
    checks: list[Group | Listing] = [plan]
    while checks:
        node = checks.pop()
        found |= {link.number: link for link in node.checks}
        inner = node.nodes if isinstance(node, Group) else (node.entry,)
        checks += [one for one in inner if not isinstance(one, Cell)]
    return list(found.values())


def every_place(link: Link) -> tuple[Place, ...]:
    """Give all places of legacy that a link names: its own, its conditions', those it reads."""
    conditions = (one.place for one in link.conditions)
    return (*link.places, *conditions, *(at for _, at in link.reads))
