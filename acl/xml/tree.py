"""From a schema to the tree of one message's elements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from ...errors import ConfigError
from .element import Attribute, Element
from .schema import XS, Component, Schema

__all__ = ["message"]

_PRESERVING: Final = (f"{XS}string", f"{XS}normalizedString", f"{XS}anySimpleType")
_MOST_LEAVES: Final = 10_000


def message(schema: Schema, name: str, place: str) -> Element:
    """Build the tree of a global element. Called while a mapping is loaded.

    What no mapping could name (wildcards, recursion, mixed content) stays in the tree as an opaque
    element, so that a mapping must ignore it and say why. Raises ``ConfigError``.
    """
    at = schema.find("element", name, place)
    try:
        root = _Builder(schema).element(at, "", (), top=True)
    except RecursionError:
        expected = "types that do not stand inside themselves"
        raise ConfigError("a schema without an end", place=at.place, expected=expected) from None
    paths: set[str] = set()
    for node in root.walk():
        parts: list[Element | Attribute] = [node, *node.attributes]
        for part in parts:
            if part.path in paths:
                raise ConfigError(
                    "two places of a message with one name",
                    place=f"{schema.file}: line {part.line}",
                    value=part.path,
                    expected="names that a mapping can tell apart",
                )
            paths.add(part.path)
    return root


class _Builder:
    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._count = 0

    def element(
        self,
        at: Component,
        prefix: str,
        above: tuple[str, ...],
        *,
        top: bool = False,
        loose: bool = False,
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
        qualified = ref is not None or top or _form(node.get("form"), at.qualified)
        tag = f"{{{at.namespace}}}{name}" if qualified and at.namespace else name
        path = "" if top else f"{prefix}{name}"
        shell = Element(
            tag=tag,
            path=path,
            required=required,
            repeated=repeated,
            nillable=node.get("nillable") in ("true", "1"),
            line=at.line,
        )
        if node.get("abstract") in ("true", "1"):
            return _opaque(shell, "an abstract element")
        return self._typed(shell, at, above)

    def _typed(self, shell: Element, at: Component, above: tuple[str, ...]) -> Element:
        name = at.node.get("type")
        inline = next((c for c in at.node if c.tag in _TYPES), None)
        if inline is not None:
            holder = at.inner(inline)
            if inline.tag == f"{XS}simpleType":
                return _with(shell, text=True, collapse=self._collapses(holder))
            return self._complex(shell, holder, above)
        full = at.resolve(name) if name else f"{XS}anyType"
        if full == f"{XS}anyType":
            return _opaque(shell, "an element of any type")
        if full.startswith(XS) or full in self._schema.names("simpleType"):
            return _with(shell, text=True, collapse=self._named_collapses(at, name or ""))
        if full in above:
            return _opaque(shell, f"a type inside itself: {full}")
        holder = self._schema.find("complexType", full, at.place)
        return self._complex(shell, holder, (*above, full))

    def _complex(self, shell: Element, at: Component, above: tuple[str, ...]) -> Element:
        if at.node.get("mixed") in ("true", "1"):
            return _opaque(shell, "mixed content")
        prefix = f"{shell.path}." if shell.path else ""
        text, collapse, attributes, children = self._content(at, prefix, above)
        return _with(
            shell,
            text=text,
            collapse=collapse,
            attributes=tuple(attributes),
            children=_merged(children),
        )

    def _content(
        self, at: Component, prefix: str, above: tuple[str, ...]
    ) -> tuple[bool, bool, list[Attribute], list[Element]]:
        text, collapse = False, False
        attributes: list[Attribute] = []
        children: list[Element] = []
        for node in at.node:
            kind = str(node.tag).removeprefix(XS)
            inner = at.inner(node)
            if kind in ("simpleContent", "complexContent"):
                derived = next((c for c in node if c.tag in _DERIVED), None)
                if derived is not None:
                    found = self._derived(at.inner(derived), kind, prefix, above)
                    text, collapse = found[0], found[1]
                    attributes.extend(found[2])
                    children.extend(found[3])
            elif kind in ("sequence", "choice", "all", "group"):
                children.extend(self._particles(inner, prefix, above, loose=False))
            else:
                attributes.extend(self._attributes(inner, prefix))
        return text, collapse, attributes, children

    def _derived(
        self, at: Component, kind: str, prefix: str, above: tuple[str, ...]
    ) -> tuple[bool, bool, list[Attribute], list[Element]]:
        text, collapse, attributes, children = self._content(at, prefix, above)
        base = at.resolve(at.node.get("base", ""))
        if kind == "simpleContent":
            text = True
        if base.startswith(XS):
            collapse = kind == "simpleContent" and base not in _PRESERVING
            return text, collapse, attributes, children
        if base in self._schema.names("simpleType"):
            holder = self._schema.find("simpleType", base, at.place)
            return text, self._collapses(holder), attributes, children
        if base in above and kind == "complexContent":
            raise ConfigError("a type that extends itself", place=at.place, value=base)
        holder = self._schema.find("complexType", base, at.place)
        below = self._content(holder, prefix, (*above, base))
        if at.node.tag == f"{XS}restriction" and kind == "complexContent":
            # A restriction says its content again; attributes that it does not name stay.
            named = {attribute.path for attribute in attributes}
            attributes = [a for a in below[2] if a.path not in named] + attributes
            return text, collapse, attributes, children
        return text or below[0], collapse or below[1], below[2] + attributes, below[3] + children

    def _particles(
        self, at: Component, prefix: str, above: tuple[str, ...], *, loose: bool
    ) -> Iterator[Element]:
        if at.node.tag == f"{XS}group":
            loose = loose or at.node.get("minOccurs") == "0"
            name = at.resolve(at.node.get("ref", ""))
            if f"group {name}" in above:
                raise ConfigError("a group inside itself", place=at.place, value=name)
            holder = self._schema.find("group", name, at.place)
            for node in holder.node:
                inner = (*above, f"group {name}")
                yield from self._particles(holder.inner(node), prefix, inner, loose=loose)
            return
        loose = loose or at.node.tag == f"{XS}choice" or at.node.get("minOccurs") == "0"
        many = at.node.get("maxOccurs", "1") not in ("0", "1")
        for node in at.node:
            inside = at.inner(node)
            if node.tag == f"{XS}element":
                found = self.element(inside, prefix, above, loose=loose)
                yield _with(found, repeated=True) if many else found
            elif node.tag == f"{XS}any":
                yield Element(
                    tag="*",
                    path=f"{prefix}*",
                    required=False,
                    repeated=True,
                    opaque="any element",
                    line=inside.line,
                )
            elif node.tag in _PARTICLES:
                for found in self._particles(inside, prefix, above, loose=loose):
                    yield _with(found, repeated=True) if many else found

    def _attributes(self, at: Component, prefix: str) -> Iterator[Attribute]:
        if at.node.tag == f"{XS}attributeGroup":
            holder = self._schema.find(
                "attributeGroup", at.resolve(at.node.get("ref", "")), at.place
            )
            for node in holder.node:
                yield from self._attributes(holder.inner(node), prefix)
        elif at.node.tag == f"{XS}attribute" and at.node.get("use") != "prohibited":
            required = at.node.get("use") == "required"
            ref = at.node.get("ref")
            if ref is not None:
                at = self._schema.find("attribute", at.resolve(ref), at.place)
            name = at.name
            qualified = ref is not None or _form(at.node.get("form"), at.qualified_attributes)
            yield Attribute(
                tag=f"{{{at.namespace}}}{name}" if qualified and at.namespace else name,
                path=f"{prefix}@{name}",
                required=required,
                collapse=self._attribute_collapses(at),
                line=at.line,
            )

    def _attribute_collapses(self, at: Component) -> bool:
        inline = at.node.find(f"{XS}simpleType")
        if inline is not None:
            return self._collapses(at.inner(inline))
        name = at.node.get("type")
        return name is not None and self._named_collapses(at, name)

    def _collapses(self, at: Component) -> bool:
        restriction = at.node.find(f"{XS}restriction")
        if restriction is None:
            return at.node.find(f"{XS}list") is not None
        facet = restriction.find(f"{XS}whiteSpace")
        if facet is not None:
            return facet.get("value") == "collapse"
        base = restriction.get("base")
        inner = at.inner(restriction)
        if base is not None:
            return self._named_collapses(inner, base)
        inline = restriction.find(f"{XS}simpleType")
        return inline is not None and self._collapses(at.inner(inline))

    def _named_collapses(self, at: Component, name: str) -> bool:
        full = at.resolve(name)
        if full.startswith(XS):
            return full not in _PRESERVING
        return self._collapses(self._schema.find("simpleType", full, at.place))


_TYPES: Final = (f"{XS}complexType", f"{XS}simpleType")
_DERIVED: Final = (f"{XS}extension", f"{XS}restriction")
_PARTICLES: Final = tuple(f"{XS}{kind}" for kind in ("sequence", "choice", "all", "group"))


def _form(form: str | None, default: bool) -> bool:
    return default if form is None else form == "qualified"


def _with(element: Element, **changes: object) -> Element:
    return msgspec.structs.replace(element, **changes)


def _opaque(element: Element, why: str) -> Element:
    return _with(element, opaque=why)


def _merged(children: list[Element]) -> tuple[Element, ...]:
    # One element may stand in several branches of a choice: a mapping knows it once.
    merged: dict[str, Element] = {}
    for child in children:
        first = merged.get(child.tag)
        if first is None or child.tag == "*":
            merged[child.tag] = first or child
        else:
            again = first.repeated or child.repeated or first.required or child.required
            merged[child.tag] = _with(first, required=False, repeated=again)
    return tuple(merged.values())
