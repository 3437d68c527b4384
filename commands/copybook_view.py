"""Records for people: a table where they are narrow, else one field a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from rich.markup import escape

from .screen import Screen

__all__ = ["view"]

_WIDE = 8
_TEXT = 24
_NULL = "[dim]null[/]"
_EMPTY = "[dim]''[/]"


def view(screen: Screen, records: Sequence[tuple[int, int, Mapping[str, object]]]) -> None:
    """Print records: number, offset and fields of each."""
    rows = [dict(_leaves(fields)) for _, _, fields in records]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    if 0 < len(columns) <= _WIDE and _fits(screen, columns, rows):
        _table(screen, columns, records, rows)
        return
    for number, offset, fields in records:
        screen.say(f"[bold]record {number}[/] [dim]at byte {offset}[/]")
        lines = list(_lines(fields, 1))
        width = max((len(name) for name, _ in lines), default=0)
        for name, value in lines:
            said = f"{name:<{width}}" if value else name
            screen.say(f"[cyan]{escape(said)}[/]{'  ' if value else ''}{value}")


def _table(
    screen: Screen,
    columns: Sequence[str],
    records: Sequence[tuple[int, int, Mapping[str, object]]],
    rows: Sequence[Mapping[str, object]],
) -> None:
    numeric = {name: _all_numbers(rows, name) for name in columns}
    heads = [">record", *((">" if numeric[name] else "") + name for name in columns)]
    cells = [
        [str(number), *(_cell(row[name]) if name in row else "" for name in columns)]
        for (number, _, _), row in zip(records, rows, strict=True)
    ]
    screen.table(heads, cells)


def _fits(screen: Screen, columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> bool:
    if any("[" in name for name in columns):
        return False
    widths = [
        max(len(name), *(len(str(row.get(name, ""))) for row in rows)) + 3 for name in columns
    ]
    return sum(widths) + 10 <= screen.out.width


def _leaves(fields: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    for name, value in fields.items():
        if name.startswith("$"):
            continue
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{before}{name}.")
        elif isinstance(value, list):
            yield f"{before}{name}[]", value
        else:
            yield before + name, value


def _lines(fields: Mapping[str, object], depth: int) -> Iterator[tuple[str, str]]:
    indent = "  " * depth
    for name, value in fields.items():
        if name.startswith("$"):
            continue
        if isinstance(value, Mapping):
            yield f"{indent}{name}", ""
            yield from _lines(value, depth + 1)
        elif isinstance(value, list):
            yield from _entries(name, value, depth)
        else:
            yield f"{indent}{name}", _cell(value)


def _entries(name: str, entries: Sequence[object], depth: int) -> Iterator[tuple[str, str]]:
    indent = "  " * depth
    if not entries:
        yield f"{indent}{name}", "[dim]no entries[/]"
    for number, entry in enumerate(entries, start=1):
        if isinstance(entry, Mapping):
            yield f"{indent}{name} {number}", ""
            yield from _lines(entry, depth + 1)
        else:
            yield f"{indent}{name} {number}", _cell(entry)


def _all_numbers(rows: Sequence[Mapping[str, object]], name: str) -> bool:
    found = [row[name] for row in rows if row.get(name) is not None]
    return bool(found) and all(isinstance(value, int | float | Decimal) for value in found)


def _cell(value: object) -> str:
    if value is None:
        return _NULL
    if isinstance(value, Decimal):
        return f"{value:f}"
    return escape(str(value)) or _EMPTY
