"""Reading an element's values, by tables that were made when the schema was read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from ..formats.shape import Stray
from .element import Attribute, Element
from .node import Node, at_line

__all__ = ["reader"]

XSI: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
_NIL: Final = f"{XSI}nil"
_MOST_STRAYS: Final = 1000

Read = Callable[[Node, dict[str, str | None], list[Stray]], None]


class _Plan(NamedTuple):
    path: str
    plain: bool
    skipped: bool
    collapse: bool
    attributes: dict[str, Attribute]
    inside: Read | None


def reader(root: Element) -> Read:
    """Make the function that reads an element of this tree.

    It puts each value under its path and each thing that has no place into the list of strays.
    Repeated and opaque elements are passed over: a mapping had to ignore them.
    """
    plans = {child.tag: _plan(child) for child in root.children}
    attributes = {attribute.tag: attribute for attribute in root.attributes}
    prefix = f"{root.path}." if root.path else ""
    get = plans.get
    wild = "*" in plans

    def read(element: Node, values: dict[str, str | None], strays: list[Stray]) -> None:
        if element.keys():
            _attributes(element, attributes, root.path, values, strays)
        if (text := element.text) is not None and not text.isspace():
            _note(strays, _text(root.path, element))
        for child in element:
            plan = get(child.tag)
            if plan is None or not plan.plain or len(child) or child.keys() or plan.path in values:
                if plan is not None:
                    _special(child, plan, values, strays)
                elif not wild:
                    _note(strays, _unknown(child, prefix))
            else:
                text = child.text or ""
                values[plan.path] = " ".join(text.split()) if plan.collapse else text
            if (text := child.tail) is not None and not text.isspace():
                _note(strays, _text(root.path, child))

    return read


def _note(strays: list[Stray], stray: Stray) -> None:
    # A message may be made of nothing else: the list must not outgrow it.
    if len(strays) < _MOST_STRAYS:
        strays.append(stray)
    elif not strays[-1].broken:
        expected = f"at most {_MOST_STRAYS}"
        strays[-1] = Stray(stray.path, "too much that is not in the schema", expected, broken=True)


def _plan(element: Element) -> _Plan:
    skipped = bool(element.opaque) or element.repeated
    group = not skipped and not element.text
    return _Plan(
        path=element.path,
        plain=element.text and not skipped,
        skipped=skipped,
        collapse=element.collapse,
        attributes={attribute.tag: attribute for attribute in element.attributes},
        inside=reader(element) if group else None,
    )


def _group(element: Node, plan: _Plan, values: dict[str, str | None], strays: list[Stray]) -> None:
    marker = f"{plan.path}/"
    if marker in values:
        _note(strays, _twice(element, plan.path))
    elif plan.inside is not None:
        # A path never ends with a slash: the marker only says that the group was there.
        values[marker] = ""
        plan.inside(element, values, strays)


def _special(
    element: Node, plan: _Plan, values: dict[str, str | None], strays: list[Stray]
) -> None:
    if plan.skipped:
        return
    if not plan.plain:
        _group(element, plan, values, strays)
        return
    if plan.path in values:
        _note(strays, _twice(element, plan.path))
        return
    if element.keys():
        _attributes(element, plan.attributes, plan.path, values, strays)
    if len(element):
        expected = "text, and no elements in it"
        _note(strays, Stray(plan.path, "holds elements", expected, at_line(element), broken=True))
        return
    if (element.get(_NIL) or "").strip() in ("true", "1"):
        values[plan.path] = None
        return
    text = element.text or ""
    values[plan.path] = " ".join(text.split()) if plan.collapse else text


def _attributes(
    element: Node,
    known: dict[str, Attribute],
    path: str,
    values: dict[str, str | None],
    strays: list[Stray],
) -> None:
    for name, value in element.items():
        attribute = known.get(str(name))
        if attribute is not None:
            text = str(value)
            values[attribute.path] = " ".join(text.split()) if attribute.collapse else text
        elif not str(name).startswith(XSI):
            where = f"{path}.@{name!s}" if path else f"@{name!s}"
            expected = "one of " + (", ".join(known) or "no attributes")
            _note(strays, Stray(where, "is not in the schema", expected, at_line(element)))


def _unknown(element: Node, prefix: str) -> Stray:
    where = f"{prefix}{str(element.tag)[:200]}"
    return Stray(where, "is not in the schema", "elements of the schema", at_line(element))


def _twice(element: Node, path: str) -> Stray:
    at = at_line(element)
    return Stray(path, "stands twice", "one element of that name", at, broken=True)


def _text(path: str, element: Node) -> Stray:
    expected = "elements, and no text between them"
    return Stray(path or ".", "text outside any field", expected, at_line(element))
