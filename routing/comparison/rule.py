"""A field's rule in ``fig.toml``, made into what compares its values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Final, cast

import msgspec

from ... import registry
from ...acl.operations.field import Field
from ...errors import ConfigError
from ...route_settings import FieldRule
from .likeness import folded, likeness
from .node import PLAIN, Custom, Document, Leaf, Node
from .tolerance import Same, near_moment, near_number, rounded

__all__ = ["check_list_keys", "node_of", "plain"]

_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "within": ("integer", "decimal"),
    "relative": ("integer", "decimal"),
    "scale": ("integer", "decimal"),
    "seconds": ("time", "timestamp", "duration"),
    "days": ("date", "timestamp", "duration"),
    "fold": ("text",),
    "similar": ("text",),
    "xml": ("text",),
    "unwrap": ("text",),
}
"""The types that each key is for."""

_APART: Final = (("within", "relative"), ("scale",), ("seconds", "days"), ("fold", "similar"))
_LISTS: Final = ("order", "key")
_NOTHING: Final = FieldRule()


def node_of(rule: FieldRule | None, field: Field, place: str) -> Node:
    """Make what compares a field's single values. Raises ``ConfigError`` for what cannot be."""
    if rule is None:
        return PLAIN
    said = _said(rule)
    _check_types(said, field, place)
    if rule.function:
        return _custom(rule, said, place)
    if rule.xml:
        _only(said, ("xml", "unwrap"), place)
        return Document(rule.unwrap)
    if rule.unwrap:
        raise ConfigError("is for documents", place=f"{place}.unwrap", expected="xml = true")
    for together in _APART:
        if said.intersection(together):
            _only(said, together, place)
    same = _number(rule, place) or _moment(rule, place) or _text(rule, place)
    return PLAIN if same is None else Leaf(same)


def check_list_keys(rule: FieldRule, *, listed: bool, group: bool, place: str) -> None:
    """Refuse what is said of a list where there is none. Raises ``ConfigError``."""
    for key in _said(rule).intersection(_LISTS):
        if not listed or (key == "key" and not group):
            expected = "a list of groups" if key == "key" else "a list"
            raise ConfigError("is not for this field", place=f"{place}.{key}", expected=expected)
    if group and (others := _said(rule) - {*_LISTS, "function"}):
        first = min(others)
        expected = "order, key or function: values are compared by their own fields' rules"
        raise ConfigError("is not for a group", place=f"{place}.{first}", expected=expected)
    if rule.key and not rule.order:
        remedy = "leave 'order' out: rows that have a key are matched by it wherever they stand"
        raise ConfigError("key and order exclude each other", place=place, remedy=remedy)


def _said(rule: FieldRule) -> frozenset[str]:
    changed = (
        name
        for name in FieldRule.__struct_fields__
        if getattr(rule, name) != getattr(_NOTHING, name)
    )
    return frozenset(changed)


def _check_types(said: frozenset[str], field: Field, place: str) -> None:
    for key in sorted(said):
        kinds = _KINDS.get(key)
        if kinds is not None and field.type not in kinds:
            raise ConfigError(
                "is not for a field of this type",
                place=f"{place}.{key}",
                value=field.type,
                expected="a field of the type " + " or ".join(kinds),
            )


def _only(said: frozenset[str], together: tuple[str, ...], place: str) -> None:
    others = said.difference(together, _LISTS)
    if others:
        raise ConfigError(
            "exclude each other", place=place, value=", ".join(sorted({*others, *together} & said))
        )


def _number(rule: FieldRule, place: str) -> Same | None:
    if rule.scale is not None:
        if not -30 <= rule.scale <= 30:
            expected = "digits after the point, -30 to 30"
            raise ConfigError("not a scale", place=f"{place}.scale", expected=expected)
        return rounded(rule.scale)
    within = _bound(rule.within, f"{place}.within")
    relative = _bound(rule.relative, f"{place}.relative")
    return None if within is None and relative is None else near_number(within, relative)


def _bound(value: str | float | None, place: str) -> Decimal | None:
    if value is None:
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        found = Decimal(-1)
    if not found.is_finite() or found < 0:
        expected = "a number from 0 on; as text it keeps its digits"
        raise ConfigError("not a bound", place=place, value=str(value), expected=expected)
    return found


def _moment(rule: FieldRule, place: str) -> Same | None:
    if rule.seconds is None and rule.days is None:
        return None
    try:
        bound = dt.timedelta(days=rule.days or 0, seconds=rule.seconds or 0)
    except (OverflowError, ValueError):
        bound = dt.timedelta(-1)
    if bound < dt.timedelta(0):
        raise ConfigError("not a bound", place=place, expected="seconds and days from 0 on")
    return near_moment(bound)


def _text(rule: FieldRule, place: str) -> Same | None:
    if rule.similar is None and not rule.fold:
        return None
    least = 1.0 if rule.similar is None else rule.similar
    if not 0 < least <= 1:
        expected = "a likeness above 0, up to 1 (equal)"
        raise ConfigError(
            "not a likeness", place=f"{place}.similar", value=str(least), expected=expected
        )
    fold = folded(rule.fold)

    def same(one: object, other: object) -> bool:
        if not isinstance(one, str) or not isinstance(other, str):
            return False
        return likeness(fold(one), fold(other)) >= least

    return same


def _custom(rule: FieldRule, said: frozenset[str], place: str) -> Custom:
    place = f"{place}.function"
    _only(said, ("function",), place)
    if not rule.function.startswith("py:"):
        expected = "py:package.module:function"
        raise ConfigError("not a function", place=place, value=rule.function, expected=expected)
    found = registry.find("converters", rule.function, place=place)
    if not callable(found):
        raise ConfigError("not a function", place=place, value=rule.function)
    return Custom(cast("Callable[[object, object], bool]", found))


def plain(rule: FieldRule) -> FieldRule:
    """Give a rule without what is said of the list itself: that which holds for its entries."""
    return msgspec.structs.replace(rule, order=True, key=())
