"""Finding an item of a copybook by its path, or by its name where only one has it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TypeVar

from ...errors import ConfigError
from .copybook import Copybook

__all__ = ["Lookup"]

T = TypeVar("T")


class Lookup:
    """Names of one copybook. Case does not count, nor whether ``_`` stands for ``-``."""

    def __init__(self, copybook: Copybook) -> None:
        self._file = copybook.file
        self._ends: dict[str, list[str]] = {}
        self._whole = {_plain(item.path): item.path for item in copybook.walk()}
        for path in self._whole.values():
            self._ends.setdefault(_plain(path).rpartition(".")[2], []).append(path)

    def path(self, name: str, place: str) -> str:
        """Give the path of the item that ``name`` means. Raises ``ConfigError``."""
        plain = _plain(name)
        if plain in self._whole:
            return self._whole[plain]
        found = self._ends.get(plain.rpartition(".")[2], [])
        if "." in plain:
            found = [path for path in found if _plain(path).endswith("." + plain)]
        if len(found) == 1:
            return found[0]
        close = difflib.get_close_matches(plain, [*self._ends, *self._whole], n=1)
        raise ConfigError(
            f"{len(found)} items have that name" if found else "no such item in the copybook",
            place=f"{self._file}: {place}",
            value=name,
            expected="one of " + ", ".join(found) if found else "a path, or a name",
            remedy=f"did you mean {close[0]}?" if close and not found else "",
        )

    def keyed(self, table: Mapping[str, T], place: str) -> dict[str, T]:
        """Give a table by path that was written by name. Raises ``ConfigError``."""
        return {self.path(name, place): value for name, value in table.items()}


def _plain(name: str) -> str:
    return name.upper().replace("_", "-")
