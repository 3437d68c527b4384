"""Simple types, attributes and defaults: what a schema says of a single value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from .component import XS, Component, Schema
from .element import Attribute

__all__ = ["attributes", "collapses", "form", "preset", "type_collapses"]

_PRESERVING: Final = (f"{XS}string", f"{XS}normalizedString", f"{XS}anySimpleType")


def attributes(schema: Schema, at: Component, above: tuple[str, ...] = ()) -> Iterator[Attribute]:
    """Give the attributes that a node declares, those of its group among them.

    Their paths are empty until the tree is whole. Raises ``ConfigError``.
    """
    if at.node.tag == f"{XS}attributeGroup":
        name = at.resolve(at.node.get("ref", ""))
        if name in above:
            return
        holder = schema.find("attributeGroup", name, at.place)
        for node in holder.node:
            yield from attributes(schema, holder.inner(node), (*above, name))
    elif at.node.tag == f"{XS}attribute" and at.node.get("use") != "prohibited":
        used = at
        ref = at.node.get("ref")
        if ref is not None:
            at = schema.find("attribute", at.resolve(ref), at.place)
        name = at.name
        qualified = ref is not None or form(at.node.get("form"), at.qualified_attributes)
        default, fixed = preset(used)
        if default is None:
            default, fixed = preset(at)
        yield Attribute(
            tag=f"{{{at.namespace}}}{name}" if qualified and at.namespace else name,
            path="",
            required=used.node.get("use") == "required",
            collapse=_attribute_collapses(schema, at),
            line=at.line,
            default=default,
            fixed=fixed,
        )


def preset(at: Component) -> tuple[str | None, bool]:
    """Give what a declaration puts in where nothing is written, and whether it must be that."""
    fixed = at.node.get("fixed")
    return (at.node.get("default"), False) if fixed is None else (fixed, True)


def form(said: str | None, default: bool) -> bool:
    """Say whether a local name is qualified, by its ``form`` or by the schema's default."""
    return default if said is None else said == "qualified"


def collapses(schema: Schema, at: Component) -> bool:
    """Say whether white space around a simple type's value means nothing."""
    restriction = at.node.find(f"{XS}restriction")
    if restriction is None:
        return at.node.find(f"{XS}list") is not None
    facet = restriction.find(f"{XS}whiteSpace")
    if facet is not None:
        return facet.get("value") == "collapse"
    base = restriction.get("base")
    inner = at.inner(restriction)
    if base is not None:
        return type_collapses(schema, inner, base)
    inline = restriction.find(f"{XS}simpleType")
    return inline is not None and collapses(schema, at.inner(inline))


def type_collapses(schema: Schema, at: Component, name: str) -> bool:
    """Say the same of a type by its name, as ``at`` writes it."""
    full = at.resolve(name)
    if full.startswith(XS):
        return full not in _PRESERVING
    return collapses(schema, schema.find("simpleType", full, at.place))


def _attribute_collapses(schema: Schema, at: Component) -> bool:
    inline = at.node.find(f"{XS}simpleType")
    if inline is not None:
        return collapses(schema, at.inner(inline))
    name = at.node.get("type")
    return name is not None and type_collapses(schema, at, name)
