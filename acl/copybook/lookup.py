"""Finding an item of a copybook by what a person calls it."""

from __future__ import annotations

import re

from .copybook import Copybook
from .error import CopybookError
from .item import Item
from .parse.names import near

__all__ = ["find"]

_QUALIFIED = re.compile(r"\s+(?:OF|IN)\s+", re.IGNORECASE)


def find(copybook: Copybook, name: str) -> Item:
    """Find an item by its path, its unique name, or ``NAME OF GROUP``; the case does not matter.

    Called by whoever takes a field's name from a command line or a mapping: it walks the copybook,
    so hold on to what it gives. Raises ``CopybookError`` where no item is meant, or several.
    """
    wanted = name.strip().upper()
    items = list(copybook.walk())
    for item in items:
        if item.path.upper() == wanted and item.path:
            return item
    names = _QUALIFIED.split(wanted) if " " in wanted else wanted.split(".")[::-1]
    outermost = copybook.records[0].name if len(copybook.records) == 1 else ""
    same = [item for item in items if _means(item, names, outermost)]
    if len(same) == 1:
        return same[0]
    if same:
        raise CopybookError(
            f"{name[:80]} names {len(same)} items",
            file=copybook.file,
            expected="one of " + ", ".join(item.path for item in same[:5]),
            remedy="say the path, or NAME OF GROUP",
        )
    paths = {item.path.upper(): item.path for item in items}
    known = [*paths, *(item.name.upper() for item in items if item.name.upper() not in paths)]
    raise CopybookError(
        f"there is no item {name[:80]}",
        file=copybook.file,
        expected="the path, the name, or NAME OF GROUP of an item",
        remedy=near(wanted.split()[0] if wanted else "", known),
    )


def _means(item: Item, names: list[str], record: str) -> bool:
    """Say whether an item has the first name and stands in groups that have the others.

    ``record`` is the name that paths leave out.
    """
    if item.name.upper() != names[0]:
        return False
    groups = iter([*item.path.upper().split(".")[-2::-1], record.upper()])
    return all(any(group.split("#")[0] == wanted for group in groups) for wanted in names[1:])
