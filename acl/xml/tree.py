"""From a schema to the tree of one message's elements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from ...errors import ConfigError
from .component import XS, Component, Schema
from .element import Attribute, Element
from .places import named
from .simple import attributes, collapses, form, preset, type_collapses

__all__ = ["message"]

_MOST_LEAVES: Final = 10_000
_TYPES: Final = (f"{XS}complexType", f"{XS}simpleType")
_DERIVED: Final = (f"{XS}extension", f"{XS}restriction")
_PARTICLES: Final = tuple(f"{XS}{kind}" for kind in ("sequence", "choice", "all", "group"))


def message(
    schema: Schema, name: str, place: str, types: Mapping[str, str] | None = None
) -> Element:
    """Build the tree of a global element. Called while a mapping is loaded.

    What no mapping could name (wildcards, recursion, mixed content) stays in the tree as an opaque
    element, so that a mapping must ignore it and say why. ``types`` chooses, by the name of a type
    as ``{namespace}local``, the one derived from it that messages really hold (``xsi:type``).
    Raises ``ConfigError``.
    """
    at = schema.find("element", name, place)
    try:
        root = _Builder(schema, types or {}, place).element(at, (), top=True)
    except RecursionError:
        expected = "types that do not stand inside themselves"
        raise ConfigError("a schema without an end", place=at.place, expected=expected) from None
    return named(root, schema.file)


class _Content(NamedTuple):
    """What is inside a complex type."""

    text: bool
    collapse: bool
    attributes: tuple[Attribute, ...]
    children: tuple[Element, ...]


class _Builder:
    def __init__(self, schema: Schema, types: Mapping[str, str], place: str) -> None:
        self._schema = schema
        self._types = types
        self._place = place
        self._count = 0

    def element(
        self, at: Component, above: tuple[str, ...], *, top: bool = False, loose: bool = False
    ) -> Element:
        self._count += 1
        if self._count > _MOST_LEAVES:
            expected = f"at most {_MOST_LEAVES} elements"
            raise ConfigError("a message too large", place=at.place, expected=expected)
        node = at.node
        required = node.get("minOccurs", "1") != "0" and not loose
        repeated = node.get("maxOccurs", "1") not in ("0", "1")
        ref = node.get("ref")
        if ref is not None:
            at = self._schema.find("element", at.resolve(ref), at.place)
            node = at.node
        name = at.name
        qualified = ref is not None or top or form(node.get("form"), at.qualified)
        tag = f"{{{at.namespace}}}{name}" if qualified and at.namespace else name
        default, fixed = preset(at)
        shell = Element(
            tag=tag,
            path="",
            required=required,
            repeated=repeated and not top,
            nillable=node.get("nillable") in ("true", "1"),
            line=at.line,
            default=default,
            fixed=fixed,
        )
        if ref is not None or top:
            if f"element {tag}" in above:
                return _opaque(shell, f"an element inside itself: {tag}")
            above = (*above, f"element {tag}")
        if node.get("abstract") in ("true", "1"):
            return _opaque(shell, "an abstract element")
        return self._typed(shell, at, above)

    def _typed(self, shell: Element, at: Component, above: tuple[str, ...]) -> Element:
        name = at.node.get("type")
        inline = next((c for c in at.node if c.tag in _TYPES), None)
        if inline is not None:
            holder = at.inner(inline)
            if inline.tag == f"{XS}simpleType":
                return _with(shell, text=True, collapse=collapses(self._schema, holder))
            return self._complex(shell, holder, above)
        full = at.resolve(name) if name else f"{XS}anyType"
        if full in self._types:
            full = self._types[full]
            shell = _with(shell, type=full)
            holder = self._schema.find("complexType", full, f"{self._place}: types")
        elif full == f"{XS}anyType":
            return _opaque(shell, "an element of any type")
        elif full.startswith(XS) or self._schema.has("simpleType", full):
            simple = type_collapses(self._schema, at, name or "")
            return _with(shell, text=True, collapse=simple)
        else:
            holder = self._schema.find("complexType", full, at.place)
        if full in above:
            return _opaque(shell, f"a type inside itself: {full}")
        if holder.node.get("abstract") in ("true", "1"):
            return _opaque(shell, f"an abstract type: from.types may choose one for {full}")
        return self._complex(shell, holder, (*above, full))

    def _complex(self, shell: Element, at: Component, above: tuple[str, ...]) -> Element:
        if any(node.get("mixed") in ("true", "1") for node in (at.node, *at.node)):
            return _opaque(shell, "mixed content")
        text, collapse, declared, children = self._content(at, above)
        held = tuple({one.tag: one for one in declared}.values())
        if not (text or held or children) and (shell.repeated or not shell.required):
            # That it stands there is all that it says.
            text = True
        return _with(shell, text=text, collapse=collapse, attributes=held, children=children)

    def _content(self, at: Component, above: tuple[str, ...]) -> _Content:
        text, collapse = False, False
        held: list[Attribute] = []
        children: list[Element] = []
        for node in at.node:
            kind = str(node.tag).removeprefix(XS)
            inner = at.inner(node)
            if kind in ("simpleContent", "complexContent"):
                derived = next((c for c in node if c.tag in _DERIVED), None)
                if derived is not None:
                    found = self._derived(at.inner(derived), kind, above)
                    text, collapse = found.text, found.collapse
                    held.extend(found.attributes)
                    children.extend(found.children)
            elif node.tag in _PARTICLES:
                children.extend(self._particles(inner, above, loose=False))
            else:
                held.extend(attributes(self._schema, inner))
        return _Content(text, collapse, tuple(held), _joined(children))

    def _derived(self, at: Component, kind: str, above: tuple[str, ...]) -> _Content:
        text, collapse, held, children = self._content(at, above)
        base = at.resolve(at.node.get("base", ""))
        if kind == "simpleContent":
            text = True
        if base.startswith(XS):
            return _Content(text, text and _plain_collapses(self._schema, at), held, children)
        if self._schema.has("simpleType", base):
            holder = self._schema.find("simpleType", base, at.place)
            return _Content(text, collapses(self._schema, holder), held, children)
        if base in above and kind == "complexContent":
            raise ConfigError("a type that extends itself", place=at.place, value=base)
        holder = self._schema.find("complexType", base, at.place)
        below = self._content(holder, (*above, base))
        if at.node.tag == f"{XS}restriction":
            # A restriction says its content again; attributes that it does not name stay.
            named_here = {str(c.get("name") or c.get("ref")).rpartition(":")[2] for c in at.node}
            kept = [a for a in below.attributes if a.tag.rpartition("}")[2] not in named_here]
            return _Content(text, collapse or below.collapse, (*kept, *held), children)
        return _Content(
            text or below.text,
            collapse or below.collapse,
            below.attributes + held,
            _joined([*below.children, *children]),
        )

    def _particles(
        self, at: Component, above: tuple[str, ...], *, loose: bool
    ) -> tuple[Element, ...]:
        if at.node.tag == f"{XS}group":
            return self._group(at, above, loose=loose)
        choice = at.node.tag == f"{XS}choice"
        loose = loose or choice or at.node.get("minOccurs") == "0"
        found: list[Element] = []
        for node in at.node:
            inside = at.inner(node)
            if node.tag == f"{XS}element":
                found.extend(self._members(inside, above, loose=loose))
            elif node.tag == f"{XS}any":
                found.append(_wildcard(inside.line))
            elif node.tag in _PARTICLES:
                found.extend(self._particles(inside, above, loose=loose))
        return _many(at, _either(found) if choice else _joined(found))

    def _group(self, at: Component, above: tuple[str, ...], *, loose: bool) -> tuple[Element, ...]:
        loose = loose or at.node.get("minOccurs") == "0"
        name = at.resolve(at.node.get("ref", ""))
        if f"group {name}" in above:
            raise ConfigError("a group inside itself", place=at.place, value=name)
        holder = self._schema.find("group", name, at.place)
        above = (*above, f"group {name}")
        found: list[Element] = []
        for node in holder.node:
            if node.tag in _PARTICLES:
                found.extend(self._particles(holder.inner(node), above, loose=loose))
        return _many(at, found)

    def _members(self, at: Component, above: tuple[str, ...], *, loose: bool) -> Iterator[Element]:
        """Give an element, or whatever may stand in its place (a substitution group)."""
        ref = at.node.get("ref")
        members = self._schema.substitutes(at.resolve(ref)) if ref is not None else []
        if not members:
            yield self.element(at, above, loose=loose)
            return
        head = self.element(at, above, loose=True)
        if head.opaque != "an abstract element":
            yield head
        for member in members:
            found = self.element(member, above, top=True, loose=True)
            if found.opaque != "an abstract element":
                yield _with(found, repeated=head.repeated)


def _plain_collapses(schema: Schema, at: Component) -> bool:
    facet = at.node.find(f"{XS}whiteSpace")
    if facet is not None:
        return facet.get("value") == "collapse"
    return type_collapses(schema, at, at.node.get("base", ""))


def _wildcard(line: int) -> Element:
    return Element(tag="*", path="", required=False, repeated=True, opaque="any element", line=line)


def _with(element: Element, **changes: object) -> Element:
    return msgspec.structs.replace(element, **changes)


def _opaque(element: Element, why: str) -> Element:
    return _with(element, opaque=why)


def _many(at: Component, found: tuple[Element, ...] | list[Element]) -> tuple[Element, ...]:
    if at.node.get("maxOccurs", "1") in ("0", "1"):
        return tuple(found)
    return tuple(_with(one, repeated=True) for one in found)


def _either(children: list[Element]) -> tuple[Element, ...]:
    """Merge the branches of a choice: a mapping knows an element of several once."""
    merged: dict[str, Element] = {}
    for child in children:
        first = merged.setdefault(child.tag, child)
        if child.repeated and not first.repeated:
            merged[child.tag] = _with(first, repeated=True)
    return tuple(merged.values())


def _joined(children: list[Element]) -> tuple[Element, ...]:
    """Merge what stands behind one another: an element that comes again is a list."""
    merged: dict[str, Element] = {}
    for child in children:
        first = merged.get(child.tag)
        if first is None or child.tag == "*":
            merged[child.tag] = first or child
        else:
            required = first.required or child.required
            merged[child.tag] = _with(first, required=required, repeated=True)
    return tuple(merged.values())
