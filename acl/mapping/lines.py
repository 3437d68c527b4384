"""Where the keys and rows of a mapping file stand in its text: TOML's readers do not say."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = ["Lines", "Spot"]

_WORD: Final = re.compile(
    r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*'
    r"|[\[\]{}=,\n]|[^\s\[\]{}=,#\"']+",
    re.DOTALL,
)
_HEADER: Final = re.compile(r"\[(\[)?[ \t]*([^\[\]\n]+?)[ \t]*\]\]?")


class Spot(NamedTuple):
    """A place in the file: its line and column, both from 1, and the line as it stands there."""

    line: int
    column: int
    source: str


class Lines:
    """The spots of a file's keys and rows.

    It reads what ``tomllib`` read before, so it need not be strict; what it does not find has no
    spot.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._keys: dict[str, int] = {}
        self._rows: dict[str, list[dict[str, int]]] = {}
        self._stack: list[str] = []
        self._table = self._key = self._last = ""
        self._row: dict[str, int] | None = None
        self._wanted: tuple[dict[str, int], str] | None = None
        self._valued = False
        self._scan()

    def key(self, name: str) -> Spot | None:
        """Give the spot of a key's value: ``ignore.FILLER-1``."""
        return self._spot(self._keys.get(name))

    def row(self, side: str, number: int, key: str = "") -> Spot | None:
        """Give the spot of a row (from 1), or that of one of its values."""
        rows = self._rows.get(side, [])
        if not 0 < number <= len(rows):
            return None
        found = rows[number - 1]
        return self._spot(found.get(key, found[""]))

    def _spot(self, at: int | None) -> Spot | None:
        if at is None:
            return None
        start = self._text.rfind("\n", 0, at) + 1
        end = self._text.find("\n", at)
        source = self._text[start : end if end >= 0 else None].rstrip("\r")
        return Spot(self._text.count("\n", 0, at) + 1, at - start + 1, source)

    def _scan(self) -> None:
        at = 0
        while (found := _WORD.search(self._text, at)) is not None:
            at = found.end()
            word = found[0]
            if word == "[" and not self._stack and not self._valued:
                header = _HEADER.match(self._text, found.start())
                if header is not None:
                    self._headed(header)
                    at = header.end()
            elif not word.startswith("#"):
                self._take(word, found.start())

    def _headed(self, header: re.Match[str]) -> None:
        self._table = _bare(header[2])
        self._row = None
        if header[1]:
            self._row = {"": header.start()}
            self._rows.setdefault(self._table, []).append(self._row)

    def _take(self, word: str, at: int) -> None:
        if word == "\n":
            self._valued = self._valued and bool(self._stack)
            return
        if self._wanted is not None and word not in "]},":
            into, name = self._wanted
            into.setdefault(name, at)
            self._wanted = None
        if word == "=":
            self._assigned()
        elif word in "[{":
            self._opened(word, at)
        elif word in "]}":
            if self._stack:
                self._stack.pop()
        elif word != ",":
            self._last = _bare(word)

    def _assigned(self) -> None:
        if not self._stack:
            self._key = f"{self._table}.{self._last}".lstrip(".")
            self._valued = True
            if self._row is not None:
                self._wanted = (self._row, self._last.partition(".")[0])
            else:
                self._wanted = (self._keys, self._key)
        elif self._stack == ["[", "{"] and self._key in self._rows:
            self._wanted = (self._rows[self._key][-1], self._last.partition(".")[0])
        elif self._stack == ["{"]:
            self._wanted = (self._keys, f"{self._key}.{self._last}")

    def _opened(self, word: str, at: int) -> None:
        if word == "{" and self._stack == ["["] and self._row is None:
            self._rows.setdefault(self._key, []).append({"": at})
        self._stack.append(word)


def _bare(word: str) -> str:
    return word[1:-1] if len(word) > 1 and word[0] == word[-1] and word[0] in "\"'" else word
