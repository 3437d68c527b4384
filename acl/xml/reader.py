"""Reading an element's values, by tables that were made when the schema was read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from ..formats.shape import Stray
from .element import TEXT, Attribute, Element
from .node import Node, at_line

__all__ = ["Found", "Read", "reader"]

XSI: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
_NIL: Final = f"{XSI}nil"
_TYPE: Final = f"{XSI}type"
_TRUE: Final = ("true", "1")
_SPACE: Final = re.compile("[ \t\r\n]+")
_MOST_STRAYS: Final = 1000
# libxml2 looks each attribute up from the first: many of them cost the square of their number.
_MOST_ATTRIBUTES: Final = 1000

Found = dict[str, "str | list[Found] | list[str | None] | None"]
"""What was found, by path: a text, None for an explicit null, or the entries of a list."""

Read = Callable[[Node, Found, list[Stray]], None]


class _Plan(NamedTuple):
    """What to do with an element, where it is more than one text that is there once.

    ``take`` does it; None passes over. ``read`` is for what is inside.
    """

    key: str
    node: Element
    take: Callable[[Node, _Plan, Found, list[Stray]], None] | None
    read: Read | None


def reader(root: Element) -> Read:
    """Make the function that reads an element of this tree.

    It puts each value under its path and each thing that has no place into the list of strays.
    Opaque elements are passed over: a mapping had to ignore them. An entry of a list has its values
    under their paths inside the entry.
    """
    return _group(root, "")


def _group(group: Element, scope: str) -> Read:
    """Make the reader of what is inside an element; ``scope`` is what its keys leave out."""
    plans = {child.tag: _plan(child, scope) for child in group.children}
    get = _simple(plans).get
    marks = tuple(f"{plan.key}/" for plan in plans.values() if plan.take is _once)
    head = _attributes(group, scope)
    other = _other(group, plans)
    defaults = any(one.default is not None for one in group.attributes)

    def read(element: Node, values: Found, strays: list[Stray]) -> None:
        if defaults or element.keys():
            head(element, values, strays)
        if (text := element.text) is not None and not text.isspace():
            _note(strays, _text(group.path, element))
        for child in element:
            found = get(child.tag)
            if found is None or len(child) or child.keys() or found[0] in values:
                other(child, values, strays)
            else:
                text = child.text or ""
                values[found[0]] = _collapsed(text) if found[1] else text
            if (text := child.tail) is not None and not text.isspace():
                _note(strays, _text(group.path, child))
        for mark in marks:
            values.pop(mark, None)

    return read


def _other(group: Element, plans: Mapping[str, _Plan]) -> Read:
    """Make the reader of a child that is no plain text, or none of the schema's."""
    wild = "*" in plans

    def read(child: Node, values: Found, strays: list[Stray]) -> None:
        plan = plans.get(child.tag)
        if plan is not None:
            if plan.take is not None:
                plan.take(child, plan, values, strays)
        elif not wild and not _full(strays):
            _note(strays, _unknown(child, group.path))

    return read


def _simple(plans: Mapping[str, _Plan]) -> dict[str, tuple[str, bool]]:
    """Give key and white space of the elements that are nothing but a text, by tag."""
    return {
        tag: (plan.key, plan.node.collapse)
        for tag, plan in plans.items()
        if plan.take is _leaf
        and plan.node.default is None
        # A default stands for an attribute that is not there: those must be looked for.
        and all(one.default is None for one in plan.node.attributes)
    }


def _plan(node: Element, scope: str) -> _Plan:
    key = node.path[len(scope) :]
    if node.opaque:
        return _Plan(key, node, None, None)
    inner = node.scope if node.repeated else scope
    read: Read | None = None
    if not node.text:
        read = _group(node, inner)
    elif node.attributes:
        read = _attributes(node, inner)
    if node.repeated:
        return _Plan(key, node, _entry, read)
    return _Plan(key, node, _leaf if node.text else _once, read)


def _once(element: Node, plan: _Plan, values: Found, strays: list[Stray]) -> None:
    # No path ends with a slash: while the element around it is read, it says that this was there.
    mark = f"{plan.key}/"
    if mark in values:
        _note(strays, _twice(element, plan.node.path))
        return
    values[mark] = ""
    _check_type(element, plan, strays)
    if plan.read is not None:
        plan.read(element, values, strays)


def _entry(element: Node, plan: _Plan, values: Found, strays: list[Stray]) -> None:
    entries = values.get(plan.key)
    if entries is None:
        entries = values[plan.key] = []
    if plan.node.plain:
        entries.append(_value(element, plan, strays))  # type: ignore[union-attr, arg-type]
        if element.keys():
            _strange(element, plan, strays)
        return
    entry: Found = {}
    _check_type(element, plan, strays)
    if plan.read is not None:
        plan.read(element, entry, strays)
    if plan.node.text:
        entry[TEXT] = _value(element, plan, strays)
    entries.append(entry)  # type: ignore[union-attr, arg-type]


def _leaf(element: Node, plan: _Plan, values: Found, strays: list[Stray]) -> None:
    if plan.key in values:
        _note(strays, _twice(element, plan.node.path))
        return
    if plan.read is not None:
        plan.read(element, values, strays)
    elif element.keys():
        _strange(element, plan, strays)
    values[plan.key] = _value(element, plan, strays)


def _value(element: Node, plan: _Plan, strays: list[Stray]) -> str | None:
    if len(element):
        expected = "text, and no elements in it"
        _note(
            strays, Stray(plan.node.path, "holds elements", expected, at_line(element), broken=True)
        )
    if (nil := element.get(_NIL)) is not None and nil.strip() in _TRUE:
        return None
    text = element.text or ""
    if not text and plan.node.default is not None:
        return plan.node.default
    return _collapsed(text) if plan.node.collapse else text


def _collapsed(text: str) -> str:
    """Take away white space as XML Schema counts it: no other than these four characters."""
    if text.isalnum():
        return text
    return " ".join(text.split() if text.isascii() else filter(None, _SPACE.split(text)))


def _attributes(node: Element, scope: str) -> Read:
    """Make the reader of an element's attributes."""
    known = {one.tag: (one, one.path[len(scope) :]) for one in node.attributes}
    defaults = [(key, one.default) for one, key in known.values() if one.default is not None]

    def read(element: Node, values: Found, strays: list[Stray]) -> None:
        if len(element.keys()) > _MOST_ATTRIBUTES:
            _note(strays, _crowd(element, node.path))
            return
        for name, value in element.items():
            found = known.get(str(name))
            if found is not None:
                text = str(value)
                values[found[1]] = _collapsed(text) if found[0].collapse else text
            elif not str(name).startswith(XSI) and not _full(strays):
                _note(
                    strays,
                    _attribute(element, node.path, str(name), [one for one, _ in known.values()]),
                )
        for key, default in defaults:
            values.setdefault(key, default)

    return read


def _strange(element: Node, plan: _Plan, strays: list[Stray]) -> None:
    """Note the attributes of an element that has none."""
    for name in element.keys():  # noqa: SIM118 - an element gives its children
        if not str(name).startswith(XSI) and not _full(strays):
            _note(strays, _attribute(element, plan.node.path, str(name), []))


def _check_type(element: Node, plan: _Plan, strays: list[Stray]) -> None:
    """Note where an element says to be of another type than its tree was built for."""
    said = element.get(_TYPE) if plan.node.type else None
    if said is None:
        return
    prefix, _, local = said.strip().rpartition(":")
    full = f"{{{element.nsmap.get(prefix or None) or ''}}}{local}".removeprefix("{}")
    if full != plan.node.type:
        _note(
            strays,
            Stray(
                plan.node.path,
                "is of another type (xsi:type)",
                plan.node.type,
                at_line(element),
                broken=True,
            ),
        )


def _full(strays: list[Stray]) -> bool:
    return len(strays) >= _MOST_STRAYS and strays[-1].broken


def _note(strays: list[Stray], stray: Stray) -> None:
    # A message may be made of nothing else: the list must not outgrow it.
    if len(strays) < _MOST_STRAYS:
        strays.append(stray)
    elif not strays[-1].broken:
        expected = f"at most {_MOST_STRAYS}"
        strays[-1] = Stray(stray.path, "too much that is not in the schema", expected, broken=True)


def _attribute(element: Node, path: str, name: str, known: list[Attribute]) -> Stray:
    where = f"{path}.@{name[:200]}" if path else f"@{name[:200]}"
    expected = "one of " + (", ".join(one.tag for one in known) or "no attributes")
    return Stray(where, "is not in the schema", expected, at_line(element))


def _crowd(element: Node, path: str) -> Stray:
    expected = f"at most {_MOST_ATTRIBUTES} attributes"
    return Stray(path or ".", "has too many attributes", expected, at_line(element), broken=True)


def _unknown(element: Node, path: str) -> Stray:
    where = f"{path}.{str(element.tag)[:200]}" if path else str(element.tag)[:200]
    return Stray(where, "is not in the schema", "elements of the schema", at_line(element))


def _twice(element: Node, path: str) -> Stray:
    at = at_line(element)
    return Stray(path, "stands twice", "one element of that name", at, broken=True)


def _text(path: str, element: Node) -> Stray:
    expected = "elements, and no text between them"
    return Stray(path or ".", "text outside any field", expected, at_line(element))
