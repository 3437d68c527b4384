"""The layout of a copybook as rows, for whoever shows it."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from .copybook import Copybook
from .item import Condition, Figurative, Hexadecimal, Item, Usage

__all__ = ["LayoutRow", "layout"]


class LayoutRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a layout. ``length`` is that of all occurrences; ``path`` is what finds it.

    ``depth`` says how far to indent: levels leave gaps. All texts are as COBOL writes them.
    """

    level: int
    depth: int
    name: str
    path: str
    offset: int
    size: int
    length: int
    picture: str = ""
    usage: str = ""
    occurs: str = ""
    redefines: str = ""
    conditions: tuple[str, ...] = ()


def layout(copybook: Copybook) -> list[LayoutRow]:
    """Give a row for each item, in the order of the copybook, level 66 last."""
    rows: list[LayoutRow] = []
    for record in copybook.records:
        _add(rows, record, 0)
    rows.extend(
        LayoutRow(
            level=66,
            depth=1,
            name=renamed.name,
            path=renamed.name,
            offset=renamed.offset,
            size=renamed.size,
            length=renamed.size,
            redefines=renamed.first
            if renamed.first == renamed.last
            else f"{renamed.first} THRU {renamed.last}",
        )
        for renamed in copybook.renames
    )
    return rows


def _add(rows: list[LayoutRow], item: Item, depth: int) -> None:
    """Add an item and all inside it."""
    rows.append(
        LayoutRow(
            level=item.level,
            depth=depth,
            name=item.name,
            path=item.path,
            offset=item.offset,
            size=item.size,
            length=item.length,
            picture=item.picture.text if item.picture else "",
            usage="" if item.category == "group" else _usage(item),
            occurs=_occurs(item),
            redefines=item.redefines,
            conditions=tuple(_condition(condition) for condition in item.conditions),
        )
    )
    for child in item.children:
        _add(rows, child, depth + 1)


def _usage(item: Item) -> str:
    """Write the usage, and what else decides how the bytes are read."""
    parts = [item.usage.value]
    if item.sign.separate or item.sign.leading:
        parts.append("SIGN " + ("LEADING" if item.sign.leading else "TRAILING"))
    if item.sign.separate:
        parts.append("SEPARATE")
    for said, word in (
        (item.synchronized, "SYNC"),
        (item.justified, "JUST"),
        (item.blank_when_zero, "BLANK WHEN ZERO"),
    ):
        if said:
            parts.append(word)
    if len(parts) > 1 and item.usage is Usage.DISPLAY:
        parts.pop(0)
    return " ".join(parts)


def _occurs(item: Item) -> str:
    occurs = item.occurs
    if occurs is None:
        return ""
    if not occurs.depending:
        return str(occurs.most)
    return f"{occurs.least} TO {occurs.most} DEPENDING ON {occurs.depending}"


def _condition(condition: Condition) -> str:
    shown = [
        f"{_constant(value[0])} THRU {_constant(value[1])}"
        if isinstance(value, tuple)
        else _constant(value)
        for value in condition.values
    ]
    return f"{condition.name} = {', '.join(shown)}"


def _constant(value: str | Decimal) -> str:
    """Write a literal as COBOL does."""
    if isinstance(value, Figurative):
        return value.word if value.word != "ALL" else f"ALL '{value}'"
    if isinstance(value, Hexadecimal):
        return f"X'{value.bytes.hex().upper()}'"
    if isinstance(value, Decimal):
        return format(value, "f")
    return "'" + value.replace("'", "''") + "'"
