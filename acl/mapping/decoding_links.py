"""Writing one row's reading into the function that decodes: from legacy's place to a variable."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from ..generate import Function
from ..operations.value import to_text
from ..path import Hop
from .chain import Chain
from .link import Link, Place
from .plan import Group, links_of

__all__ = ["Frames", "LinkDecoder"]

Frames = dict[tuple[Hop, ...], str]
"""The variables of the entries that are gone through, by the way to them."""

_EMPTY: Final[Mapping[str, object]] = {}


class LinkDecoder:
    """Writes links into ``function``, each once in an entry. ``with_else``: their else counts."""

    def __init__(self, function: Function, plan: Group, *, with_else: bool) -> None:
        self._function = function
        self._with_else = with_else
        self._known = _chosen(plan)
        self._values: dict[int, tuple[str, ...]] = {}

    def conditional(self, link: Link, frames: Frames) -> tuple[str, ...]:
        """Write a link that has conditions, or several targets, once; give its variables."""
        known = self._values.get(link.number)
        if known is not None:
            return known
        function = self._function
        names = tuple(function.fresh() for _ in link.targets)
        function.line(f"{' = '.join(names)} = None")
        for place in (*link.places, *(at for _, at in link.reads)):
            self.container(place.path.hops, frames)
        with function.block(f"if {self._applies(link, frames)}:"):
            if link.row.is_constant:
                function.line(f"{names[0]} = {function.constant(link.constant)}")
            else:
                self.read(link, names, frames, needed=False)
        self._values[link.number] = names
        return names

    def must(self, names: Collection[str]) -> None:
        """Write that variables must hold something."""
        if names:
            test = " or ".join(f"{name} is None" for name in names)
            self._function.line(f"if {test}: {self._function.refuse()}")

    def _applies(self, link: Link, frames: Frames) -> str:
        tests: list[str] = []
        for condition in link.conditions:
            name = self._text(condition.place, frames)
            texts = self._function.constant(frozenset(condition.texts))
            tests.append(f"{name} in {texts}")
        return " and ".join(tests) or "True"

    def check(self, link: Link, frames: Frames) -> None:
        """Write a constant of legacy as a test."""
        name = self._text(link.places[0], frames)
        expected = self._function.constant(link.constant)
        applies = "" if not link.conditions else f"{self._applies(link, frames)} and "
        self._function.line(f"if {applies}{name} != {expected}: {self._function.refuse()}")

    def _text(self, place: Place, frames: Frames) -> str:
        """Write the text of a place into a variable; None where there is none."""
        function = self._function
        name = function.fresh()
        around = self.container(place.path.hops, frames)
        function.line(f"{name} = {self._load(place, around, must=False)}")
        if place.leaf.type != "text":
            convert = function.constant(to_text)
            function.line(f"if {name} is not None: {name} = {convert}({name})")
        return name

    def read(self, link: Link, names: Sequence[str], frames: Frames, *, needed: bool) -> str:
        """Write a link into its variables. Give the first one, or what may stand for it."""
        quick = link.chain.single and not link.reads and len(link.places) == 1
        if not quick:
            self._together(link, names, frames, needed=needed)
            return names[0]
        name, place = names[0], link.places[0]
        function = self._function
        around = self.container(place.path.hops, frames)
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
            self.must([name])
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
            self.must([name])
        if kind != "text" and inline is None:
            convert = function.constant(to_text)
            test = f"if type({name}) is not str: " if kind == "any" else ""
            function.line(f"{test}{name} = {convert}({name})")
            inline = chain.traits.inline
        if careful:
            otherwise = function.constant(_or_else(chain, link.else_))
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
            self.must(names)

    def _nullable(self, link: Link, place: Place, frames: Frames) -> str:
        function = self._function
        name = function.fresh()
        around = self.container(place.path.hops, frames)
        function.line(f"{name} = {self._load(place, around, must=not link.may_miss(place))}")
        if not link.may_hold_nothing(place):
            self.must([name])
        if place.leaf.type != "text":
            convert = function.constant(to_text)
            function.line(f"if {name} is not None: {name} = {convert}({name})")
        if link.row.null:
            nulls = function.constant(frozenset(link.row.null))
            function.line(f"if {name} in {nulls}: {name} = None")
        return name

    def _load(self, place: Place, around: str, *, must: bool) -> str:
        last = place.path.last
        if not last:
            return around
        return f"{around}[{last!r}]" if must else f"{around}.get({last!r})"

    def container(self, hops: tuple[Hop, ...], frames: Frames) -> str:
        """Give the variable of an entry; one that is chosen by its key is looked up once."""
        known = frames.get(hops)
        if known is not None:
            return known
        function = self._function
        around = self.container(hops[:-1], frames)
        hop = hops[-1]
        index = function.constant(_indexed)
        wanted = function.constant(self._known[hops[:-1], hop.list, hop.key])
        empty = function.constant(_EMPTY)
        held = (*hops[:-1], hop._replace(value="\0index"))
        if held not in frames:
            table = function.fresh()
            entries = f"{around}.get({hop.list!r})"
            function.line(f"{table} = {index}({entries}, {hop.key!r}, {wanted})")
            frames[held] = table
        name = function.fresh()
        function.line(f"{name} = {frames[held]}.get({hop.value!r}, {empty})")
        frames[hops] = name
        return name


def _indexed(
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


def _or_else(chain: Chain, otherwise: object) -> Callable[[str], object]:
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
        for place in link.every_place:
            for at, hop in enumerate(place.path.hops):
                if hop.key:
                    where = (place.path.hops[:at], hop.list, hop.key)
                    found.setdefault(where, set()).add(hop.value)
    return {where: frozenset(values) for where, values in found.items()}
