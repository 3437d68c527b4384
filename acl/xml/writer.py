"""Writing an element from values, in the order and the namespaces of its schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NoReturn, cast

from ..formats.shape import Values
from ..generate import Function
from .element import Attribute, Element
from .names import Names, names_of
from .text import attribute, content

__all__ = ["Write", "writer"]

Write = Callable[[Values], str]
"""Gives the element. Raises ``ValueError`` where a text cannot be carried."""

_Part = Callable[[Values, Callable[[str], None]], None]


def writer(root: Element, scope: str = "", names: Names | None = None) -> Write:
    """Make the function that writes a whole element; it declares every namespace that it uses.

    ``scope`` is what the paths of its leaves begin with and the keys of its values leave out: the
    ``scope`` of the list for an entry. With ``names`` nothing is declared: those are in force.
    """
    declared = names_of(root) if names is None else names
    part = _Writer(declared, scope).part(root, declared.declarations)

    def write(values: Values) -> str:
        pieces: list[str] = []
        part(values, pieces.append)
        return "".join(pieces)

    return write


class _Writer:
    """Generates a function for each element that is no plain leaf.

    In the functions ``v`` is the values, ``g`` its get, ``a`` takes what is written. Most texts are
    letters and digits, which need no look: the others are escaped by a function.
    """

    def __init__(self, names: Names, scope: str) -> None:
        self._names = names
        self._scope = scope

    def part(self, node: Element, declarations: str = "") -> _Part:
        function = Function("write", "v", "a")
        function.line("g = v.get")
        if node.text:
            key = node.value if node.repeated else node.path
            self._leaf(function, node, key[len(self._scope) :], declarations)
        else:
            start = f"<{self._names.of(node.tag)}{declarations}{self._type(node)}"
            self._start(function, node, start)
            for child in node.children:
                if not child.opaque:
                    self._child(function, child)
            function.line(f"a({function.constant(f'</{self._names.of(node.tag)}>')})")
        return cast("_Part", function.build())

    def _type(self, node: Element) -> str:
        return f' xsi:type="{self._names.of(node.type)}"' if node.type else ""

    def _start(self, function: Function, node: Element, start: str) -> None:
        if not node.attributes:
            function.line(f"a({function.constant(start + '>')})")
            return
        function.line(f"a({function.constant(start)})")
        for one in node.attributes:
            self._attribute(function, one, "a({})")
        function.line("a('>')")

    def _attribute(self, function: Function, one: Attribute, take: str) -> None:
        name = function.constant(f' {self._names.of(one.tag)}="')
        function.line(f"x = g({one.path[len(self._scope) :]!r})")
        _fixed(function, one)
        escape = function.constant(attribute)
        text = f"f'{{{name}}}{{x if x.isalnum() else {escape}(x)}}\"'"
        function.line(f"if x is not None: {take.format(text)}")

    def _child(self, function: Function, child: Element) -> None:
        key = child.path[len(self._scope) :]
        if child.repeated:
            self._list(function, child, key)
        elif child.text:
            self._leaf(function, child, key, "")
        else:
            self._group(function, child)

    def _group(self, function: Function, child: Element) -> None:
        inner = function.constant(self.part(child))
        held = " or ".join(self._held(child)) or "False"
        if child.required and not child.nillable:
            function.line(f"{inner}(v, a)")
            return
        function.line(f"if {held}: {inner}(v, a)")
        if child.required:
            nil = f'<{self._names.of(child.tag)}{self._type(child)} xsi:nil="true"/>'
            function.line(f"else: a({function.constant(nil)})")

    def _held(self, node: Element) -> Iterator[str]:
        """Give the conditions of which one is true where the values hold something of a group."""
        keys = [one.path for one in node.attributes]
        keys += [node.path] if node.text else []
        yield from (f"g({key[len(self._scope) :]!r}) is not None" for key in keys)
        for child in node.children:
            if child.opaque:
                continue
            if child.repeated:
                yield f"g({child.path[len(self._scope) :]!r})"
            else:
                yield from self._held(child)

    def _list(self, function: Function, child: Element, key: str) -> None:
        if not child.plain:
            inner = function.constant(_Writer(self._names, child.scope).part(child))
            function.line(f"for w in g({key!r}) or (): {inner}(w, a)")
            return
        function.line(f"for x in g({key!r}) or ():")
        tag = self._names.of(child.tag)
        function.line("if x is None:", 2)
        if child.nillable:
            nil = f'<{tag} xsi:nil="true"/>'
            function.line(f"a({function.constant(nil)})", 3)
        else:
            expected = f"a value in each entry of {child.path}"
            function.line(f"raise ValueError({function.constant(expected)})", 3)
        function.line("else:", 2)
        _empty(function, child, 3)
        function.line(f"a({_element(function, f'<{tag}>', f'</{tag}>')})", 3)

    def _leaf(self, function: Function, node: Element, key: str, declarations: str) -> None:
        tag = self._names.of(node.tag)
        start, end = f"<{tag}{declarations}", f"</{tag}>"
        if node.attributes:
            function.line("h = ''")
            for one in node.attributes:
                self._attribute(function, one, "h += {}")
        function.line(f"x = g({key!r})")
        _fixed(function, node)
        _empty(function, node, 1)
        if not node.attributes:
            text = _element(function, f"{start}>", end)
        else:
            text = _element(function, start, end, "{h}>")
        function.line(f"if x is not None: a({text})")
        head = "{h}" if node.attributes else ""
        start_name = function.constant(start)
        if node.nillable:
            function.line(f"elif {key!r} in v: a(f'{{{start_name}}}{head} xsi:nil=\"true\"/>')")
        if node.attributes:
            function.line(f"elif h: a(f'{{{start_name}}}{{h}}>{{{function.constant(end)}}}')")


def _element(function: Function, start: str, end: str, head: str = "") -> str:
    """Give the source of an element whose text is ``x``."""
    first, last = function.constant(start), function.constant(end)
    escape = function.constant(content)
    return f"f'{{{first}}}{head}{{x if x.isalnum() else {escape}(x)}}{{{last}}}'"


def _fixed(function: Function, one: Attribute | Element) -> None:
    """Put a fixed value in where it must stand, and refuse another."""
    if not one.fixed or one.default is None:
        return
    fixed = function.constant(one.default)
    expected = function.constant(f"the fixed value {one.default!r}")
    if one.required:
        function.line(f"if x is None: x = {fixed}")
    function.line(f"if x is not None and x != {fixed}: raise ValueError({expected})")


def _empty(function: Function, node: Element, depth: int) -> None:
    """Refuse a text that would be read as another."""
    if node.default and not node.fixed:
        function.line(f"if x == '': {function.constant(_refuse)}({node.default!r})", depth)


def _refuse(default: str) -> NoReturn:
    raise ValueError(f"a text that is not empty: an empty one means {default!r}")
