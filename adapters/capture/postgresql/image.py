"""The row images that our PostgreSQL triggers write, read back: ``it["id","note"](7,"it's")``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from ..dialect import Image

__all__ = ["read_image"]

# As record_out writes: quoted where it holds a quote, a backslash, a bracket, a comma, a blank, or
# nothing at all; in quotes, quotes and backslashes are doubled. Nothing at all unquoted is null.
_VALUE: Final = re.compile(r'(?:"((?:[^"\\]|""|\\\\)*)"|([^"\\(),]*))([,)])', re.DOTALL)
_LARGE: Final = re.compile(r"(\d+):(\S*)")
_NAMES: Final = json.JSONDecoder(strict=False)
_KNOWN: Final = 64


class _Names:
    """The lists of names that were read lately: all images of a table begin with the same."""

    def __init__(self) -> None:
        self._known: dict[str, list[str]] = {}

    def read(self, text: str, at: int) -> tuple[list[str], int]:
        """Give the names that begin at a place, and where they end."""
        for written, names in self._known.items():
            if text.startswith(written, at):
                return names, at + len(written)
        names, end = _NAMES.raw_decode(text, at)
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError("not a list of names")
        if len(self._known) >= _KNOWN:
            self._known.clear()
        self._known[text[at:end]] = names
        return names, end


_names = _Names()


def read_image(text: str) -> Image:
    """Read an image. Raises ``ValueError`` for what is none."""
    at = text.find("[")
    letters = text[: max(at, 0)]
    names, end = _names.read(text, at) if at >= 0 else ([], 0)
    values = list(_values(text, end))
    if not len(letters) == len(names) == len(values) or at < 0:
        raise ValueError(
            f"not a row image: {len(letters)} letters, {len(names)} names, {len(values)} values"
        )
    kinds = list(letters)
    image: dict[str, str | int | None] = {}
    large: dict[str, str] = {}
    for place, (name, value) in enumerate(zip(names, values, strict=True)):
        if value is None:
            kinds[place] = "n"
            image[name] = None
        elif kinds[place] == "b":
            image[name] = value.removeprefix("\\x").upper()
        elif kinds[place] == "l":
            image[name], large[name] = _referred(value)
        else:
            image[name] = value
    return Image(values=image, kinds="".join(kinds), large=large)


def _values(text: str, at: int) -> Iterator[str | None]:
    if text[at : at + 1] != "(" or not text.endswith(")"):
        raise ValueError(f"not a row image at character {at}: {text[at : at + 20]!r}")
    if '"' not in text[at:]:
        yield from (value or None for value in text[at + 1 : -1].split(","))
        return
    at += 1
    while True:
        found = _VALUE.match(text, at)
        if found is None:
            raise ValueError(f"not a row image at character {at}: {text[at : at + 20]!r}")
        quoted, plain, then = found.groups()
        if quoted is None:
            yield plain or None
        else:
            yield quoted.replace('""', '"').replace("\\\\", "\\")
        at = found.end()
        if then == ")":
            break
    if at != len(text):
        raise ValueError(f"not a row image: it goes on at character {at}")


def _referred(value: str) -> tuple[int, str]:
    found = _LARGE.fullmatch(value)
    if found is None:
        raise ValueError(f"not a reference: {value[:60]!r}")
    return int(found[1]), found[2]
