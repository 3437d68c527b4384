"""``fig copybook show``: the layout that a copybook describes."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import click
from rich.markup import escape

from ..acl.copybook.copybook import Copybook, Renames
from ..acl.copybook.item import Condition, Item, Usage
from .copybook_source import copybook_argument, read
from .screen import Screen, json_option

__all__ = ["show"]

_COLUMNS = (">level", "name", ">offset", ">length", "picture", "")


@click.command()
@copybook_argument
@click.option(
    "--copies",
    multiple=True,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="A folder of the members that COPY names; may be repeated.",
)
@json_option
@click.pass_obj
def show(screen: Screen, copybook: Path, copies: tuple[Path, ...], as_json: bool) -> None:
    """Show the layout that COPYBOOK describes: offset, length and picture of each item.

    Offsets count from 0, every OCCURS before them at its most.
    """
    book = read(screen, copybook, copies)
    if as_json:
        screen.json(_as_json(book))
        return
    depths = _depths(book)
    rows = [row for item in book.walk() for row in _rows(item, depths[item.path, item.line])]
    rows += [_renames(one) for one in book.renames]
    screen.table(_COLUMNS, rows)
    several = f" in {len(book.records)} records" if len(book.records) > 1 else ""
    screen.say(f"{book.size} bytes{several}")


def _depths(book: Copybook) -> dict[tuple[str, int], int]:
    found: dict[tuple[str, int], int] = {}

    def go(item: Item, depth: int) -> None:
        found[item.path, item.line] = depth
        for child in item.children:
            go(child, depth + 1)

    for record in book.records:
        go(record, 0)
    return found


def _rows(item: Item, depth: int) -> Iterator[list[str]]:
    indent = "  " * depth
    name = f"[dim]{item.name}[/]" if item.filler else escape(item.name)
    yield [
        f"{item.level:02}",
        f"{indent}{name}",
        str(item.offset),
        str(item.length),
        escape(" ".join(_picture(item))),
        escape(", ".join(_shared(item))),
    ]
    for condition in item.conditions:
        said = escape(_values(condition))
        yield ["88", f"[dim]{indent}  {escape(condition.name)}[/]", "", "", said, ""]


def _picture(item: Item) -> Iterator[str]:
    """Give the clauses about an elementary item's value, in the words of COBOL."""
    if item.category == "group":
        return
    if item.picture:
        yield item.picture.text
    if item.usage is not Usage.DISPLAY:
        yield item.usage.value
    if item.sign.leading:
        yield "LEADING"
    if item.sign.separate:
        yield "SEPARATE"
    if item.synchronized:
        yield "SYNC"
    if item.justified:
        yield "JUST"
    if item.blank_when_zero:
        yield "BLANK WHEN ZERO"


def _shared(item: Item) -> Iterator[str]:
    """Give the clauses about an item's place. Names stand without their groups: see --json."""
    if item.redefines:
        yield f"redefines {_last(item.redefines)}"
    if table := item.occurs:
        most = f"{table.most} × {item.size}"
        by = f"{table.least} to {most} by {_last(table.depending)}" if table.depending else most
        yield f"occurs {by}"


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _values(condition: Condition) -> str:
    parts = [
        f"{_literal(value[0])} to {_literal(value[1])}"
        if isinstance(value, tuple)
        else _literal(value)
        for value in condition.values
    ]
    return ", ".join(parts)


def _literal(value: str | Decimal) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else f"'{value}'"


def _renames(one: Renames) -> list[str]:
    to = f" to {_last(one.last)}" if one.last != one.first else ""
    said = escape(f"renames {_last(one.first)}{to}")
    return ["66", escape(one.name), str(one.offset), str(one.size), "", said]


def _as_json(book: Copybook) -> dict[str, object]:
    return {
        "file": book.file,
        "size": book.size,
        "digest": book.digest,
        "items": [_item(item) for item in book.walk()],
        "renames": list(book.renames),
    }


def _item(item: Item) -> dict[str, object]:
    found: dict[str, object] = {
        "level": item.level,
        "name": item.name,
        "path": item.path,
        "line": item.line,
        "offset": item.offset,
        "size": item.size,
        "length": item.length,
        "category": item.category,
    }
    if item.picture:
        found |= {"picture": item.picture.text, "digits": item.picture.digits}
        found |= {"scale": item.picture.scale, "signed": item.signed}
    if item.category != "group":
        found["usage"] = item.usage.value
        found["sign"] = item.sign
    if item.occurs:
        found["occurs"] = item.occurs
    if item.redefines:
        found["redefines"] = item.redefines
    if item.conditions:
        found["conditions"] = {one.name: _values(one) for one in item.conditions}
    return found
