"""From sheets to the function that writes a payload as legacy's values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from ...model import Payload
from ..formats.shape import Values
from ..generate import Function
from ..path import Hop
from .encoding_links import Frames, LinkEncoder
from .link import Link
from .sheet import Choice, Ours, Sheet, SheetList, by_target, choose, keys_of

__all__ = ["Encode", "compile_encoder"]

Encode = Callable[[Payload], Values]

_EMPTY: Final[Mapping[str, object]] = {}


def compile_encoder(sheet: Sheet, ours: Ours, *, with_else: bool) -> Encode:
    """Write the function from a payload to legacy's values; it raises as the decoder does."""
    function = Function("encode", "p")
    function.line("o = {}")
    _Encoder(function, ours, with_else=with_else).sheet(sheet, "p", {(): "o"})
    function.line("return o")
    return function.build()


class _Encoder:
    def __init__(self, function: Function, ours: Ours, *, with_else: bool) -> None:
        self._function = function
        self._ours = ours
        self._links = LinkEncoder(function, with_else=with_else)
        self._empty = function.constant(_EMPTY)

    def sheet(self, sheet: Sheet, entry: str, frames: dict[tuple[Hop, ...], str]) -> None:
        """Write a sheet: ``entry`` is the variable of ours, ``frames`` those of legacy's."""
        groups: dict[tuple[str, ...], str] = {(): entry}
        keyed = self._keyed(sheet, frames)
        loaded = {link.number: self._values(link, groups) for link in sheet.links}
        for link in sheet.links:
            if not link.conditions:
                self._links.write(link, loaded[link.number], frames)
        tests = self._choose(sheet.choices, loaded, frames)
        applies = self._applies(sheet, tests)
        for link in sheet.links:
            if link.conditions:
                with self._function.block(f"if {applies[link.number]}:"):
                    self._links.write(link, loaded[link.number], frames)
        self._unclaimed(sheet, loaded, applies)
        for one in sheet.lists:
            self._list(one, groups, frames)
        self._assemble(keyed, frames)

    # -- ours ----------------------------------------------------------------------------------

    def _group(self, keys: tuple[str, ...], groups: dict[tuple[str, ...], str]) -> str:
        """Give the variable of a group of ours; one that is absent is an empty one."""
        known = groups.get(keys)
        if known is not None:
            return known
        around = self._group(keys[:-1], groups)
        name = self._function.fresh()
        self._function.line(f"{name} = {around}.get({keys[-1]!r})")
        self._function.line(f"if {name} is None: {name} = {self._empty}")
        groups[keys] = name
        return name

    def _values(self, link: Link, groups: dict[tuple[str, ...], str]) -> list[str]:
        function = self._function
        names: list[str] = []
        for target in link.targets:
            keys = keys_of(target)
            name = function.fresh()
            if not keys:
                function.line(f"{name} = {groups[()]}")
            else:
                around = self._group(keys[:-1], groups)
                function.line(f"{name} = {around}.get({keys[-1]!r})")
            if not keys:
                self._needed(name, None, groups)
            elif target.field.required:
                self._needed(name, self._ours.group(target.field), groups)
            names.append(name)
        return names

    def _needed(
        self, name: str, group: tuple[str, ...] | None, groups: dict[tuple[str, ...], str]
    ) -> None:
        there = ""
        if group is not None:
            there = f" and {self._group(group, groups)} is not {self._empty}"
        self._function.line(f"if {name} is None{there}: {self._function.refuse()}")

    def _list(
        self,
        one: SheetList,
        groups: dict[tuple[str, ...], str],
        frames: Frames,
    ) -> None:
        function = self._function
        hops = one.sheet.hops
        around = self._group(one.keys[:-1], groups)
        ours, theirs = function.fresh(), function.fresh()
        entry, made = function.fresh(), function.fresh()
        function.line(f"{ours} = {around}.get({one.keys[-1]!r})")
        if one.required:
            self._needed(ours, self._ours.group(one.name), groups)
        with function.block(f"if {ours} is not None:"):
            listed = function.constant(list)
            function.line(f"if type({ours}) is not {listed}: {function.refuse()}")
            function.line(f"{frames[hops[:-1]]}[{hops[-1].list!r}] = {theirs} = []")
            with function.block(f"for {entry} in {ours}:"):
                function.line(f"{made} = {'None' if one.sheet.plain else '{}'}")
                self.sheet(one.sheet, entry, {**frames, hops: made})
                function.line(f"{theirs}.append({made})")

    # -- legacy's ------------------------------------------------------------------------------

    def _keyed(
        self, sheet: Sheet, frames: dict[tuple[Hop, ...], str]
    ) -> dict[tuple[tuple[Hop, ...], str], list[Hop]]:
        """Make an entry for each key that a link of this sheet names."""
        found: dict[tuple[tuple[Hop, ...], str], list[Hop]] = {}
        inner = [one.sheet.hops[:-1] for one in sheet.lists]
        paths = [place.path.hops for link in sheet.links for place in link.every_place]
        for hops in [*paths, *inner]:
            for at, hop in enumerate(hops):
                if hop.key and hops[: at + 1] not in frames:
                    name = self._function.fresh()
                    self._function.line(f"{name} = {{}}")
                    frames[hops[: at + 1]] = name
                    found.setdefault((hops[:at], hop.list), []).append(hop)
        return found

    def _assemble(
        self,
        keyed: Mapping[tuple[tuple[Hop, ...], str], Sequence[Hop]],
        frames: Frames,
    ) -> None:
        function = self._function
        for (hops, name), each in reversed(list(keyed.items())):
            entries = function.fresh()
            function.line(f"{entries} = []")
            for hop in each:
                entry = frames[(*hops, hop)]
                made = f"{{{hop.key!r}: {hop.value!r}, **{entry}}}"
                function.line(f"if {entry}: {entries}.append({made})")
            function.line(f"if {entries}: {frames[hops]}[{name!r}] = {entries}")

    # -- conditions ----------------------------------------------------------------------------

    def _choose(
        self,
        choices: Sequence[Choice],
        loaded: Mapping[int, Sequence[str]],
        frames: Frames,
    ) -> dict[str, str]:
        """Settle what each place that rows depend on holds; give its variable, by path."""
        function = self._function
        found: dict[str, str] = {}
        for choice in choices:
            path = choice.condition.place.path
            name = function.fresh()
            found[str(path)] = name
            around = frames[path.hops]
            function.line(f"{name} = {around}.get({path.last!r})")
            if choice.free:
                present = [_present(function, links[0], loaded) for links, _ in choice.claims]
                claims = function.constant(tuple(texts for _, texts in choice.claims))
                texts = function.constant(choice.texts)
                pick = function.constant(choose)
                function.line(
                    f"{name} = {pick}({name}, ({', '.join(present)},), {claims}, {texts})"
                )
                function.line(f"if {name} is not None: {around}[{path.last!r}] = {name}")
        return found

    def _applies(self, sheet: Sheet, tests: Mapping[str, str]) -> dict[int, str]:
        function = self._function
        found: dict[int, str] = {}
        for link in sheet.links:
            if link.conditions:
                name = function.fresh()
                parts = [
                    f"{tests[str(one.place.path)]} in {function.constant(frozenset(one.texts))}"
                    for one in link.conditions
                ]
                function.line(f"{name} = {' and '.join(parts)}")
                found[link.number] = name
        return found

    def _unclaimed(
        self, sheet: Sheet, loaded: Mapping[int, Sequence[str]], applies: Mapping[int, str]
    ) -> None:
        """Refuse values of ours that no row writes, as the conditions of none hold."""
        function = self._function
        for links in by_target(sheet):
            tests = " or ".join(_written(function, link, loaded, applies) for link in links)
            value = loaded[links[0].number][0]
            function.line(f"if {value} is not None and not ({tests}): {function.refuse()}")


def _present(function: Function, link: Link, loaded: Mapping[int, Sequence[str]]) -> str:
    if not link.targets:
        return "False"
    name = loaded[link.number][0]
    if link.row.is_constant:
        return f"{name} == {function.constant(link.constant)}"
    return f"{name} is not None"


def _written(
    function: Function,
    link: Link,
    loaded: Mapping[int, Sequence[str]],
    applies: Mapping[int, str],
) -> str:
    if not link.row.is_constant:
        return applies[link.number]
    constant = function.constant(link.constant)
    return f"({applies[link.number]} and {loaded[link.number][0]} == {constant})"
