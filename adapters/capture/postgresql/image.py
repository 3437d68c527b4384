"""The row images that our PostgreSQL triggers write, read back: ``it["id","note"](7,"it's")``."""

from __future__ import annotations

import json
import re
from typing import Final

from ..dialect import Image

__all__ = ["read_image"]

# As record_out writes: quoted where it holds a quote, a backslash, a bracket, a comma, a blank, or
# nothing at all; in quotes, quotes and backslashes are doubled. Nothing at all unquoted is null.
_VALUE: Final = re.compile(r'((?:"((?:[^"\\]+|""|\\\\)*+)"|([^"\\(),]*))[,)])', re.DOTALL)
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
    values = _values(text, end)
    if not len(letters) == len(names) == len(values) or at < 0:
        raise ValueError(
            f"not a row image: {len(letters)} letters, {len(names)} names, {len(values)} values"
        )
    image: dict[str, str | int | None] = dict(zip(names, values, strict=True))
    large: dict[str, str] = {}
    if "b" in letters or "l" in letters:
        for letter, name, value in zip(letters, names, values, strict=True):
            if letter == "b" and value is not None:
                image[name] = value.removeprefix("\\x").upper()
            elif letter == "l" and value is not None:
                image[name], large[name] = _referred(value)
    if None in values:
        kinds = zip(letters, values, strict=True)
        letters = "".join(["n" if value is None else letter for letter, value in kinds])
    return Image(values=image, kinds=letters, large=large)


def _values(text: str, at: int) -> list[str | None]:
    if text[at : at + 1] != "(" or not text.endswith(")"):
        raise ValueError(f"not a row image at character {at}: {text[at : at + 20]!r}")
    at += 1
    if '"' not in text[at:]:
        return [value or None for value in text[at:-1].split(",")]
    if '""' not in text and "\\" not in text[at:]:
        return _simply_quoted(text[at:-1])
    found = _VALUE.findall(text, at)
    # What it passed over is missing in the sum; the one bracket that ends a value is the last.
    read = sum([len(whole) for whole, _, _ in found])
    if read != len(text) - at or any(whole[-1] == ")" for whole, _, _ in found[:-1]):
        raise ValueError(
            f"not a row image: {read} of the {len(text) - at} characters of its values"
        )
    return [
        quoted.replace('""', '"').replace("\\\\", "\\") if whole[0] == '"' else plain or None
        for whole, quoted, plain in found
    ]


def _simply_quoted(text: str) -> list[str | None]:
    """Read values of which some stand in quotes, and none holds a quote: cut at the quotes.

    Every second part was in quotes: in its place a lone quote is left between two commas.
    """
    parts = text.split('"')
    quoted = parts[1::2]
    values: list[str | None] = [*'"'.join(parts[::2]).split(",")]
    if len(parts) % 2 == 0:
        raise ValueError("not a row image: a quote that does not end")
    if values.count('"') != len(quoted):
        raise ValueError("not a row image: no comma beside a quote")
    at = -1
    for value in quoted:
        at = values.index('"', at + 1)
        values[at] = value
    return [value or None for value in values] if "" in values else values


def _referred(value: str) -> tuple[int, str]:
    found = _LARGE.fullmatch(value)
    if found is None:
        raise ValueError(f"not a reference: {value[:60]!r}")
    return int(found[1]), found[2]
